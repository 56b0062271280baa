"""What a person can set for a stack: the environment over `.env` over these defaults."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stack.errors import StackError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout that this launcher belongs to."""

UNWRITABLE = re.compile(r"""["'\\$%#;:{}\x00-\x1f]""")
Port = Annotated[int, Field(ge=1024, le=65535)]


class Settings(BaseSettings):
    """One stack's settings; `.env.example` lists each with its meaning.

    Defaults keep clear of the ports that the system's own Postgres, Redis and Prometheus use.
    """

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", frozen=True)

    state_dir: Path = Path(".stack")
    port_offset: Annotated[int, Field(ge=0, le=40_000)] = 0
    http_port: Port = 8000
    localstack_port: Port = 4566
    postgres_port: Port = 15432
    redis_port: Port = 16379
    prometheus_port: Port = 19090
    pushgateway_port: Port = 19091
    alertmanager_port: Port = 19093
    grafana_port: Port = 3000
    flower_port: Port = 15555
    worker_metrics_port: Port = 19095
    node_exporter_port: Port = 19100
    nginx_exporter_port: Port = 19113
    redis_exporter_port: Port = 19121
    postgres_exporter_port: Port = 19187
    mtail_port: Port = 19139
    worker_concurrency: Annotated[int, Field(ge=1, le=256)] = 2
    predict_concurrency: Annotated[int, Field(ge=1, le=900)] = 8
    results_concurrency: Annotated[int, Field(ge=2, le=900)] = 16
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_open_per_caller: Annotated[int, Field(ge=1)] = 1000
    max_open_in_all: Annotated[int, Field(ge=1)] = 5000
    worker_memory_limit_mb: Annotated[int, Field(ge=256)] = 2048
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    retention_days: Annotated[float, Field(gt=0)] = 30
    worker_app: str = "inference_worker.celery_app"
    worker_pythonpath: str = ""
    alert_webhook_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    grafana_home: str = ""
    gateway_direct: bool = True
    install_packages: bool = True

    @model_validator(mode="before")
    @classmethod
    def _move_default_ports(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Add the offset to each port that was not set itself."""
        try:
            # As the field itself reads it: " 100" and "100.0" are 100 too.
            offset = TypeAdapter(int).validate_python(given.get("port_offset", 0))
        except ValidationError:
            return given
        defaults = {name: field.default for name, field in cls.model_fields.items() if name.endswith("_port")}
        return {name: port + offset for name, port in defaults.items()} | given

    def environment(self) -> dict[str, str]:
        """Return the settings as environment variables, as `load_settings` reads them."""
        return {name.upper(): str(value) for name, value in self.model_dump().items()}

    def ports(self) -> dict[str, int]:
        """Return every port of the stack by the name of its setting."""
        return {name: value for name, value in self.model_dump().items() if name.endswith("_port")}


def load_settings() -> Settings:
    """Read and check the settings.

    Raises:
        StackError: a value is not usable; names the setting, what it holds and what it needs.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        reason = f"{name}={first['input']!r}: {first['msg']}"
        raise StackError("settings", reason, way_out=f"correct {name} in .env or the environment") from error
    _refuse_shared_ports(settings)
    _refuse_unwritable_path(settings)
    return settings


def _refuse_shared_ports(settings: Settings) -> None:
    taken: dict[int, str] = {}
    for name, port in settings.ports().items():
        if port in taken:
            reason = f"{name.upper()} and {taken[port].upper()} are both {port}"
            raise StackError("settings", reason, way_out="give each part a port of its own in .env")
        taken[port] = name


def _refuse_unwritable_path(settings: Settings) -> None:
    """Some part's configuration has no way to write these; a blank and any letter are well."""
    folder = str(ROOT / settings.state_dir)
    if unwritable := UNWRITABLE.search(folder):
        reason = f"STATE_DIR is {folder!r}, which holds {unwritable[0]!r}"
        raise StackError("settings", reason, way_out="set STATE_DIR to a folder without it")
