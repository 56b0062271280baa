"""The worker's settings: read once from the environment by the entry file, never changed after."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from inference_contract.failpoint import FAILPOINTS

from inference_worker.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """One field an environment variable of the same name in capitals; `_s` is seconds, `_ms` milliseconds."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    model_dir: Path
    log_level: str = "INFO"
    service_name: str = "worker"
    batch_size: int = 32
    batch_rows_max: int = 4096
    max_attempts: int = 3
    lease_s: float = 10.0
    task_time_limit_s: float = 30.0
    task_soft_time_limit_s: float = 25.0
    soft_shutdown_s: float = 10.0
    heartbeat_s: float = 5.0
    sweep_every_s: float = 5.0
    sweep_limit: int = 1000
    resend_after_s: float = 15.0
    send_grace_s: float = 2.0
    statement_timeout_ms: int = 2000
    tasks_per_child_max: int = 10_000
    worker_memory_limit_mb: int = 2048
    progress_timeout_s: float = 60.0
    slow_for_s: float = 60.0
    patience_s: float = 0.25
    retention_days: float = 30.0
    retention_every_s: float = 30.0
    worker_metrics_port: int = 0
    """Where Prometheus reads, on this machine only; 0: nowhere."""
    prometheus_multiproc_dir: Path = Path()
    """Folder of its own in which the processes count; emptied when the worker starts."""
    failpoint: str = ""
    """For tests: where to crash; none of the places where it is empty."""

    @property
    def visibility_timeout_s(self) -> int:
        """Seconds after which Redis hands a message out again: longer than any task may run."""
        return int(2 * self.task_time_limit_s) + 1


OFF: Final = "0"
MAY_BE_OFF: Final = frozenset({"worker_metrics_port"})
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check every setting; raises `SettingsError` that names the one that is missing or wrong."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = setting.name.upper()
        text = environment.get(name, "").strip()
        if text and not (setting.name in MAY_BE_OFF and text == OFF):
            values[setting.name] = _parse(name, text, setting.type)
        elif setting.name in ("database_url", "broker_url", "model_dir"):
            raise SettingsError(f"{name} is not set")
    settings = Settings(**values)
    _check(settings)
    return settings


def _parse(name: str, text: str, kind: Any) -> object:  # noqa: ANN401 (a dataclass field's type)
    try:
        value = kind(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {text!r}") from error
    if kind in (int, float) and not 0 < value < float("inf"):
        raise SettingsError(f"{name} must be above zero, not {text!r}")
    return value


def _check(settings: Settings) -> None:
    if settings.log_level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL must be one of {', '.join(LEVELS)}")
    if settings.failpoint not in FAILPOINTS:
        raise SettingsError(f"FAILPOINT must be one of {', '.join(filter(None, FAILPOINTS))}")
    if settings.task_soft_time_limit_s >= settings.task_time_limit_s:
        raise SettingsError("TASK_SOFT_TIME_LIMIT_S must be below TASK_TIME_LIMIT_S")
    if not settings.broker_url.startswith(("redis://", "rediss://")):
        raise SettingsError("BROKER_URL must begin with redis:// or rediss://")
    if not settings.model_dir.is_dir():
        raise SettingsError(f"MODEL_DIR must be a folder: {settings.model_dir} is none")
    if settings.worker_metrics_port and settings.prometheus_multiproc_dir == Path():
        raise SettingsError("PROMETHEUS_MULTIPROC_DIR must be a folder, as WORKER_METRICS_PORT is set")
