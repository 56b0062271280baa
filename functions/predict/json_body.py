"""From a body's bytes to JSON values, refusing all that JSON leaves open: sizes, duplicates, odd numbers."""

import json
from typing import Never

from inference_api.errors import BodyTooLargeError, MalformedBodyError
from inference_contract.names import MAX_BODY_BYTES

type Json = bool | float | str | list["Json"] | dict[str, "Json"] | None


def parse(body: bytes) -> Json:
    """Parse a body; every number becomes a float, one too large an infinity, which the caller refuses.

    Raises:
        BodyTooLargeError: more than `MAX_BODY_BYTES`.
        MalformedBodyError: not UTF-8, not JSON, nested too deeply, or an object with one name twice.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"The body has {len(body)} bytes; at most {MAX_BODY_BYTES} are accepted.")
    if not body.strip():
        raise MalformedBodyError(
            'The body is empty; expected JSON such as {"features": [5.1, 3.5, 1.4, 0.2]}.'
        )
    try:
        parsed: Json = json.loads(
            body.decode("utf-8"),
            parse_int=float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct,
        )
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"The body is not UTF-8: wrong at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedBodyError(f"The body is not JSON: {error.msg} at {place}.") from error
    except RecursionError as error:
        raise MalformedBodyError("The body is nested too deeply; two levels of lists are enough.") from error
    return parsed


def _refuse_constant(name: str) -> Never:
    raise MalformedBodyError(f"The body is not JSON: {name} is no JSON number.")


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members: dict[str, Json] = {}
    for name, value in pairs:
        if name in members:
            raise MalformedBodyError(f"The body names {shown(name)} twice in one object.")
        members[name] = value
    return members


def shown(value: object) -> str:
    """Show a caller's own value in an error: plain ASCII, and not more than a glance of it."""
    return f"{value!a:.60}"
