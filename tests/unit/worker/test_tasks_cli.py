"""The command line: what it asks, prints and exits with."""

import json
from datetime import UTC, datetime

import pytest
from inference_worker.tasks_cli.commands import create_cli
from inference_worker.tasks_cli.fake_task_book import FakeTaskBook
from inference_worker.tasks_cli.task_book import Filters, Task, TaskDetails, Transition
from typer.testing import CliRunner, Result

FAILED = "11111111-1111-4111-8111-111111111111"
DONE = "22222222-2222-4222-8222-222222222222"
NOBODY = "33333333-3333-4333-8333-333333333333"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def details(task_id: str, status: str) -> TaskDetails:
    task = Task(
        task_id, status, "iris", "1", "[red]ann", 3, AT, AT, AT, "gave up" if status == "failed" else None
    )
    story = (
        Transition(AT, None, "queued", 0, "predict"),
        Transition(AT, "running", status, 3, "worker celery@host/7"),
    )
    return TaskDetails(task, story, None, AT, None, "celery@host/7", "request-1", [[1.0]], None)


@pytest.fixture
def book() -> FakeTaskBook:
    return FakeTaskBook({FAILED: details(FAILED, "failed"), DONE: details(DONE, "succeeded")})


def tasks(book: FakeTaskBook, *arguments: str) -> Result:
    return CliRunner().invoke(create_cli(lambda: book), arguments)


def test_list_prints_a_line_a_task(book: FakeTaskBook) -> None:
    result = tasks(book, "list")

    assert result.exit_code == 0
    assert [FAILED in line for line in result.stdout.splitlines()] == [False, True, False]
    assert "[red]ann" in result.stdout
    assert book.asked == [Filters()]


def test_list_passes_its_filters_on(book: FakeTaskBook) -> None:
    filters = ("--status", "failed", "--model", "iris", "--caller", "ann", "--since", "1.5h", "--limit", "7")
    tasks(book, "list", *filters)

    assert book.asked == [Filters("failed", "iris", "ann", 5400.0, 7)]


def test_list_as_json_is_for_machines(book: FakeTaskBook) -> None:
    listed = json.loads(tasks(book, "list", "--json").stdout)

    assert [task["task_id"] for task in listed] == [FAILED, DONE]
    assert listed[0]["submitted_at"] == "2026-01-02T03:04:05+00:00"


def test_empty_list_says_so() -> None:
    assert tasks(FakeTaskBook(), "list").stdout == "no tasks\n"
    assert json.loads(tasks(FakeTaskBook(), "list", "--json").stdout) == []


def test_show_tells_the_story(book: FakeTaskBook) -> None:
    result = tasks(book, "show", FAILED)

    assert result.exit_code == 0
    assert "gave up" in result.stdout
    assert "worker celery@host/7" in result.stdout


def test_show_as_json_holds_the_story(book: FakeTaskBook) -> None:
    shown = json.loads(tasks(book, "show", FAILED, "--json").stdout)

    assert shown["task"]["error"] == "gave up"
    assert [step["to_status"] for step in shown["story"]] == ["queued", "failed"]


def test_unknown_task_is_refused_with_its_id(book: FakeTaskBook) -> None:
    result = tasks(book, "show", NOBODY)

    assert result.exit_code == 1
    assert result.stderr == f"tasks: there is no task {NOBODY}\n"


def test_failed_task_is_queued_again(book: FakeTaskBook) -> None:
    result = tasks(book, "requeue", FAILED.upper())

    assert (result.exit_code, book.requeued) == (0, [FAILED])


def test_all_failed_tasks_are_queued_again(book: FakeTaskBook) -> None:
    result = tasks(book, "requeue", "--all-failed", "--model", "iris")

    assert result.stdout == "queued again: 1\n"
    assert book.requeued == [FAILED]


@pytest.mark.parametrize("verb", ["requeue", "cancel"])
def test_task_that_succeeded_is_left_alone(book: FakeTaskBook, verb: str) -> None:
    assert tasks(book, verb, DONE).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "7"),
        ("requeue",),
        ("requeue", FAILED, "--all-failed"),
        ("requeue", FAILED, "--model", "iris"),
        ("list", "--since", "yesterday"),
        ("list", "--limit", "0"),
        ("list", "--status", "lost"),
        ("cancel",),
    ],
)
def test_wrong_usage_is_told_and_asks_nothing(book: FakeTaskBook, arguments: tuple[str, ...]) -> None:
    result = tasks(book, *arguments)

    assert result.exit_code == 2
    assert (book.asked, book.requeued, book.cancelled) == ([], [], [])


def test_postgres_that_does_not_answer_is_one_line() -> None:
    result = tasks(FakeTaskBook(unavailable=True), "list")

    assert (result.exit_code, result.stderr) == (3, "tasks: Postgres did not answer\n")
