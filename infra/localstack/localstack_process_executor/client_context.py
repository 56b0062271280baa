"""The client context on its way to the function: Base64 in the API's header, JSON in the Runtime API's."""

import base64
import binascii
import json


def decoded_client_context(header: str | None) -> str | None:
    """The JSON for the function, on one line; None where there is none or it cannot be read."""
    if not header:
        return None
    try:
        return json.dumps(json.loads(base64.b64decode(header, validate=True)))
    except (binascii.Error, ValueError):
        return None
