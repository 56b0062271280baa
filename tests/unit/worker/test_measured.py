"""What the use cases tell whoever measures them."""

from dataclasses import dataclass, field

from inference_contract.job import ModelId
from inference_worker.measurements import Fate, MeasuredCall, MeasuredSweep
from inference_worker.run_prediction import Claim, ClaimedJob, RunPrediction
from inference_worker.sweeper import Sweep, TakenBack, WakeUp
from inference_worker.testing import (
    FakeBroker,
    FakeJobStore,
    FakeMeasurements,
    FakeModel,
    FakeModels,
    FakeSweepStore,
    renew_once,
)

IRIS = ModelId("iris", "1")
WOKEN = "woken"


class TooLongError(Exception):
    """What the pool raises at the soft limit."""


@dataclass
class World:
    store: FakeJobStore = field(default_factory=FakeJobStore)
    model: FakeModel = field(default_factory=FakeModel)
    told: FakeMeasurements = field(default_factory=FakeMeasurements)
    now_s: float = 0.0

    def clock(self) -> float:
        self.now_s += 1
        return self.now_s

    def run(self, *jobs: ClaimedJob) -> None:
        self.store.claims = {WOKEN: Claim(IRIS, jobs)} if jobs else {}
        models = FakeModels({IRIS: self.model})
        RunPrediction(self.store, models, renew_once, TooLongError, self.told, self.clock)(WOKEN)


def job(task_id: str, *values: float) -> ClaimedJob:
    return ClaimedJob(task_id, 1, tuple((value,) for value in values), None, 0.5)


def raising(error: BaseException) -> FakeModel:
    def answer(_rows: object) -> tuple[()]:
        raise error

    return FakeModel(answer)


def test_batch_is_one_call_and_each_job_has_its_fate() -> None:
    world = World(FakeJobStore(lost={"b"}))

    world.run(job("a", 1.0, 2.0), job("b", 3.0))

    assert world.told.calls == [MeasuredCall(IRIS, jobs=2, rows=3, seconds=1.0)]
    [claim] = world.told.claims
    assert claim.model == IRIS
    assert claim.held_s == 3.0
    assert [each.fate for each in claim.jobs] == [Fate.SUCCEEDED, Fate.DROPPED]
    assert [len(each.predictions) for each in claim.jobs] == [2, 1]
    assert claim.jobs[0].rows == ((1.0,), (2.0,))
    assert claim.jobs[0].queued_s == 0.5


def test_calls_of_a_batch_that_is_run_alone_count_each() -> None:
    world = World(model=raising(ValueError()))

    world.run(job("a", 1.0), job("b", 2.0))

    assert [call.jobs for call in world.told.calls] == [2, 1, 1]
    assert [each.fate for each in world.told.claims[0].jobs] == [Fate.FAILED, Fate.FAILED]


def test_batch_that_took_too_long_was_given_back() -> None:
    world = World(model=raising(TooLongError()))

    world.run(job("a", 1.0), job("b", 2.0))

    assert [each.fate for each in world.told.claims[0].jobs] == [Fate.GIVEN_BACK, Fate.GIVEN_BACK]
    assert len(world.told.calls) == 1


def test_late_wake_up_is_nothing_to_count() -> None:
    world = World()

    world.run()

    assert (world.told.calls, world.told.claims) == ([], [])


def test_sweep_tells_what_it_did_by_action() -> None:
    told = FakeMeasurements()
    lapsed = tuple(TakenBack(str(number), 1, None, gave_up=number == 0) for number in range(3))
    store = FakeSweepStore(lapsed=lapsed, queued=[WakeUp("a", None), WakeUp("b", None)])

    Sweep(store, FakeBroker(), 10, told)()

    assert told.sweeps == [MeasuredSweep(wake_ups_sent=2, queued_again=2, failed_for_good=1)]


def test_sweep_without_a_broker_is_a_sweep_all_the_same() -> None:
    told = FakeMeasurements()

    Sweep(FakeSweepStore(), FakeBroker(works_for=0), 10, told)()

    assert told.sweeps == [MeasuredSweep(0, 0, 0)]
