"""A setting that Celery or kombu does not know is silently ignored: so each name is checked here."""

from pathlib import Path

import pytest
from celery.app.defaults import DEFAULTS
from inference_worker.celery_settings import celery_settings
from inference_worker.guarded_redis import Channel
from inference_worker.settings import Settings

NOT_AN_OPTION = {"visibility_timeout"}
"""Read by Celery's result backends from the top level, though it is in no list of options."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("postgresql://", "redis://", tmp_path)


def test_every_option_is_known_to_celery(settings: Settings) -> None:
    assert set(celery_settings(settings)) - NOT_AN_OPTION <= set(DEFAULTS)


def test_every_transport_option_is_known_to_kombu(settings: Settings) -> None:
    options = celery_settings(settings)["broker_transport_options"]

    assert set(options) <= {*Channel.from_transport_options}
    assert all(hasattr(Channel, name) for name in options)


def test_message_stays_hidden_for_longer_than_a_task_may_run(settings: Settings) -> None:
    options = celery_settings(settings)

    assert options["broker_transport_options"]["visibility_timeout"] > settings.task_time_limit_s


def test_celery_keeps_no_time_limit_of_its_own(settings: Settings) -> None:
    assert {"task_time_limit", "task_soft_time_limit"}.isdisjoint(celery_settings(settings))
