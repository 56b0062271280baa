"""A task id as a path may give it."""

import re
from typing import Final

from inference_api.errors import UnknownTaskError

TASK_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def task_id_of(given: str) -> str:
    """Bring an id into its one form; what cannot be one needs no question to the database.

    Raises:
        UnknownTaskError: it is no UUID.
    """
    if not TASK_ID.fullmatch(given.lower()):
        raise UnknownTaskError(
            f"{given!a:.60} is no task id; expected a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e."
        )
    return given.lower()
