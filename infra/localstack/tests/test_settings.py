"""Settings: read once, refused by name."""

import sys
from pathlib import Path

import pytest
from localstack_process_executor.errors import SettingsError
from localstack_process_executor.settings import Settings, read_settings


def test_nothing_set_means_the_documented_defaults() -> None:
    settings = read_settings({"PATH": "/bin", "LAMBDA_PROCESS_LOG_FILE": ""})
    assert settings == Settings(interpreters={}, uid_range=range(2_100_000, 2_101_000))
    assert (settings.max_environments, settings.stop_grace_ms, settings.init_timeout_s) == (50, 500, 10.0)
    assert settings.gateway_direct is True


def test_everything_set_is_read(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "LAMBDA_PROCESS_RUNTIME_DIR": str(tmp_path),
            "LAMBDA_PROCESS_PYTHON_3_13": sys.executable,
            "LAMBDA_PROCESS_LOG_FILE": str(tmp_path / "log"),
            "LAMBDA_PROCESS_MAX_ENVIRONMENTS": "3",
            "LAMBDA_PROCESS_STOP_GRACE_MS": "0",
            "LAMBDA_PROCESS_UID_RANGE": "7-9",
            "LAMBDA_PROCESS_GATEWAY_DIRECT": "0",
            "LAMBDA_PROCESS_INIT_TIMEOUT_S": "2.5",
        }
    )
    assert settings.runtime_dir == tmp_path
    assert settings.interpreters == {"python3.13": Path(sys.executable)}
    assert settings.log_file == tmp_path / "log"
    assert (settings.max_environments, settings.stop_grace_ms, settings.init_timeout_s) == (3, 0, 2.5)
    assert settings.uid_range == range(7, 10)
    assert settings.gateway_direct is False


def test_uid_range_off_means_the_same_user() -> None:
    assert read_settings({"LAMBDA_PROCESS_UID_RANGE": "off"}).uid_range is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNTIME_DIR", "/no/such/folder"),
        ("RUNTIME_DIR", "relative"),
        ("PYTHON_3_13", "/no/such/python"),
        ("LOG_FILE", "relative.log"),
        ("MAX_ENVIRONMENTS", "0"),
        ("MAX_ENVIRONMENTS", "many"),
        ("STOP_GRACE_MS", "-1"),
        ("UID_RANGE", "0-10"),
        ("UID_RANGE", "10-9"),
        ("UID_RANGE", "nobody"),
        ("GATEWAY_DIRECT", "yes"),
        ("INIT_TIMEOUT_S", "0"),
        ("INIT_TIMEOUT_S", "nan"),
        ("INIT_TIMEOUT_S", "inf"),
        ("NO_SUCH_SETTING", "1"),
    ],
)
def test_wrong_value_is_refused_with_the_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"LAMBDA_PROCESS_{name}"):
        read_settings({f"LAMBDA_PROCESS_{name}": value})
