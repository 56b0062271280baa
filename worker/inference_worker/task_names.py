"""Names within the worker's own processes; those that others use too are in the contract."""

from typing import Final

TASK_SWEEP: Final = "inference.sweep"
TASK_EXPIRE: Final = "inference.expire"
QUEUE_SWEEPS: Final = "sweeps"
