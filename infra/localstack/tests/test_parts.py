"""The small parts, each by itself: code, variables, payloads, lines, users, places, rooms."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest
from localstack_process_executor import pinned
from localstack_process_executor.client_context import decoded_client_context
from localstack_process_executor.cloudwatch import LogEvent, LogStream, LogWriter
from localstack_process_executor.code_store import CodeFolders, CodeStore
from localstack_process_executor.errors import (
    RuntimeNotProvidedError,
    UidsExhaustedError,
    UnsupportedRuntimeError,
)
from localstack_process_executor.function_environ import Given, function_environ
from localstack_process_executor.isolation import closed_folder
from localstack_process_executor.log_file import LogFile
from localstack_process_executor.log_lines import MAX_KEPT_CHARS, LogLines
from localstack_process_executor.payload import payload_error, too_large_error
from localstack_process_executor.platform_log import Report
from localstack_process_executor.registry import Registry
from localstack_process_executor.runtimes import ProvidedRuntime, PythonRuntime, RuntimeCatalogue
from localstack_process_executor.settings import Settings
from localstack_process_executor.uid_pool import UidPool

FREE_UIDS = range(3_900_000, 3_900_002)
NOBODY = 65_534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_code_outlives_its_source_and_goes_with_its_last_user(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"app.py": "x = 1", "deep/er.py": "y"})
    store = CodeStore(tmp_path / "store")
    folders = store.acquire("key", source, [], live=False)
    store.acquire("key", source, [], live=False)
    for path in sorted(source.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    store.release("key")
    assert (folders.task / "app.py").read_text() == "x = 1"
    assert stat.S_IMODE((folders.task / "app.py").stat().st_mode) & 0o222 == 0
    assert stat.S_IMODE((folders.task / "deep").stat().st_mode) == 0o555
    store.release("key")
    assert not folders.task.exists()


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """As a user who may not do what a folder's mode forbids: root may."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_read_only_code_goes_where_localstack_is_not_root(open_folder: Path) -> None:
    with unprivileged(open_folder):
        source = written(open_folder / "source", {"app.py": "x = 1", "deep/er.py": "y"})
        store = CodeStore(open_folder / "store")
        for _ in range(2):
            folders = store.acquire("key", source, [], live=False)
            store.release("key")
            assert not folders.task.exists()


def test_later_layers_win(tmp_path: Path) -> None:
    layers = [written(tmp_path / name, {"python/who.py": name, f"bin/{name}": ""}) for name in ("one", "two")]
    store = CodeStore(tmp_path / "store")
    folders = store.acquire("key", written(tmp_path / "code", {"app.py": ""}), layers, live=False)
    assert (folders.opt / "python/who.py").read_text() == "two"
    assert {path.name for path in (folders.opt / "bin").iterdir()} == {"one", "two"}
    assert (layers[0] / "python/who.py").read_text() == "one"


def test_live_code_is_used_in_place(tmp_path: Path) -> None:
    source = written(tmp_path / "source", {"app.py": "x"})
    assert CodeStore(tmp_path / "store").acquire("key", source, [], live=True).task == source
    assert os.access(source / "app.py", os.W_OK)


def environ_of(own: dict[str, str], runtime: PythonRuntime | ProvidedRuntime) -> dict[str, str]:
    localstack = {
        "AWS_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": 128,
        "LOCALSTACK_RUNTIME_ID": "x",
    }
    folders = CodeFolders(Path("/t"), Path("/o"))
    return function_environ(Given(localstack, own), runtime, folders, Path("/tmp/mine"), "127.0.0.1:1")  # noqa: S108


