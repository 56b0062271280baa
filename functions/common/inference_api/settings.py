"""What a function is told by its environment; the entry file reads it once, in Lambda's init."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from inference_api.errors import SettingsError
from inference_api.shedding import DEFAULT_LIMITS, Limits
from inference_contract.failpoint import FAILPOINTS

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one function process; the addresses hold passwords, so they stay out of its repr."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    log_level: str
    service: str
    metrics_namespace: str
    limits: Limits = DEFAULT_LIMITS
    pushgateway_url: str = ""
    failpoint: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], service: str) -> Self:
        """Read and check the settings.

        Args:
            environment: the process's variables.
            service: name in logs and metrics where POWERTOOLS_SERVICE_NAME does not say another.

        Raises:
            SettingsError: a needed variable is missing or wrong; the text names it, never its value.
        """
        return cls(
            database_url=_needed(environment, "DATABASE_URL", "postgresql://user:password@host:5432/name"),
            broker_url=_needed(environment, "BROKER_URL", "redis://host:6379/0"),
            log_level=_log_level(environment.get("LOG_LEVEL") or "INFO"),
            service=environment.get("POWERTOOLS_SERVICE_NAME") or service,
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE") or "inference",
            pushgateway_url=_pushgateway_url(environment),
            failpoint=_failpoint(environment),
            limits=Limits(
                of_caller=_positive(environment, "MAX_OPEN_PER_CALLER", DEFAULT_LIMITS.of_caller),
                in_all=_positive(environment, "MAX_OPEN_IN_ALL", DEFAULT_LIMITS.in_all),
            ),
        )


def _needed(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: the function needs an address such as {example}")
    return value


def _pushgateway_url(environment: Mapping[str, str]) -> str:
    """Read where metrics are pushed to; empty for CloudWatch's embedded metrics."""
    url = environment.get("PUSHGATEWAY_URL", "").strip()
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError("PUSHGATEWAY_URL is not an address such as http://host:9091")
    return url


def _failpoint(environment: Mapping[str, str]) -> str:
    """Read where to crash: for tests, and nowhere else."""
    place = environment.get("FAILPOINT", "").strip()
    if place not in FAILPOINTS:
        raise SettingsError(f"FAILPOINT is none of {', '.join(filter(None, FAILPOINTS))}")
    return place


def _positive(environment: Mapping[str, str], name: str, default: int) -> int:
    given = environment.get(name, "").strip() or str(default)
    if not (given.isascii() and given.isdigit() and int(given) > 0):
        raise SettingsError(f"{name} is not a whole number above zero")
    return int(given)


def _log_level(name: str) -> str:
    if name.upper() not in LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL is not one of {', '.join(LOG_LEVELS)}")
    return name.upper()
