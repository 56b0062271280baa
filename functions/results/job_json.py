"""A job as JSON, the same wherever it is answered."""

from dataclasses import asdict
from datetime import UTC, datetime

from inference_contract.job import Job


def members(job: Job) -> dict[str, object]:
    """Spell a job out, its times in UTC to the millisecond."""
    return {
        "task_id": job.task_id,
        "status": job.status.value,
        "model": asdict(job.model),
        "predictions": None if job.predictions is None else [asdict(one) for one in job.predictions],
        "error": job.error,
        "attempts": job.attempts,
        "submitted_at": _rfc3339(job.submitted_at),
        "started_at": _rfc3339(job.started_at),
        "finished_at": _rfc3339(job.finished_at),
    }


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
