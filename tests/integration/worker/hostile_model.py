"""A model that is a known pure function of its one feature, and misbehaves when a feature says so."""

import os
import threading
from dataclasses import dataclass
from typing import Final

from inference_contract.job import FeatureRow, Prediction
from inference_worker.model_metadata import ModelMetadata

CRASH: Final = 666.0
RAISE: Final = 667.0
EXIT: Final = 668.0
SLEEP: Final = 1000.0
"""From here on: sleep for as many seconds as the number is larger."""


def expected(value: float) -> str:
    """The label that a value must get."""
    return f"value {value:g}"


@dataclass(frozen=True, slots=True)
class HostileModel:
    """Does to its process what the feature says."""

    def predict(self, rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        """Misbehave as told, then answer each row with its own value."""
        for (value,) in rows:
            _misbehave(value)
        return tuple(Prediction(expected(value), {expected(value): 1.0}) for (value,) in rows)


def _misbehave(value: float) -> None:
    if value == CRASH:
        os._exit(1)
    if value == RAISE:
        raise ValueError("the value is refused\nand this line is not for clients")
    if value == EXIT:
        raise SystemExit(1)
    if value >= SLEEP:
        threading.Event().wait(value - SLEEP)


def load(content: bytes, metadata: ModelMetadata) -> HostileModel:
    """Take any artifact."""
    del content, metadata
    return HostileModel()
