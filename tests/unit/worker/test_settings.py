"""Settings stop the start with the name of what is missing or wrong."""

from pathlib import Path

import pytest
from inference_worker.errors import SettingsError
from inference_worker.settings import read_settings


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": "postgresql://u:hush@h/d",
        "BROKER_URL": "redis://:hush@h",
        "MODEL_DIR": str(tmp_path),
    }


def test_defaults_are_enough_beside_the_three_addresses(environment: dict[str, str]) -> None:
    settings = read_settings(environment)

    assert settings.max_attempts == 3
    assert settings.visibility_timeout_s > settings.task_time_limit_s


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL", "MODEL_DIR"])
def test_missing_setting_is_named(environment: dict[str, str], name: str) -> None:
    environment[name] = " "

    with pytest.raises(SettingsError, match=f"{name} is not set"):
        read_settings(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_SIZE", "many"),
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "1.5"),
        ("LEASE_S", "nan"),
        ("LEASE_S", "inf"),
        ("LOG_LEVEL", "loud"),
        ("TASK_SOFT_TIME_LIMIT_S", "31"),
        ("BROKER_URL", "amqp://h"),
        ("MODEL_DIR", "/nowhere/at/all"),
        ("FAILPOINT", "worker"),
    ],
)
def test_wrong_setting_is_named(environment: dict[str, str], name: str, value: str) -> None:
    environment[name] = value

    with pytest.raises(SettingsError, match=name):
        read_settings(environment)


def test_secrets_are_not_shown(environment: dict[str, str]) -> None:
    assert "hush" not in repr(read_settings(environment))


@pytest.mark.parametrize("text", ["", "0"])
def test_metrics_may_be_off(environment: dict[str, str], text: str) -> None:
    assert read_settings(environment | {"WORKER_METRICS_PORT": text}).worker_metrics_port == 0


def test_metrics_need_a_folder(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="PROMETHEUS_MULTIPROC_DIR"):
        read_settings(environment | {"WORKER_METRICS_PORT": "19095"})
