"""The stages of an environment over a fake run: what is told, what is logged, what is tried again."""

from dataclasses import dataclass, field

import pytest
from localstack_process_executor.events import (
    Event,
    Exited,
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Responded,
    TooLarge,
)
from localstack_process_executor.log_lines import LogLines
from localstack_process_executor.platform_log import TextPlatformLog
from localstack_process_executor.sandbox import Events, FunctionLimits, RuntimeVersion, Sandbox

INVOCATION = Invocation("id-1", b"{}", "arn", 0)
SHORT_S = 0.05


@dataclass
class FakeRun:
    """A run that does as it is told: `script` are its events at the start, `answers` to an invocation."""

    events: Events
    script: list[Event]
    answers: list[Event]
    takes: bool = True
    pid: int | None = 42
    ended: list[bool] = field(default_factory=list)
    offered: list[Invocation] = field(default_factory=list)

    def __post_init__(self) -> None:
        for event in self.script:
            self.events.put(event)

    def offer(self, invocation: Invocation) -> None:
        self.offered.append(invocation)
        for event in self.answers:
            self.events.put(event)

    def has_taken(self, invocation: Invocation) -> bool:
        return self.takes and invocation in self.offered

    def drain(self) -> None:
        """Nothing is written."""

    def end(self, *, at_once: bool) -> None:
        self.ended.append(at_once)

    def wait_until_gone(self, timeout_s: float) -> bool:
        return timeout_s > 0

    def memory_high_water_bytes(self) -> int:
        return 20 * 1024 * 1024


Made = tuple[Sandbox, list[FakeRun]]


def sandbox(*plans: tuple[list[Event], list[Event]], takes: bool = True) -> Made:
    """A sandbox whose runs follow the plans, one after the other."""
    runs: list[FakeRun] = []
    left = list(plans)

    def start(events: Events) -> FakeRun:
        script, answers = left.pop(0)
        runs.append(FakeRun(events, script, answers, takes))
        return runs[-1]

    limits = FunctionLimits(SHORT_S, 128, SHORT_S, 1000, "7")
    lines = LogLines(lambda _lines: None)
    return Sandbox(start, limits, lines, TextPlatformLog(), RuntimeVersion("name", "arn")), runs


READY: list[Event] = [Ready()]
ANSWER: list[Event] = [Responded("id-1", b"1")]


def test_one_run_serves_all_invocations_and_reports_its_init_once() -> None:
    box, runs = sandbox((READY, ANSWER))
    assert box.start() is None
    first, second = box.invoke(INVOCATION), box.invoke(INVOCATION)
    assert first.payload == second.payload == b"1"
    assert len(runs) == 1
    assert first.logs.startswith(
        "INIT_START Runtime Version: name\tRuntime Version ARN: arn\nSTART RequestId: id-1"
    )
    assert "Init Duration" in first.logs
    assert "Init Duration" not in second.logs
    assert "Max Memory Used: 20 MB" in first.logs


def test_failed_init_is_tried_again_at_the_first_invocation() -> None:
    box, runs = sandbox(([InitFailed(b"why", "Runtime.X")], []), (READY, ANSWER))
    assert box.start() is not None
    outcome = box.invoke(INVOCATION)
    assert outcome.failure is None
    assert len(runs) == 2
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.X\n" in outcome.logs
    assert "Init Duration: " not in outcome.logs.splitlines()[-1]


def test_init_that_fails_twice_is_the_answer() -> None:
    box, _ = sandbox(([InitFailed(b"why", "Runtime.X")], []), ([InitFailed(b"why", "Runtime.X")], []))
    box.start()
    outcome = box.invoke(INVOCATION)
    assert outcome.payload == b"why"
    lines = outcome.logs.splitlines()
    assert "Phase: invoke" in lines[2]
    assert lines[3].startswith("START")
    assert lines[5].endswith("\tStatus: error\tError Type: Runtime.X\t")


def test_run_that_ended_while_idle_is_replaced_before_the_next_invocation() -> None:
    box, runs = sandbox((READY, [*ANSWER, Exited(exit_code=1)]), (READY, ANSWER))
    box.start()
    assert box.invoke(INVOCATION).failure is None
    assert box.invoke(INVOCATION).failure is None
    assert len(runs) == 2


def test_invocation_that_a_dying_run_never_took_goes_to_a_new_one() -> None:
    box, runs = sandbox((READY, [Exited(exit_code=1)]), (READY, ANSWER), takes=False)
    box.start()
    assert box.invoke(INVOCATION).payload == b"1"
    assert len(runs) == 2


def test_invocation_that_was_taken_is_never_run_twice() -> None:
    box, runs = sandbox((READY, [Exited(exit_code=1)]), (READY, ANSWER))
    box.start()
    outcome = box.invoke(INVOCATION)
    assert outcome.failure is not None
    assert outcome.failure.error_type == "Runtime.ExitError"
    assert len(runs) == 1


def test_time_out_kills_the_run() -> None:
    box, runs = sandbox((READY, []))
    box.start()
    outcome = box.invoke(INVOCATION)
    assert outcome.failure is not None
    assert outcome.failure.status == "timeout"
    assert runs[0].ended == [True]


def test_late_answer_of_another_invocation_is_not_mistaken() -> None:
    box, _ = sandbox((READY, [Responded("older", b"old"), *ANSWER]))
    box.start()
    assert box.invoke(INVOCATION).payload == b"1"


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [(Failed("id-1", b"e", "ValueError"), "ValueError"), (TooLarge("id-1"), "Function.ResponseSizeTooLarge")],
)
def test_error_leaves_the_run_alone(answer: Event, error_type: str) -> None:
    box, runs = sandbox((READY, [answer]))
    box.start()
    outcome = box.invoke(INVOCATION)
    assert outcome.failure is not None
    assert outcome.failure.error_type == error_type
    assert runs[0].ended == []


def test_stopped_environment_starts_nothing() -> None:
    box, runs = sandbox((READY, ANSWER))
    box.start()
    box.stop(at_once=False)
    assert runs[0].ended == [False]
    assert box.wait_until_gone(1.0)
    runs[0].events.put(Exited(exit_code=0))
    outcome = box.invoke(INVOCATION)
    assert outcome.failure is not None
    assert len(runs) == 1


def test_out_of_memory_is_named_in_the_report_only() -> None:
    box, _ = sandbox((READY, [Exited(signal=9, over_memory=True)]))
    box.start()
    outcome = box.invoke(INVOCATION)
    assert b'"errorType":"Runtime.ExitError"' in outcome.payload
    assert outcome.logs.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\t\n")
