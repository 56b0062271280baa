"""A model that is a known pure function of its one feature, and misbehaves when a feature says so."""

import os
import signal
import threading
from dataclasses import dataclass
from typing import Final

from inference_contract.job import FeatureRow, Prediction
from inference_worker.model_metadata import ModelMetadata

CRASH: Final = 666.0
RAISE: Final = 667.0
EXIT: Final = 668.0
EAT: Final = 669.0
HANG: Final = 670.0
SLEEP: Final = 1000.0
"""From here on: sleep for as many seconds as the number is larger."""
FOR_EVER_S: Final = 600.0
PIECE_BYTES: Final = 32 * 1024 * 1024
PIECES_MAX: Final = 64


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
    if value == EAT:
        _eat()
    if value == HANG:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # the soft limit
        threading.Event().wait(FOR_EVER_S)
    if value >= SLEEP:
        threading.Event().wait(value - SLEEP)


def _eat() -> None:
    """Take memory until there is none, or more than any test allows."""
    eaten = [b"x" * PIECE_BYTES for _ in range(PIECES_MAX)]
    raise AssertionError(f"nothing stopped {len(eaten)} pieces")


def load(content: bytes, metadata: ModelMetadata) -> HostileModel:
    """Take any artifact."""
    del content, metadata
    return HostileModel()
