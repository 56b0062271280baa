"""A model whose every answer follows from its input alone, and which misbehaves where an input says so."""

import hashlib
import os
import signal
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum

from inference_contract.job import FeatureRow, Prediction
from inference_worker.model_metadata import ModelMetadata

BACKEND = "faults"
PURE, HOSTILE, SLOW = "pure", "hostile", "slow"
"""Three names for the one model: batches of the one hold nothing of the other, and each is timed apart."""
FEATURES = ("value", "action", "seconds")
MORE_THAN_THERE_IS_BYTES = 1 << 60
LABEL_CHARS = 12


class Action(IntEnum):
    """What a row makes the model do before it answers."""

    ANSWER = 0
    CRASH = 1
    KILLED_AS_OUT_OF_MEMORY = 2
    MEMORY_ERROR = 3
    SYS_EXIT = 4
    SLEEP = 5
    SLEEP_DEAF = 6


def label_of(value: float) -> str:
    """The one right answer to a value."""
    return hashlib.sha256(struct.pack("<d", value)).hexdigest()[:LABEL_CHARS]


def expected(features: list[list[float]]) -> list[dict[str, object]]:
    """What must be stored for stored features, as Postgres gives it back."""
    labels = [label_of(value) for value, _, _ in features]
    return [{"label": label, "probabilities": {label: 1.0}} for label in labels]


@dataclass(frozen=True, slots=True)
class PureModel:
    """Answers each row by its value alone."""

    def predict(self, rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        """Do as told, then answer."""
        for _, action, seconds in rows:
            _act(Action(int(action)), seconds)
        labels = [label_of(value) for value, _, _ in rows]
        return tuple(Prediction(label, {label: 1.0}) for label in labels)


def _act(action: Action, seconds: float) -> None:
    match action:
        case Action.CRASH:
            os._exit(1)
        case Action.KILLED_AS_OUT_OF_MEMORY:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.MEMORY_ERROR:
            bytearray(MORE_THAN_THERE_IS_BYTES)
        case Action.SYS_EXIT:
            sys.exit(3)
        case Action.SLEEP:
            threading.Event().wait(seconds)
        case Action.SLEEP_DEAF:
            while True:
                with suppress(Exception):
                    threading.Event().wait(seconds)
        case Action.ANSWER:
            pass


def load(content: bytes, metadata: ModelMetadata) -> PureModel:
    """Take any artifact."""
    del content, metadata
    return PureModel()
