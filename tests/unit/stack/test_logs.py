"""Lines of all parts become one log: each with its time, in order, over rotations, by task."""

import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from stack.errors import StackError
from stack.logs.entries import entries_of, in_order
from stack.logs.follow import TAIL_BYTES, Follower
from stack.logs.search import checked_id, way_of
from stack.logs.times import time_of
from stack.logs.view import show

TASK = "3d70fd9e-7958-40de-83e5-4a01fa3579e6"
OTHER = "9a70fd9e-7958-40de-83e5-4a01fa3579e6"
NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)


def here(at: datetime) -> datetime:
    """The moment at which this machine's own clock shows these figures."""
    return at.replace(tzinfo=None).astimezone()


def second(number: int, **members: object) -> str:
    return json.dumps({"message": "m", "timestamp": f"2026-11-22 12:00:{number:02},000+0000", **members})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"level": "INFO", "timestamp": "2026-11-22 14:00:00,250+0200", "service": "worker"}', NOON),
        ('{"timestamp":"2026-11-22T12:00:00.750+00:00","request_time_s":0.500}', NOON),
        ("2026-11-22T12:00:00.250Z inference-predict | START RequestId: 1", NOON),
        ("2026-11-22 12:00:00.250 UTC [81] LOG:  ready to accept connections", NOON),
        ('ts=2026-11-22T12:00:00.250Z caller=main.go:551 level=info msg="Starting"', NOON),
        ('time="2026-11-22T12:00:00.250Z" level=info msg="Redis Metrics Exporter"', NOON),
        ("logger=settings t=2026-11-22T12:00:00.25Z level=info", None),
        ("t=2026-11-22T12:00:00.25Z level=info logger=settings", NOON),
        ("2026-11-22T12:00:00.250  INFO --- [et.reactor-0] localstack : GET /", here(NOON)),
        ("2026-11-22 12:00:00,250 INFO spawned: 'postgres' with pid 8102", here(NOON)),
        ("8108:M 22 Nov 2026 12:00:00.250 * Ready to accept connections", here(NOON)),
        ("2026/11/22 12:00:00 [error] 12#12: *1 upstream timed out", here(NOON.replace(microsecond=0))),
        ("[I 261122 12:00:00 command:168] Visit me", here(NOON.replace(microsecond=0))),
        ("I1122 12:00:00.250000   1234 main.go:117] mtail", here(NOON)),
        ("I1231 12:00:00.250000   1234 main.go:117] mtail", here(datetime(2025, 12, 31, 12, 0, 0, 250_000))),  # noqa: DTZ001 - read as this machine's
        ("Traceback (most recent call last):", None),
        ("  File 2026-11-22 12:00:00,250, line 1", None),
        ("{not json", None),
        ('{"timestamp": 5}', None),
        ("2026-13-45 12:00:00,250 INFO no such day", None),
        ("", None),
    ],
)
def test_time_is_read_in_every_parts_own_form(line: str, expected: datetime | None) -> None:
    assert time_of(line, now=lambda: NOON) == expected


def test_lines_without_a_time_belong_to_the_line_before() -> None:
    lines = ["banner", second(1), "Traceback", "  File", second(2)]
    banner, failed, last = entries_of("worker", lines)
    assert banner.text == "banner"
    assert failed.text == "\n".join(lines[1:4])
    assert (last.at - failed.at).total_seconds() == 1
    assert in_order([last, failed, banner]) == [banner, failed, last]


def test_function_is_named_and_its_line_is_its_own() -> None:
    [entry] = entries_of("functions", ["2026-11-22T12:00:00.250Z inference-predict | " + second(9)])
    assert (entry.part, entry.at) == ("predict", NOON)
    assert entry.fields["message"] == "m"


def test_follower_gives_what_is_new_in_order_and_survives_a_rotation(tmp_path: Path) -> None:
    worker, beat = tmp_path / "worker.log", tmp_path / "beat.log"
    worker.write_text(f"{second(3)}\n{second(5)}\n")
    beat.write_text(f"{second(4)}\n{second(7)[:20]}")
    follower = Follower(tmp_path)

    assert [(entry.part, entry.at.second) for entry in follower.look()] == [
        ("worker", 3),
        ("beat", 4),
        ("worker", 5),
    ]
    assert follower.look() == []

    with worker.open("a") as file:
        file.write(second(6) + "\n")
    worker.rename(tmp_path / "worker.log.1")
    worker.write_text(second(8) + "\n")
    with beat.open("a") as file:
        file.write(second(7)[20:] + "\n")
    (tmp_path / "nginx.log").write_text(second(9) + "\n")
    assert [entry.at.second for entry in follower.look()] == [6, 7, 8, 9]


