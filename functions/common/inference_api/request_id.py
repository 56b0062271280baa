"""The id that follows one request through Nginx, function, worker and row."""

import re
from typing import Final

from chalice.app import Request

from inference_contract.names import HEADER_REQUEST_ID

ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)
"""What may be stored, logged and sent back as a header without further care."""


def request_id_of(request: Request) -> str:
    """Take the caller's id where it is fit to be passed on, else API Gateway's own."""
    given = str(request.headers.get(HEADER_REQUEST_ID, ""))
    if ACCEPTABLE.fullmatch(given):
        return given
    return str(request.context.get("requestId", "none"))
