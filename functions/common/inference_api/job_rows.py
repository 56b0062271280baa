"""From a row of `predictions`, as the statements select it, to a job."""

from inference_api.postgres import Row
from inference_contract.job import Job, JobStatus, ModelId, Prediction


def job_of(row: Row) -> Job:
    """Read the columns in the order in which every statement names them."""
    task_id, status, name, version, prediction, error, attempts, submitted_at, started_at, finished_at = row
    return Job(
        task_id=task_id,
        status=JobStatus(status),
        model=ModelId(name, version),
        predictions=None if prediction is None else tuple(Prediction(**answer) for answer in prediction),
        error=error,
        attempts=attempts,
        submitted_at=submitted_at,
        started_at=started_at,
        finished_at=finished_at,
    )
