"""Jobs as a lookup may find them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from inference_contract.job import Job, JobStatus, ModelId, Prediction

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
QUEUED = Job(
    task_id=ID,
    status=JobStatus.QUEUED,
    model=ModelId("iris", "1"),
    predictions=None,
    error=None,
    attempts=0,
    submitted_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    started_at=None,
    finished_at=None,
)
SUCCEEDED = replace(
    QUEUED,
    status=JobStatus.SUCCEEDED,
    predictions=(Prediction("setosa", {"setosa": 0.9, "virginica": 0.1}),),
    attempts=1,
    started_at=datetime(2026, 1, 2, 4, 4, 6, tzinfo=timezone(timedelta(hours=1))),
    finished_at=datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC),
)
FAILED = replace(
    QUEUED, status=JobStatus.FAILED, error="gave up", attempts=3, finished_at=SUCCEEDED.finished_at
)


def with_id(job: Job, number: int) -> Job:
    """Give the same job under an id of its own."""
    return replace(job, task_id=f"00000000-0000-4000-8000-{number:012}")
