"""The environment: a missing or wrong variable stops the start with its name, never its value."""

import pytest
from inference_api.errors import SettingsError
from inference_api.settings import Settings
from inference_api.shedding import Limits

GOOD = {"DATABASE_URL": "postgresql://u:pass@h/d", "BROKER_URL": "redis://:pass@h:6379/0"}


def test_defaults() -> None:
    settings = Settings.from_environment(GOOD, "predict")
    assert (settings.log_level, settings.service, settings.metrics_namespace) == (
        "INFO",
        "predict",
        "inference",
    )


def test_powertools_variables_win() -> None:
    named = {"POWERTOOLS_SERVICE_NAME": "other", "POWERTOOLS_METRICS_NAMESPACE": "shop", "LOG_LEVEL": "debug"}
    settings = Settings.from_environment(GOOD | named, "predict")
    assert (settings.log_level, settings.service, settings.metrics_namespace) == ("DEBUG", "other", "shop")


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_missing_address_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in (GOOD | {name: value}).items() if text is not None}
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(environment, "predict")


def test_metrics_are_pushed_only_where_there_is_an_address() -> None:
    assert Settings.from_environment(GOOD, "predict").pushgateway_url == ""
    address = {"PUSHGATEWAY_URL": " http://127.0.0.1:9091 "}
    assert Settings.from_environment(GOOD | address, "predict").pushgateway_url == "http://127.0.0.1:9091"
    with pytest.raises(SettingsError, match="PUSHGATEWAY_URL"):
        Settings.from_environment(GOOD | {"PUSHGATEWAY_URL": "127.0.0.1:9091"}, "predict")


def test_failpoint_is_off_unless_a_known_one_is_named() -> None:
    assert Settings.from_environment(GOOD, "predict").failpoint == ""
    named = Settings.from_environment(GOOD | {"FAILPOINT": "predict.after_commit"}, "predict")
    assert named.failpoint == "predict.after_commit"
    with pytest.raises(SettingsError, match="FAILPOINT is none of predict"):
        Settings.from_environment(GOOD | {"FAILPOINT": "predict"}, "predict")


def test_unknown_log_level_is_refused() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        Settings.from_environment(GOOD | {"LOG_LEVEL": "LOUD"}, "predict")


def test_passwords_are_not_in_the_repr() -> None:
    assert "pass" not in repr(Settings.from_environment(GOOD, "predict"))


def test_limits_are_settings_with_defaults() -> None:
    assert Settings.from_environment(GOOD, "predict").limits == Limits(of_caller=1000, in_all=5000)
    own = GOOD | {"MAX_OPEN_PER_CALLER": "7", "MAX_OPEN_IN_ALL": "70"}
    assert Settings.from_environment(own, "predict").limits == Limits(of_caller=7, in_all=70)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "²"])
def test_limit_that_is_no_number_above_zero_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="MAX_OPEN_IN_ALL"):
        Settings.from_environment(GOOD | {"MAX_OPEN_IN_ALL": value}, "predict")
