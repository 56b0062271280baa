"""The use case without Postgres, Celery or a model library."""

import math
from dataclasses import dataclass, field

import pytest
from inference_contract.job import FeatureRow, JobStatus, ModelId, Prediction
from inference_worker.errors import StoreUnavailableError
from inference_worker.run_prediction import NOT_FINITE, TOO_SLOW, Claim, ClaimedJob, RunPrediction
from inference_worker.testing import FakeJobStore, FakeModel, FakeModels, renew_once

IRIS = ModelId("iris", "1")
WOKEN = "woken"


class TooLongError(Exception):
    """What the pool raises at the soft limit."""


@dataclass
class World:
    store: FakeJobStore = field(default_factory=FakeJobStore)
    model: FakeModel = field(default_factory=FakeModel)

    def run(self, *jobs: ClaimedJob, model: ModelId = IRIS) -> int:
        self.store.claims = {WOKEN: Claim(model, jobs)} if jobs else {}
        return RunPrediction(self.store, FakeModels({IRIS: self.model}), renew_once, TooLongError)(WOKEN)

    def status(self, task_id: str) -> JobStatus:
        return self.store.outcomes[task_id].status

    def error(self, task_id: str) -> str | None:
        return self.store.outcomes[task_id].error


def job(task_id: str, *values: float, attempt: int = 1) -> ClaimedJob:
    return ClaimedJob(task_id, attempt, tuple((value,) for value in values), None, 0.1)


def refusing(value: float, error: BaseException) -> FakeModel:
    def answer(rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        if (value,) in rows:
            raise error
        return FakeModel().predict(rows)

    return FakeModel(answer)


def test_wake_up_without_a_claim_asks_no_model() -> None:
    world = World()

    assert world.run() == 0
    assert world.model.calls == []


def test_batch_is_one_call_and_answers_go_to_their_jobs() -> None:
    world = World()

    assert world.run(job("a", 1.0, 2.0), job("b", 3.0, attempt=2)) == 2

    assert world.model.calls == [3]
    labels = {name: [p.label for p in o.predictions or ()] for name, o in world.store.outcomes.items()}
    assert labels == {"a": ["1.0", "2.0"], "b": ["3.0"]}
    assert world.store.outcomes["b"].attempt == 2


def test_lease_is_kept_while_the_model_works() -> None:
    world = World()
    world.run(job("a", 1.0))

    assert len(world.store.renewed) == 1


@pytest.mark.parametrize(
    "error", [ValueError("no good\nsecret"), MemoryError("no good"), SystemExit("no good")]
)
def test_job_that_makes_the_batch_fail_fails_alone(error: BaseException) -> None:
    world = World(model=refusing(13.0, error))

    world.run(job("good", 1.0), job("bad", 13.0))

    assert world.model.calls == [2, 1, 1]
    assert world.status("good") is JobStatus.SUCCEEDED
    assert world.status("bad") is JobStatus.FAILED
    assert world.error("bad") == f"the model failed: {type(error).__name__}: no good"


def test_reason_holds_nothing_that_postgres_would_refuse() -> None:
    world = World(model=refusing(13.0, ValueError("a\0b \ud800 ü")))

    world.run(job("bad", 13.0))

    assert world.error("bad") == "the model failed: ValueError: ab ? ü"


def test_wrong_number_of_answers_is_a_failure() -> None:
    world = World(model=FakeModel(lambda _: ()))

    world.run(job("a", 1.0))

    assert world.error("a") == "the model gave 0 answers for 1 rows"


@pytest.mark.parametrize("probability", [math.nan, math.inf])
def test_answer_that_is_not_finite_fails_only_its_job(probability: float) -> None:
    def answer(rows: tuple[FeatureRow, ...]) -> tuple[Prediction, ...]:
        return tuple(Prediction("x", {"x": probability if row == (13.0,) else 1.0}) for row in rows)

    world = World(model=FakeModel(answer))
    world.run(job("good", 1.0), job("bad", 13.0))

    assert world.status("good") is JobStatus.SUCCEEDED
    assert world.error("bad") == NOT_FINITE


def test_model_that_is_not_served_fails_with_its_name() -> None:
    world = World()
    world.run(job("a", 1.0), model=ModelId("other", "9"))

    assert world.error("a") == "model other 9 is not served here"


def test_batch_at_its_time_limit_is_given_back() -> None:
    world = World(model=refusing(13.0, TooLongError()))

    world.run(job("good", 1.0), job("slow", 13.0))

    assert len(world.store.given_back) == 1
    assert world.store.outcomes == {}


def test_job_alone_at_its_time_limit_fails_with_the_reason() -> None:
    world = World(model=refusing(13.0, TooLongError()))

    world.run(job("slow", 13.0))

    assert world.error("slow") == TOO_SLOW


def test_result_of_a_lost_claim_is_dropped_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World(store=FakeJobStore(lost={"late"}))

    world.run(job("late", 1.0), job("held", 2.0))

    assert set(world.store.outcomes) == {"held"}
    assert "claim lost, result dropped" in caplog.text


def test_store_that_does_not_answer_is_no_failure_of_the_job() -> None:
    world = World(store=FakeJobStore(unavailable=True))

    with pytest.raises(StoreUnavailableError):
        world.run(job("a", 1.0))
    assert world.store.outcomes == {}


def test_failpoint_stands_after_the_results_are_written() -> None:
    world = World()
    written: list[set[str]] = []
    world.store.claims = {WOKEN: Claim(IRIS, (job("a", 1.0),))}

    RunPrediction(
        world.store,
        FakeModels({IRIS: world.model}),
        renew_once,
        TooLongError,
        after_store=lambda: written.append(set(world.store.outcomes)),
    )(WOKEN)

    assert written == [{"a"}]
