"""`make up` and its sisters as a person meets them, on real parts."""

import base64
import hashlib
import json
import signal
import socket
import stat
import zipfile
from contextlib import closing

import psutil
import pytest

pytestmark = pytest.mark.integration


def test_up_on_a_running_stack_changes_nothing(stack):
    pids = {part: stack.pid_of(part) for part in ("postgres", "worker", "localstack", "nginx")}

    again = stack.launch("up")

    assert again.returncode == 0, again.stdout
    assert "already deployed" in again.stdout
    assert pids == {part: stack.pid_of(part) for part in pids}


def test_up_restarts_only_what_a_setting_changes(stack):
    before = {part: stack.pid_of(part) for part in ("worker", "postgres", "nginx")}

    changed = stack.launch("up", WORKER_CONCURRENCY="1")

    assert changed.returncode == 0, changed.stdout
    assert "restarts worker" in changed.stdout
    assert stack.pid_of("worker") != before["worker"]
    assert stack.pid_of("postgres") == before["postgres"]
    assert stack.launch("up").returncode == 0


def test_deploy_notices_a_changed_parameter(stack):
    changed = stack.launch("deploy", LOG_LEVEL="DEBUG")

    assert changed.returncode == 0, changed.stdout
    assert "already deployed" not in changed.stdout
    assert stack.launch("deploy").returncode == 0
    assert stack.call("GET", "/health").status == 200


def test_changed_code_goes_to_lambda_alone(stack):
    archive = stack.state / "build" / "results.zip"
    packaged = archive.read_bytes()
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("changed.txt", "something else")

    deployed = stack.launch("deploy", "--packaged")

    assert "already deployed" not in deployed.stdout
    with closing(stack.lambda_client()) as client:
        code = client.get_function(FunctionName="inference-results")["Configuration"]["CodeSha256"]
    assert base64.b64decode(code) == hashlib.sha256(archive.read_bytes()).digest()
    assert stack.call("GET", "/health").status == 200
    archive.write_bytes(packaged)
    assert stack.launch("deploy", "--packaged").returncode == 0


def test_status_and_doctor_find_nothing_wrong(stack):
    for verb in ("status", "doctor"):
        report = stack.launch(verb)
        assert report.returncode == 0, report.stdout
    assert "LocalStack has loaded 'process'" in report.stdout
    assert "apps and template.yaml agree" in report.stdout


def test_every_part_listens_on_loopback_only(stack):
    listening = {
        connection.laddr.ip
        for process in stack.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_secrets_are_generated_and_closed_to_others(stack):
    secrets = stack.state / "credentials.json"

    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    passwords = json.loads(secrets.read_text()).values()
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) >= 32 for password in passwords)
    for path in (stack.state / "rendered").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_password_is_in_a_command_line_or_a_log(stack):
    passwords = json.loads((stack.state / "credentials.json").read_text()).values()
    words = [word for process in stack.processes() for word in process.cmdline()]
    logs = [path.read_text(errors="replace") for path in (stack.state / "logs").glob("*.log")]

    for password in passwords:
        assert not any(password in text for text in (*words, *logs))


def test_interrupted_up_is_repaired_by_the_next(fresh_stack):
    with fresh_stack.begin("up") as interrupted:
        for line in interrupted.stdout:
            if "postgres" in line:
                interrupted.send_signal(signal.SIGINT)
                break
        rest = interrupted.communicate(timeout=60)[0]

    assert interrupted.returncode == 130, rest
    assert "Traceback" not in rest
    again = fresh_stack.launch("up")
    assert again.returncode == 0, again.stdout
    assert "setosa" in again.stdout


def test_status_of_a_stack_that_is_down_is_a_failure(fresh_stack):
    report = fresh_stack.launch("status")

    assert report.returncode == 1
    assert "make up" in report.stdout


def test_taken_port_names_the_part_the_holder_and_the_setting(fresh_stack):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(fresh_stack.environment["REDIS_PORT"])))
        holder.listen()
        result = fresh_stack.launch("up")

    assert result.returncode == 1
    assert "redis: port" in result.stdout
    assert "REDIS_PORT" in result.stdout
    assert "python" in result.stdout
    assert not fresh_stack.processes()


def test_missing_program_is_named_with_its_package(fresh_stack):
    result = fresh_stack.launch("up", PATH="/nowhere", INSTALL_PACKAGES="0")

    assert result.returncode == 1
    assert "redis-server" in result.stdout
    assert "apt-get install" in result.stdout


def test_wrong_setting_is_named(fresh_stack):
    result = fresh_stack.launch("up", HTTP_PORT="eighty")

    assert result.returncode == 1
    assert "HTTP_PORT='eighty'" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_part_that_dies_at_start_is_named_with_its_log(fresh_stack):
    fresh_stack.launch("status")  # makes the folder; one with something in it that is no stack's is refused
    broken = fresh_stack.state / "redis" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("this is no manifest\n")

    result = fresh_stack.launch("up")

    assert result.returncode == 1
    assert "redis: it ended right after its start" in result.stdout
    assert "redis.log" in result.stdout
    assert "what to do" in result.stdout
