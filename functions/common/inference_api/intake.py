"""What became of a submit at the database, as the store tells the use case."""

from dataclasses import dataclass
from enum import StrEnum

from inference_api.shedding import Load


class Verdict(StrEnum):
    """The ways that a submit can go."""

    STORED = "stored"
    REPLAYED = "replayed"
    KEY_REUSED = "key_reused"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Intake:
    """`task_id` is the job's own when stored, the earlier one's when the key was there before."""

    verdict: Verdict
    task_id: str
    load: Load
