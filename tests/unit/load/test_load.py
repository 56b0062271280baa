"""Arrivals come at their own time, each is followed to its end, and the table tells all."""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from load.arrivals import Plan, body
from load.journey import LONGEST_PAUSE_S, Answer, Journey
from load.report import show_table
from load.tally import Tally, quantile

QUEUED = Answer(200, {"status": "queued"})
SUCCEEDED = Answer(200, {"status": "succeeded"})
ACCEPTED = Answer(202, {"task_id": "a"})
BUSY = Answer(503, {}, retry_after_s=1.0)
NO_ANSWER = Answer(0, {})


@dataclass
class FakeApi:
    """Answers from a list, each after its time; the last one for ever."""

    answers: list[Answer]
    takes_s: float = 1.0
    now_s: float = 100.0
    pauses: list[float] = field(default_factory=list)
    looked: list[tuple[str, int]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds

    def submit(self, body: Mapping[str, object]) -> Answer:
        assert body == {"features": [1.0]}
        return self._next()

    def look(self, task_id: str, wait_s: int) -> Answer:
        self.looked.append((task_id, wait_s))
        return self._next()

    def _next(self) -> Answer:
        self.now_s += self.takes_s
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def gone_through(*answers: Answer, patience_s: float = 60.0) -> tuple[Tally, FakeApi]:
    api, tally = FakeApi(list(answers)), Tally()
    Journey(api, tally, api.clock, api.pause, patience_s)({"features": [1.0]}, due_at=99.5)
    return tally, api


def test_accepted_job_is_followed_to_its_result_and_timed_from_when_it_was_due() -> None:
    tally, api = gone_through(ACCEPTED, QUEUED, SUCCEEDED)
    assert (tally.begun, tally.accepted, tally.completed, tally.open) == (1, 1, 1, 0)
    assert (tally.lateness_s, tally.submit_s, tally.end_to_end_s) == ([0.5], [1.5], [3.5])
    assert (api.pauses, api.looked) == ([], [("a", 10)] * 2)
    assert tally.is_well


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_job_without_a_result_has_ended_too(status: str) -> None:
    tally, _ = gone_through(ACCEPTED, Answer(200, {"status": status}))
    assert (tally.completed, tally.failed, tally.lost) == (0, 1, 0)
    assert tally.is_well


@pytest.mark.parametrize("status", [429, 503])
def test_refusal_says_when_to_come_again_and_is_not_repeated(status: int) -> None:
    tally, _ = gone_through(Answer(status, {}, retry_after_s=5.0))
    assert (tally.refused, tally.broken, tally.accepted) == (1, 0, 0)
    assert not tally.is_well


@pytest.mark.parametrize("answer", [NO_ANSWER, Answer(500, {}), Answer(429, {}), Answer(422, {})])
def test_any_other_answer_to_a_submit_is_broken(answer: Answer) -> None:
    tally, _ = gone_through(answer)
    assert (tally.refused, tally.broken) == (0, 1)


def test_busy_door_is_asked_again_later_each_time_and_the_job_is_not_lost() -> None:
    tally, api = gone_through(ACCEPTED, NO_ANSWER, BUSY, BUSY, BUSY, NO_ANSWER, NO_ANSWER, SUCCEEDED)
    assert (tally.completed, tally.lost) == (1, 0)
    assert api.pauses == [0.2, 1.0, 1.0, 1.6, 3.2, LONGEST_PAUSE_S]


def test_job_that_does_not_end_in_time_is_lost() -> None:
    tally, api = gone_through(ACCEPTED, QUEUED, patience_s=10)
    assert (tally.lost, tally.open, tally.is_well) == (1, 0, False)
    assert api.now_s < 99.5 + 10 + 2


@pytest.mark.parametrize("status", [404, 410])
def test_job_that_is_not_there_is_lost(status: int) -> None:
    assert gone_through(ACCEPTED, Answer(status, {}))[0].lost == 1


def test_arrivals_are_due_at_their_rate_whatever_happens() -> None:
    plan = Plan(rate_per_s=4, seconds=1.5, batch=0)
    assert list(plan.due_s()) == [0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert plan.arrivals == 6


@pytest.mark.parametrize(("batch", "member"), [(0.0, "features"), (1.0, "instances")])
def test_share_of_batches_is_kept(batch: float, member: str) -> None:
    chance = random.Random(1)  # noqa: S311 - made-up flowers
    contents = [body(Plan(1, 1, batch), chance) for _ in range(20)]
    assert {tuple(content) for content in contents} == {(member,)}


def test_flowers_are_such_as_the_training_saw() -> None:
    chance = random.Random(1)  # noqa: S311 - made-up flowers
    rows = [row for _ in range(300) if isinstance(row := body(Plan(1, 1, 0), chance)["features"], list)]
    means = [sum(row[index] for row in rows) / len(rows) for index in range(4)]
    assert means == pytest.approx([5.84, 3.06, 3.76, 1.20], abs=0.2)
    assert min(min(row) for row in rows) >= 0.1


@pytest.mark.parametrize(("q", "expected"), [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1, 100.0), (0.0, 1.0)])
def test_quantile_is_a_value_that_was_seen(q: float, expected: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], q) == expected


def test_quantile_of_nothing_is_zero() -> None:
    assert quantile([], 0.5) == 0.0


def table(tally: Tally) -> str:
    output = io.StringIO()
    show_table(Console(file=output, width=120, highlight=False), Plan(2, 1, 0.1), tally)
    return output.getvalue()


def test_table_tells_every_outcome_and_quantile() -> None:
    text = table(Tally(begun=3, refused=1, completed=2, submit_s=[0.01, 0.03], end_to_end_s=[0.5, 0.75]))
    rows = {tuple(line.split()[:2]) for line in text.splitlines() if line.split()}
    assert {("accepted", "2"), ("refused", "1"), ("completed", "2"), ("failed", "0"), ("lost", "0")} <= rows
    assert "10 ms" in text
    assert "750 ms" in text
    assert "not kept" not in text


def test_generator_that_was_late_says_so() -> None:
    assert "one arrival in a hundred was 250 ms late" in table(Tally(lateness_s=[0.0, 0.25]))
