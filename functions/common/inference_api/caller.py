"""Who a request is from: a digest of its key, or its address. Callers see their own jobs only (ADR 0006)."""

import hashlib
import re
from typing import Any, Final

from chalice.app import Request

from inference_contract.names import HEADER_API_KEY

DIGEST_CHARACTERS: Final = 32
"""128 bits of SHA-256: no two keys meet, and no row or log gives a key away."""
ADDRESS: Final = re.compile(r"[0-9A-Fa-f.:]{2,45}", re.ASCII)
LOOPBACK: Final = ("127.", "::1")


def caller_of(request: Request) -> str:
    """Name the caller: `key:<hex>` where it sent a key, else `address:<ip>`."""
    key = str(request.headers.get(HEADER_API_KEY, "")).strip()
    if key:
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return f"key:{digest[:DIGEST_CHARACTERS]}"
    address = _address(request)
    return f"address:{address if ADDRESS.fullmatch(address) else 'unknown'}"


def _address(request: Request) -> str:
    """Believe the forwarded address only from our own Nginx, which overwrites whatever a client wrote there.

    It asks the gateway from the same machine. On AWS the gateway sees the client itself, never a loopback
    address, and a client can write the header as it likes.
    """
    identity: dict[str, Any] = request.context.get("identity") or {}
    peer = str(identity.get("sourceIp") or "")
    forwarded = str(request.headers.get("X-Forwarded-For", "")).partition(",")[0].strip()
    return forwarded if forwarded and peer.startswith(LOOPBACK) else peer
