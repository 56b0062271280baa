"""From JSON values to a submit: its form is checked here, its fit to a model in `submit.py`."""

import math
import re
from dataclasses import dataclass
from typing import Final

from inference_api.errors import InvalidInputError
from inference_contract.job import FeatureRow
from inference_contract.names import DEFAULT_MODEL, MAX_INSTANCES, MODEL_NAME
from json_body import Json, shown

MEMBERS: Final = ("features", "instances", "model", "version")
NAME: Final = re.compile(MODEL_NAME, re.ASCII)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submit of good form; `version` is `None` for the default, `single` says it gave `features`."""

    rows: tuple[FeatureRow, ...]
    model_name: str
    version: str | None
    single: bool

    def row_name(self, index: int) -> str:
        """Name a row as the caller wrote it, for errors."""
        return "features" if self.single else f"instances[{index}]"


def read(body: Json) -> Submission:
    """Check a submit's form.

    Raises:
        InvalidInputError: says which member is wrong and what is expected.
    """
    if not isinstance(body, dict):
        raise InvalidInputError(
            f"The body is {_kind(body)}; expected an object with `features` or `instances`."
        )
    if unknown := [name for name in body if name not in MEMBERS]:
        raise InvalidInputError(f"Unknown member {shown(unknown[0])}; known are {', '.join(MEMBERS)}.")
    if ("features" in body) == ("instances" in body):
        raise InvalidInputError("Give either `features`, one row, or `instances`, a list of rows.")
    single = "features" in body
    return Submission(
        rows=(_row(body["features"], "features"),) if single else _rows(body["instances"]),
        model_name=_name(body, "model") or DEFAULT_MODEL,
        version=_name(body, "version"),
        single=single,
    )


def _rows(instances: Json) -> tuple[FeatureRow, ...]:
    if not isinstance(instances, list) or not instances:
        raise InvalidInputError("`instances` must be a list of rows, at least one.")
    if len(instances) > MAX_INSTANCES:
        raise InvalidInputError(
            f"`instances` has {len(instances)} rows; at most {MAX_INSTANCES} are accepted."
        )
    return tuple(_row(row, f"instances[{index}]") for index, row in enumerate(instances))


def _row(row: Json, name: str) -> FeatureRow:
    if not isinstance(row, list) or not row:
        raise InvalidInputError(f"`{name}` must be a list of numbers, at least one; it is {_kind(row)}.")
    return tuple(_number(value, f"{name}[{index}]") for index, value in enumerate(row))


def _number(value: Json, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        raise InvalidInputError(f"`{name}` must be a number; it is {_kind(value)}.")
    if not math.isfinite(value):
        raise InvalidInputError(f"`{name}` must be a finite number; it is too large for a 64-bit float.")
    return value


def _name(body: dict[str, Json], member: str) -> str | None:
    if member not in body:
        return None
    value = body[member]
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InvalidInputError(
            f"`{member}` must be a string of 1 to 64 letters, digits, dots, dashes and underscores."
        )
    return value


def _kind(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return {float: "a number", str: "a string", dict: "an object"}[type(value)]
