"""Starts the real parts that tests talk to, on free ports in a folder of their own, and ends just those."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg2
import redis

from stack.postgres_cluster import postgres_binary
from tests.whole_stack import free_ports

POSTGRES_USER: Final = "postgres"
START_S: Final = 30.0
STOP_S: Final = 20.0
POLL_S: Final = 0.02
DATABASE: Final = "celery_db"
OWNER: Final = "celery_user"
ROLES: Final = (OWNER, "functions_user", "worker_user", "readonly_user", "exporter_user")
PASSWORD: Final = "p@ss:w/rd%20 'x"  # noqa: S105 (of a database that lives for one test run; awkward on purpose)
ROOT: Final = Path(__file__).parents[2]


def wait_until[T](condition: Callable[[], T | None], *, timeout_s: float, what: str) -> T:
    """Poll until `condition` is truthy and return its value; raises `TimeoutError` that names `what`."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        threading.Event().wait(POLL_S)
    return value


def free_port() -> int:
    """Return a TCP port that nobody listened on a moment ago."""
    [port] = free_ports(1)
    return port


class Process:
    """A program of the test's own, in a process group of its own, with its output in a file."""

    def __init__(
        self, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it at once."""
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, cwd=ROOT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The main process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the main process lives."""
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """All that it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, insist after `STOP_S`; returns its exit status."""
        if self.running:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait(STOP_S)

    def kill(self) -> None:
        """Kill the whole group without warning."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_S)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server with the roles and the empty database that the launcher makes."""

    folder: Path
    port: int
    _connections: dict[str, psycopg2.extensions.connection] = field(default_factory=dict)

    def dsn(self, role: str) -> str:
        """URL of the database for a role."""
        return f"postgresql://{role}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{DATABASE}"

    def rows(self, sql: str, *parameters: object, role: str = OWNER) -> list[tuple[object, ...]]:
        """Run one statement as a role, in a transaction of its own, and return its rows if it has any."""
        if role not in self._connections:
            self._connections[role] = psycopg2.connect(self.dsn(role))
            self._connections[role].autocommit = True
        with self._connections[role].cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    @contextmanager
    def listening(self, channel: str, *, role: str = "functions_user") -> Iterator[Callable[[], list[str]]]:
        """Listen on a channel; the given function returns the payloads so far."""
        with closing(psycopg2.connect(self.dsn(role))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {channel}")

            def payloads() -> list[str]:
                connection.poll()
                return [notification.payload for notification in connection.notifies]

            yield payloads

    def end_connections_of(self, role: str) -> None:
        """Hang up on every connection of a role, as a restart would."""
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
        with closing(self._superuser()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, (role,))

    def _superuser(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host=str(self.folder / "postgres"), port=self.port, user=POSTGRES_USER, dbname="postgres"
        )


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that user `postgres` can reach, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="inference-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """Make a cluster in `folder` and run it."""
    data, port = folder / "postgres", free_port()
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, POSTGRES_USER, POSTGRES_USER)
    options = ["--auth-host=scram-sha-256", "--auth-local=trust", "--no-sync", f"--username={POSTGRES_USER}"]
    subprocess.run(
        [*_as_postgres(), str(postgres_binary("initdb")), "-D", str(data), *options],
        check=True,
        capture_output=True,
    )
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": data,
        "fsync": "off",
        "max_connections": 60,
        "shared_buffers": "32MB",
    }
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = Process(
        [*_as_postgres(), str(postgres_binary("postgres")), "-D", str(data), *flags], folder / "postgres.log"
    )
    try:
        _make_roles(data, port)
        with closing(Postgres(folder, port)) as postgres:
            yield postgres
    finally:
        server.stop(signal.SIGINT)


def _as_postgres() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}", "--clear-groups"]


def _make_roles(data: Path, port: int) -> None:
    def superuser() -> psycopg2.extensions.connection | None:
        with suppress(psycopg2.OperationalError):
            return psycopg2.connect(host=str(data), port=port, user=POSTGRES_USER, dbname="postgres")
        return None

    with closing(wait_until(superuser, timeout_s=START_S, what="Postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for role in ROLES:
                cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD %s", (PASSWORD,))
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


class Redis:
    """A Redis server that can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        """Choose the port; nothing runs before `start`."""
        self._folder = folder
        self.port = free_port()
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """The broker's URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers."""
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = Process(
            ["redis-server", "--port", str(self.port), *options], self._folder / "redis.log"
        )
        wait_until(self._answers, timeout_s=START_S, what="Redis")

    def stop(self) -> None:
        """Stop it; all that it held is gone."""
        if self._process:
            self._process.stop()

    @contextmanager
    def client(self) -> Iterator["redis.Redis[bytes]"]:
        """Open a client."""
        client = redis.Redis(port=self.port)
        try:
            yield client
        finally:
            client.close()

    def _answers(self) -> bool:
        with self.client() as client, suppress(redis.ConnectionError):
            return bool(client.ping())
        return False