def test_environ_of_a_python_function() -> None:
    runtime = PythonRuntime("python3.13", Path("/py/bin/python3.13"), Path("/r"))
    environ = environ_of({"MINE": "1", "AWS_LAMBDA_RUNTIME_API": "evil:1", "PYTHONPATH": "/own"}, runtime)
    assert environ["MINE"] == "1"
    assert environ["AWS_REGION"] == "eu-west-1"
    assert environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environ["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:1"
    assert environ["PYTHONPATH"] == "/o/python/lib/python3.13/site-packages:/o/python:/own:/r"
    assert environ["PATH"].split(":")[0] == "/py/bin"
    assert environ["TMPDIR"] == environ["HOME"] == "/tmp/mine"  # noqa: S108 -- made up
    assert "LOCALSTACK_RUNTIME_ID" not in environ


def test_environ_of_a_custom_runtime_names_no_python() -> None:
    environ = environ_of({}, ProvidedRuntime("provided.al2023"))
    assert "PYTHONPATH" not in environ
    assert "AWS_EXECUTION_ENV" not in environ


@pytest.mark.parametrize("payload", [b"{}", b"1", b'"x"', b"null", b" [1] ", '"ä"'.encode()])
def test_json_is_no_error(payload: bytes) -> None:
    assert payload_error(payload) is None


@pytest.mark.parametrize(
    ("payload", "part"),
    [
        (b"'x'", "Unexpected character (''' (code 39))"),
        (b"{", "line: 1, column: 2"),
        (b"", "Unexpected end-of-input"),
        (b"Infinity", "Non-standard token 'Infinity'"),
        (b"\xff", "Invalid UTF-8 start byte 0xff"),
        (b"[" * 200_000, "recursion"),
        (b"1" * 5000, "integer string conversion"),
    ],
)
def test_what_is_no_json_is_an_error_with_awss_opening(payload: bytes, part: str) -> None:
    error = payload_error(payload)
    assert error is not None
    assert error.startswith("Could not parse request body into json: Could not parse payload into json: ")
    assert part in error


def test_size_limits_are_those_of_the_kind_of_invocation() -> None:
    megabyte = b"x" * 1024 * 1024
    assert too_large_error(megabyte, asynchronous=True) is None
    assert too_large_error(megabyte + b"x", asynchronous=True) is not None
    assert too_large_error(megabyte * 6, asynchronous=False) is None
    assert "6291456" in (too_large_error(megabyte * 6 + b"x", asynchronous=False) or "")


def test_client_context_is_decoded_or_nothing() -> None:
    assert decoded_client_context("eyJhIjogMX0=") == '{"a": 1}'
    assert decoded_client_context(None) is None
    assert decoded_client_context("no base64!") is None
    assert decoded_client_context("bm8ganNvbg==") is None


def log_lines() -> tuple[LogLines, list[str]]:
    heard: list[str] = []
    return LogLines(heard.extend), heard


def test_lines_come_in_order_and_pieces_are_joined() -> None:
    lines, heard = log_lines()
    lines.platform("START")
    lines.output(b"one\ntw")
    lines.output("o ä\n\n".encode())
    lines.output(b"unfinished")
    lines.platform("END")
    assert lines.take() == "START\none\ntwo ä\nunfinished\nEND\n"
    assert heard == ["START", "one", "two ä", "unfinished", "END"]
    assert lines.take() == ""


def test_stack_trace_stays_one_event_with_line_breaks() -> None:
    lines, heard = log_lines()
    lines.output(b"[ERROR] x\rTraceback\r  File\n")
    assert heard == ["[ERROR] x\nTraceback\n  File"]


def test_endless_output_is_bounded_and_says_so() -> None:
    lines, _ = log_lines()
    for _number in range(30):
        lines.output(b"x" * (MAX_KEPT_CHARS // 20) + b"\n")
    lines.output(b"last\n")
    text = lines.take()
    assert len(text) <= MAX_KEPT_CHARS + 1000
    assert "earlier lines of this invocation are not kept" in text
    assert text.endswith("last\n")


def test_log_file_that_cannot_be_written_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = LogFile(tmp_path)
    log.append("f", ["x"])
    log.append("f", ["y"])
    assert len(caplog.records) == 1


def test_full_log_file_is_put_aside_and_two_are_kept(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "functions.log", max_bytes=60)
    for number in range(7):
        log.append("f", [f"line {number}"])
    kept = {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}
    numbers = {name: [line.rpartition(" ")[2] for line in lines] for name, lines in kept.items()}
    assert numbers == {
        "functions.log": ["6"],
        "functions.log.1": ["4", "5"],
        "functions.log.2": ["2", "3"],
    }


def test_report_rounds_as_aws_does() -> None:
    report = Report("id", 1.01, 128, 60 * 1024 * 1024 + 1, init_ms=100.5)
    assert report.billed_ms == 102
    assert report.max_memory_used_mb == 61
    assert Report("id", 0.0, 128, 500 * 1024 * 1024).max_memory_used_mb == 128


def test_log_writer_keeps_streams_apart_and_survives_a_failure() -> None:
    put: SimpleQueue[tuple[str, list[str]]] = SimpleQueue()

    class Api:
        def put(self, stream: LogStream, events: list[LogEvent]) -> None:
            if stream.name == "broken":
                raise ConnectionError
            put.put((stream.name, [event.message for event in events]))

    writer = LogWriter(Api())
    for name in ("broken", "a", "b"):
        writer.to(LogStream("0", "r", "g", name))([f"{name} 1", f"{name} 2"])
    writer.close(5)
    assert [put.get(timeout=1) for _ in range(2)] == [("a", ["a 1\n", "a 2\n"]), ("b", ["b 1\n", "b 2\n"])]


def test_each_user_id_is_leased_once_across_pools() -> None:
    pool, other = UidPool(FREE_UIDS), UidPool(FREE_UIDS)
    first, second = pool.lease(), other.lease()
    assert {first.uid, second.uid} == set(FREE_UIDS)
    with pytest.raises(UidsExhaustedError, match="widen the range"):
        pool.lease()
    first.release()
    again = pool.lease()
    assert again.uid == first.uid
    again.release()
    second.release()


def test_closed_folder_is_the_topmost_one(tmp_path: Path) -> None:
    inner = written(tmp_path / "a" / "b", {"file": ""})
    for folder in (tmp_path, tmp_path / "a", inner):
        folder.chmod(0o755)
    (tmp_path / "a").chmod(0o700)
    closed = closed_folder(inner / "file")
    assert closed is not None
    assert closed in {tmp_path / "a", *tmp_path.parents}


def test_hooks_stay_away_from_another_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned, "version", lambda _distribution: "2026.4.0")
    assert pinned.mismatch({}) == "localstack-core is 2026.4.0, the hooks are made for 2026.3.0"
    monkeypatch.setattr(pinned, "version", lambda _distribution: pinned.LOCALSTACK_CORE_VERSION)
    assert pinned.mismatch({closed_folder: ("path",)}) is None
    assert "closed_folder takes other parameters" in (pinned.mismatch({closed_folder: ("other",)}) or "")


@pytest.mark.parametrize("name", ["nodejs22.x", "java21", "ruby3.3", "python2.7", "dotnet8"])
def test_other_languages_are_refused_by_name(name: str) -> None:
    with pytest.raises(
        UnsupportedRuntimeError, match=f"runtime {name} is not supported by the process executor"
    ):
        RuntimeCatalogue(Settings()).runtime(name)


def test_missing_interpreter_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeNotProvidedError, match="set LAMBDA_PROCESS_PYTHON_3_12 to its path"):
        RuntimeCatalogue(Settings()).runtime("python3.12")


def test_interpreter_of_another_version_is_not_taken(tmp_path: Path) -> None:
    liar = tmp_path / "python3.12"
    liar.write_text("#!/bin/sh\necho /somewhere/python\necho 3.9\n")
    liar.chmod(0o755)
    with pytest.raises(RuntimeNotProvidedError, match=r"looked at: .*python3\.12"):
        RuntimeCatalogue(Settings(interpreters={"python3.12": liar})).runtime("python3.12")


def test_missing_runtime_folder_says_how_to_make_it(tmp_path: Path) -> None:
    program = tmp_path / "python3.12"
    program.write_text("#!/bin/sh\necho /somewhere/python\necho 3.12\n")
    program.chmod(0o755)
    given = {"python3.12": program}
    with pytest.raises(RuntimeNotProvidedError, match="LAMBDA_PROCESS_RUNTIME_DIR is not set"):
        RuntimeCatalogue(Settings(interpreters=given)).runtime("python3.12")
    with pytest.raises(RuntimeNotProvidedError, match=r"pip install --target .* awslambdaric"):
        RuntimeCatalogue(Settings(interpreters=given, runtime_dir=tmp_path)).runtime("python3.12")


class FakeEnvironment:
    """An environment that is idle since a given time, or busy."""

    def __init__(self, idle_since_s: float | None) -> None:
        self._idle_since_s = idle_since_s
        self.away = False
        self.ended = False

    def describe(self) -> dict[str, object]:
        return {}

    def idle_since_s(self) -> float | None:
        return self._idle_since_s

    def put_away(self) -> bool:
        self.away = True
        return True

    def end_now(self) -> None:
        self.ended = True


def test_room_is_made_by_the_one_that_is_idle_longest() -> None:
    registry = Registry(3)
    old, new, busy, late = (FakeEnvironment(since) for since in (1.0, 2.0, None, None))
    for name, environment in {"old": old, "new": new, "busy": busy, "late": late}.items():
        assert registry.admit(name, environment)
    assert (old.away, new.away) == (True, False)
    assert registry.totals(("started", "put_away", "other")) == {"started": 4, "put_away": 1, "other": 0}


def test_no_room_where_all_are_busy() -> None:
    registry = Registry(1)
    assert registry.admit("a", FakeEnvironment(None))
    assert not registry.admit("b", FakeEnvironment(None))


def test_end_of_all_is_waited_for() -> None:
    registry = Registry(2)
    environment = FakeEnvironment(1.0)
    registry.admit("a", environment)

    def run_all(ends: list[Callable[[], None]]) -> None:
        for end in ends:
            end()

    registry.end_all(run_all)
    assert environment.ended
    assert registry.shutting_down
    assert not registry.wait_until_empty(0.01)
    registry.remove("a")
    assert registry.wait_until_empty(0.01)
