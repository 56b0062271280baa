"""The caller's own name for a submit, and the digest by which the same name is held to the same submit."""

import hashlib
import json
import re
from typing import Final

from inference_api.errors import InvalidHeaderError
from inference_contract.job import Idempotency
from inference_contract.names import HEADER_IDEMPOTENCY_KEY
from submission import Submission

KEY: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


def idempotency_of(key: str | None, submission: Submission) -> Idempotency | None:
    """Bind a key to what is asked under it; `None` where the caller gave no key.

    Raises:
        InvalidHeaderError: the key is not 1 to 255 visible ASCII characters.
    """
    if key is None:
        return None
    if not KEY.fullmatch(key):
        raise InvalidHeaderError(f"`{HEADER_IDEMPOTENCY_KEY}` must be 1 to 255 visible ASCII characters.")
    return Idempotency(key, _digest(submission))


def _digest(submission: Submission) -> str:
    """Take the version as asked: a new default version makes a repeated submit no other one."""
    asked = json.dumps([submission.model_name, submission.version, submission.rows], allow_nan=False)
    return hashlib.sha256(asked.encode()).hexdigest()
