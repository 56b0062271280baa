"""AWS's checks of an event before it is queued or run, with its words."""

import json
from typing import NoReturn

SYNCHRONOUS_LIMIT_BYTES = 6 * 1024 * 1024
ASYNCHRONOUS_LIMIT_BYTES = 1024 * 1024
PREFIX = "Could not parse request body into json: Could not parse payload into json: "


def too_large_error(payload: bytes, *, asynchronous: bool) -> str | None:
    """The refusal of an event over the limit of its kind of invocation."""
    limit = ASYNCHRONOUS_LIMIT_BYTES if asynchronous else SYNCHRONOUS_LIMIT_BYTES
    if len(payload) <= limit:
        return None
    return f"Request must be smaller than {limit} bytes for the InvokeFunction operation"


def payload_error(payload: bytes) -> str | None:
    """The refusal of what is no JSON document in UTF-8."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        return f"{PREFIX}Invalid UTF-8 start byte 0x{payload[error.start]:x}"
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return PREFIX + _jackson_text(text, error)
    except (ValueError, RecursionError) as error:
        return f"{PREFIX}{error}"
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{constant}': not allowed in JSON")


def _jackson_text(text: str, error: json.JSONDecodeError) -> str:
    """As AWS's parser puts it: what was found, and where."""
    where = f"\n at [Source: (byte[]); line: {error.lineno}, column: {error.colno}]"
    if error.pos >= len(text):
        return f"Unexpected end-of-input{where}"
    found = text[error.pos]
    return (
        f"Unexpected character ('{found}' (code {ord(found)})): expected a valid value "
        f"(JSON String, Number, Array, Object or token 'null', 'true' or 'false'){where}"
    )