def test_follower_starts_anew_where_a_file_was_emptied(tmp_path: Path) -> None:
    log = tmp_path / "apt.log"
    log.write_text(f"{second(3)}\n{second(4)}\n")
    follower = Follower(tmp_path)
    follower.look()
    log.write_text(second(5) + "\n")
    assert [entry.at.second for entry in follower.look()] == [5]


def test_first_look_reads_the_end_of_a_long_file_only(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text(f"{second(1)}\n{'x' * TAIL_BYTES}\n{second(2)}\n")
    assert [entry.text for entry in Follower(tmp_path).look()] == [second(2)]


def test_one_part_is_followed_alone(tmp_path: Path) -> None:
    for part in ("worker", "beat"):
        (tmp_path / f"{part}.log").write_text(second(1) + "\n")
    assert {entry.part for entry in Follower(tmp_path, "beat").look()} == {"beat"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Logs in which a task and another came by, the first over a rotation."""
    request = {"correlation_id": "order"}
    predict = "2026-11-22T12:00:02.000Z inference-predict | "
    results = "2026-11-22T12:00:06.000Z inference-results | "
    lines = {
        "nginx.log": [
            second(2, path="/predict", request_time_s=1, **request),
            second(3, path="/predict", correlation_id="order-2"),
        ],
        "functions.log": [
            predict + second(2, task_id=TASK, **request),
            predict + second(2, task_id=OTHER, correlation_id="order-2"),
            results + second(6, task_id=TASK, correlation_id="lookup"),
        ],
        "worker.log.2": [second(3, message="model loaded", **request), "  of 2026", second(3)],
        "worker.log.1": [second(4, task_id=TASK, **request), second(4, task_id=OTHER)],
        "worker.log": [second(5, message=f"about {TASK}")],
        "notes.txt": [TASK],
    }
    for name, content in lines.items():
        (tmp_path / name).write_text("\n".join(content) + "\n")
    return tmp_path


@pytest.mark.parametrize("stored", [{"order"}, set()])
def test_way_of_a_task_is_its_lines_and_its_requests_in_order(folder: Path, stored: set[str]) -> None:
    way = way_of(folder, TASK, stored)
    assert [(entry.at.second, entry.part) for entry in way] == [
        (1, "nginx"),
        (2, "predict"),
        (3, "worker"),
        (4, "worker"),
        (5, "worker"),
        (6, "results"),
    ]
    assert way[2].text.endswith("\n  of 2026")
    assert not any(OTHER in entry.text or "order-2" in entry.text for entry in way)


@pytest.mark.parametrize(("stored", "said"), [(set(), "no row of it"), ({"r"}, "rotated away")])
def test_task_that_nobody_wrote_about_is_an_error(folder: Path, stored: set[str], said: str) -> None:
    with pytest.raises(StackError, match=said):
        way_of(folder, "00000000-0000-4000-8000-000000000000", stored)


def test_id_is_taken_as_logs_have_it() -> None:
    assert checked_id(f" {TASK.upper()}") == TASK


@pytest.mark.parametrize("text", ["", "worker", f"{TASK}0", "../../etc"])
def test_what_is_no_id_is_said_to_be_none(text: str) -> None:
    with pytest.raises(StackError, match="is not a task id"):
        checked_id(text)


def shown(line: str, *, terminal: bool = False) -> str:
    output = io.StringIO()
    [entry] = entries_of("worker", line.split("\n"))
    show(entry, Console(file=output, force_terminal=terminal, soft_wrap=True, highlight=False))
    return output.getvalue()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_line_without_a_time_is_shown_without_one(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert shown("no time at all") == f"{'':12} worker       no time at all\n"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_json_line_is_shown_as_its_message_and_what_matters() -> None:
    text = shown(second(1, level="INFO", location="f:1", task_id=TASK, status=202, model=""))
    assert text.endswith(f" worker       INFO m task_id={TASK} status=202\n")


def test_exception_is_shown_under_its_line() -> None:
    assert shown(second(1, exception="Traceback\n  File")).endswith("m\nTraceback\n  File\n")


def test_brackets_in_a_line_are_no_markup() -> None:
    assert "[red]x[/]" in shown("2026-11-22 12:00:00,250 INFO [red]x[/]")


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" in shown(second(1), terminal=True)
    assert "\x1b[" not in shown(second(1))
