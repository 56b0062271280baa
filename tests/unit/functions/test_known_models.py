"""The memory of models: asked rarely, yet a new model or default is seen soon."""

import pytest
from inference_api.errors import DatabaseUnavailableError, UnknownModelError
from inference_contract.job import Model, ModelId
from known_models import FRESH_S, MISS_PAUSE_S, KnownModels
from submit_fakes import IRIS, FakeRegistry

IRIS_2 = Model(ModelId("iris", "2"), IRIS.feature_names, IRIS.classes)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def models(registry: FakeRegistry, clock: Clock) -> KnownModels:
    return KnownModels(registry, clock)


def test_warm_lookup_does_not_ask_again(models: KnownModels, registry: FakeRegistry, clock: Clock) -> None:
    models.find("iris", None)
    clock.now_s += FRESH_S - 1
    models.find("iris", "1")
    assert registry.reads == 1


def test_new_default_is_seen_when_the_memory_is_old(
    models: KnownModels, registry: FakeRegistry, clock: Clock
) -> None:
    assert models.find("iris", None) == IRIS
    registry.models = (IRIS_2, IRIS)
    clock.now_s += FRESH_S
    assert models.find("iris", None) == IRIS_2
    assert models.find("iris", "1") == IRIS


def test_new_version_is_found_before_the_memory_is_old(
    models: KnownModels, registry: FakeRegistry, clock: Clock
) -> None:
    models.find("iris", None)
    registry.models = (IRIS_2, IRIS)
    clock.now_s += MISS_PAUSE_S
    assert models.find("iris", "2") == IRIS_2


def test_flood_of_unknown_names_asks_once_a_pause(models: KnownModels, registry: FakeRegistry) -> None:
    for _ in range(20):
        with pytest.raises(UnknownModelError):
            models.find("rose", None)
    assert registry.reads == 1


def test_dead_registry_is_not_remembered(models: KnownModels, registry: FakeRegistry) -> None:
    registry.down = True
    with pytest.raises(DatabaseUnavailableError):
        models.find("iris", None)
    registry.down = False
    assert models.find("iris", None) == IRIS
