"""Nginx: the one door; only the API's own paths lead to LocalStack."""

import os
import pwd
from pathlib import Path

from inference_contract.names import MAX_BODY_BYTES

from stack.context import Context
from stack.deployment import API_ID, STAGE
from stack.errors import StackError
from stack.parts.part import Part
from stack.parts.probing import http_get
from stack.rendering import TEMPLATES, render
from stack.slots import slots_of
from stack.status_page import publish

START = TEMPLATES / "nginx" / "start.sh"
WORKER_USERS = ("www-data", "nobody")
TRY_EVERY_MS = 20
WAIT_MS = 3400
"""For a slot; with the function's own limit that stays within what a client waits."""
SUBMIT_WAIT_MS = 1400
"""A submit is accepted within two seconds or refused; the function counts as long, from the same moment."""
LIMITS = {
    "requests_per_s_of_address": 200,
    "burst_of_address": 200,
    "requests_per_s_in_all": 400,
    "burst_in_all": 400,
    "patience_tries": 4000,
    "patience_tries_per_s": 300,
}
"""Well above what a laptop can do (130 a second), so that only floods are stopped: all on it are one address.

Those who wait have 4000 tries, and 300 more each second: a burst has its time, a flood has not.
"""
STATUS_SOCKET = "status"
SOCKETS = ("first", "again", STATUS_SOCKET)
SOCKET_PATH_MAX = 107


def nginx(context: Context) -> Part:
    """Render Nginx' configuration and describe how it runs."""
    temp = socket_folder(context)
    temp.mkdir(exist_ok=True)
    sockets = [temp / f"{name}.sock" for name in SOCKETS]
    _check_lengths(sockets)
    configuration = render(
        context,
        "nginx/nginx.conf.j2",
        context.paths.rendered / "nginx.conf",
        api_id=API_ID,
        stage=STAGE,
        temp_dir=temp,
        status_socket=STATUS_SOCKET,
        status=publish(temp / "page"),
        max_body_bytes=MAX_BODY_BYTES,
        worker_user=_worker_user(),
        try_every_ms=TRY_EVERY_MS,
        wait_ms=WAIT_MS,
        submit_wait_ms=SUBMIT_WAIT_MS,
        slots=slots_of(context.settings),
        **LIMITS,
    )
    port = context.settings.http_port

    def probe() -> str:
        http_get(f"http://127.0.0.1:{port}/")
        return context.public_url

    return Part(
        name="nginx",
        command=("/bin/sh", str(START), str(configuration), str(temp)),
        probe=probe,
        ports={"http_port": port},
        watched=(configuration, START),
        stop_signal="QUIT",
    )


def socket_folder(context: Context) -> Path:
    """Return where Nginx' sockets and temporary files are."""
    return context.paths.shared / "nginx"


def status_socket(context: Context) -> Path:
    """Return the socket on which Nginx tells how many connections it has."""
    return socket_folder(context) / f"{STATUS_SOCKET}.sock"


def _check_lengths(sockets: list[Path]) -> None:
    if too_long := [path for path in sockets if len(str(path)) > SOCKET_PATH_MAX]:
        reason = f"{too_long[0]} is longer than a socket's path may be ({SOCKET_PATH_MAX})"
        raise StackError("nginx", reason, way_out="set STATE_DIR to a shorter path")


def _worker_user() -> str | None:
    """Return the system user for Nginx' workers; it can change users only where it starts as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((user for user in WORKER_USERS if user in names), None)
