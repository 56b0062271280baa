"""A worker counts as alive only once its models are known."""

from inference_worker.heartbeat import Heartbeat
from inference_worker.model_metadata import ModelMetadata
from inference_worker.testing import FakeRegistry

IRIS = ModelMetadata("iris", "1", "sklearn_skops", "model.skops", "digest", ("a",), ("b",))


def heartbeat(registry: FakeRegistry) -> Heartbeat:
    return Heartbeat(registry, "one", (IRIS,), every_s=60.0)


def test_models_are_registered_once_and_before_the_first_beat() -> None:
    registry = FakeRegistry()
    beating = heartbeat(registry)

    beating.beat_once()
    beating.beat_once()

    assert registry.models == [IRIS]
    assert registry.beats == [True, False]


def test_beat_that_postgres_missed_is_made_up_for() -> None:
    registry = FakeRegistry(unavailable=True)
    beating = heartbeat(registry)
    beating.beat_once()
    registry.unavailable = False

    beating.beat_once()

    assert registry.models == [IRIS]
    assert registry.beats == [True]


def test_worker_that_stops_is_removed() -> None:
    registry = FakeRegistry()
    beating = heartbeat(registry)
    beating.start()

    beating.stop()
    beating.stop()

    assert registry.workers == set()


def test_worker_stops_though_postgres_is_gone() -> None:
    registry = FakeRegistry()
    beating = heartbeat(registry)
    beating.start()
    registry.unavailable = True

    beating.stop()

    assert registry.workers in ({"one"}, set())
