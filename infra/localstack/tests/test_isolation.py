"""What a function can do to others and to the machine, and that nothing of it is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest
from localstack_harness import PYTHON_RUNTIMES, SYSTEM_RUNTIME, Function, LocalStack, eventually, is_running

pytestmark = pytest.mark.integration

LOOK_AROUND = """
    import os, resource, stat, sys, tempfile
    def descriptors():
        for fd in os.listdir("/proc/self/fd"):
            try:
                yield os.readlink("/proc/self/fd/" + fd)
            except FileNotFoundError:
                continue
    def attempt(action):
        try:
            action()
            return "done"
        except OSError as error:
            return type(error).__name__
    def handler(event, context):
        task = os.environ["LAMBDA_TASK_ROOT"]
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
            temporary = os.path.dirname(file.name)
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        return {
            "pid": os.getpid(),
            "uids": os.getresuid(),
            "gids": os.getresgid(),
            "groups": os.getgroups(),
            "session": os.getsid(0),
            "group": os.getpgid(0),
            "stdin": os.read(0, 1).decode(),
            "fds": sorted(target.split(":")[0] for target in descriptors()),
            "umask": os.umask(0o022),
            "temporary": [temporary, os.environ["TMPDIR"], os.environ["HOME"]],
            "temporary_mode": oct(os.stat(temporary).st_mode & 0o777),
            "write_code": attempt(lambda: open(task + "/app.py", "a")),
            "new_code": attempt(lambda: open(task + "/new.py", "w")),
            "remove_code": attempt(lambda: os.unlink(task + "/app.py")),
            "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "core": resource.getrlimit(resource.RLIMIT_CORE),
            "processes": resource.getrlimit(resource.RLIMIT_NPROC),
            "capabilities": status["CapEff"].strip(),
            "no_new_privileges": status["NoNewPrivs"].strip(),
        }
"""
FAMILY = """
    import os, subprocess, sys, time
    SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
    def handler(event, context):
        plain = subprocess.Popen(SLEEPER)
        apart = subprocess.Popen(SLEEPER, start_new_session=True)
        daemon = subprocess.run(
            [sys.executable, "-S", "-c",
             "import subprocess, sys; null = subprocess.DEVNULL; "
             "print(subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=null).pid)", *SLEEPER],
            stdout=subprocess.PIPE, text=True).stdout
        print("pids", os.getpid(), plain.pid, apart.pid, int(daemon))
        if event["then"] == "sleep":
            time.sleep(60)
        if event["then"] == "exit":
            os._exit(3)
        return [os.getpid(), plain.pid, apart.pid, int(daemon)]
"""

type Looked = tuple[Function, dict[str, Any], bool]


@pytest.fixture(scope="module", params=PYTHON_RUNTIMES)
def looked(request: pytest.FixtureRequest, localstack: LocalStack) -> Looked:
    """Both ways: a user of its own, and the same one where the interpreter is out of another's reach."""
    function = localstack.deploy(LOOK_AROUND, runtime=request.param)
    facts = function.invoke().payload
    own_user = localstack.status()["interpreters"][request.param]["reachable_by_unprivileged"]
    return function, facts, own_user


def test_own_user_for_each_environment_where_it_can_be(looked: Looked) -> None:
    function, facts, own_user = looked
    (environment,) = function.environments()
    expected = environment["uid"] if own_user else 0
    assert set(facts["uids"]) == set(facts["gids"]) == {expected}
    if own_user:
        assert expected >= 2_100_000
        assert facts["groups"] == []


def test_system_python_gets_a_user_each_and_status_says_why_another_does_not(localstack: LocalStack) -> None:
    interpreters = localstack.status()["interpreters"]
    assert interpreters[SYSTEM_RUNTIME]["reachable_by_unprivileged"], interpreters[SYSTEM_RUNTIME]["reason"]
    other = interpreters["python3.13"]
    assert other["reason"]
    isolation = localstack.status()["isolation"]
    assert isolation["user_per_environment"] == other["reachable_by_unprivileged"]


def test_two_environments_have_two_users(localstack: LocalStack) -> None:
    functions = [localstack.deploy(LOOK_AROUND, runtime=SYSTEM_RUNTIME) for _ in range(2)]
    users = {function.invoke().payload["uids"][0] for function in functions}
    assert len(users) == 2


def test_no_capability_and_no_way_to_one(looked: Looked) -> None:
    _, facts, _ = looked
    assert facts["capabilities"] == "0000000000000000"
    assert facts["no_new_privileges"] == "1"


def test_own_session_and_group_and_nothing_on_stdin(looked: Looked) -> None:
    _, facts, _ = looked
    assert facts["session"] == facts["group"] == facts["pid"]
    assert facts["stdin"] == ""
    assert facts["umask"] == 0o022


def test_no_descriptor_of_localstack(looked: Looked) -> None:
    _, facts, _ = looked
    assert set(facts["fds"]) <= {"/dev/null", "pipe", "socket", "/dev/urandom"}
    assert facts["fds"].count("pipe") == 2


def test_private_temporary_folder_goes_with_the_environment(localstack: LocalStack, looked: Looked) -> None:
    function, facts, _ = looked
    folder, tmpdir, home = facts["temporary"]
    assert folder == tmpdir == home
    assert facts["temporary_mode"] == "0o700"
    assert Path(folder).exists()
    localstack.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not Path(folder).exists())


def test_code_is_read_only(looked: Looked) -> None:
    _, facts, _ = looked
    assert {facts["write_code"], facts["new_code"], facts["remove_code"]} == {"PermissionError"}


def test_limits_are_awss(looked: Looked) -> None:
    _, facts, own_user = looked
    assert facts["open_files"] == [1024, 1024]
    assert facts["core"] == [0, 0]
    if own_user:
        assert facts["processes"] == [1024, 1024]


@pytest.mark.parametrize("runtime", PYTHON_RUNTIMES)
@pytest.mark.parametrize("then", ["sleep", "exit"])
def test_whole_family_ends_with_the_invocation_that_failed(
    localstack: LocalStack, runtime: str, then: str
) -> None:
    function = localstack.deploy(FAMILY, runtime=runtime, Timeout=2)
    function.invoke({"then": then})
    line = next(line for line in function.log_lines() if line.startswith("pids"))
    pids = [int(pid) for pid in line.split()[1:]]
    assert len(pids) == 4
    eventually(lambda: not any(map(is_running, pids)), 1.0)


def test_whole_family_ends_with_the_environment(localstack: LocalStack) -> None:
    function = localstack.deploy(FAMILY, runtime=SYSTEM_RUNTIME)
    pids = function.invoke({"then": "return"}).payload
    assert all(map(is_running, pids))
    localstack.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: not any(map(is_running, pids)), 3.0)


@pytest.mark.parametrize("runtime", PYTHON_RUNTIMES)
def test_fork_bomb_ends_at_the_time_out(localstack: LocalStack, runtime: str) -> None:
    code = """
        import os, time
        def handler(event, context):
            for _ in range(6):
                try:
                    os.fork()
                except OSError:
                    break
            os.setsid() if os.getpid() != os.getsid(0) else None
            while True:
                time.sleep(0.05)
    """
    function = localstack.deploy(code, runtime=runtime, Timeout=1, MemorySize=1024)
    result = function.invoke()
    assert result.payload["errorType"] == "Sandbox.Timedout"
    task = function.environments()[0]["pid"]
    eventually(lambda: not is_running(task), 1.0)
    assert function.invoke().payload["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("where", ["self", "child"])
def test_four_times_the_memory_is_killed_and_reported(localstack: LocalStack, where: str) -> None:
    code = """
        import os, subprocess, sys, time
        GREEDY = "import time; x = bytearray(512 * 1024 * 1024); time.sleep(5)"
        def handler(event, context):
            if event.get("where") == "self":
                exec(GREEDY)
            if event.get("where") == "child":
                subprocess.run([sys.executable, "-c", GREEDY])
            return "fine"
    """
    function = localstack.deploy(code, MemorySize=128, Timeout=10)
    before = localstack.status()["totals"]["out_of_memory"]
    result = function.invoke({"where": where})
    assert result.error == "Unhandled"
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(" Error: Runtime exited with error: signal: killed")
    assert "\tMax Memory Used: 128 MB\t" in result.report
    assert "Status: error\tError Type: Runtime.OutOfMemory" in result.report
    assert localstack.status()["totals"]["out_of_memory"] == before + 1
    assert function.invoke().payload == "fine"


def test_max_memory_used_follows_what_was_resident(localstack: LocalStack) -> None:
    code = "def handler(event, context): x = bytearray(event['mb'] * 1024 * 1024); return len(x)"
    function = localstack.deploy(code, MemorySize=512)
    small = function.invoke({"mb": 1}).report
    large = function.invoke({"mb": 200}).report
    used = [int(report.partition("Max Memory Used: ")[2].split()[0]) for report in (small, large)]
    assert used[0] < 100
    assert 200 <= used[1] < 300


def test_runtime_api_of_another_environment_refuses_a_function(localstack: LocalStack) -> None:
    code = """
        import os, urllib.request
        def handler(event, context):
            if "api" not in event:
                return os.environ["AWS_LAMBDA_RUNTIME_API"]
            try:
                urllib.request.urlopen(f"http://{event['api']}/2018-06-01/runtime/invocation/next", timeout=1)
            except OSError as error:
                return f"refused: {type(error).__name__}"
            return "let in"
    """
    victim = localstack.deploy(code, runtime=SYSTEM_RUNTIME)
    intruder = localstack.deploy(code, runtime=SYSTEM_RUNTIME)
    api = victim.invoke().payload
    answer = intruder.invoke({"api": api}).payload
    assert answer.startswith("refused: ")
    assert "TimeoutError" not in answer
    assert victim.invoke().error is None


@pytest.mark.parametrize("runtime", PYTHON_RUNTIMES)
def test_function_that_kills_its_guard_harms_itself_only(localstack: LocalStack, runtime: str) -> None:
    code = """
        import os, time
        def handler(event, context):
            if event.get("kill"):
                try:
                    os.kill(os.getppid(), 9)
                except PermissionError:
                    return "may not"
                time.sleep(5)
            return "fine"
    """
    function = localstack.deploy(code, runtime=runtime)
    result = function.invoke({"kill": True})
    if localstack.status()["interpreters"][runtime]["reachable_by_unprivileged"]:
        assert result.payload == "may not"
    else:
        assert result.payload["errorMessage"].endswith(" Error: Runtime exited with error: signal: killed")
    assert function.invoke().payload == "fine"


def test_function_gets_a_chance_to_flush_at_sigterm(localstack: LocalStack) -> None:
    code = """
        import signal, sys
        def flush(*_):
            print("flushed")
            sys.stdout.flush()
            raise SystemExit
        def handler(event, context):
            signal.signal(signal.SIGTERM, flush)
            return "armed"
    """
    function = localstack.deploy(code)
    assert function.invoke().payload == "armed"
    localstack.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: "flushed" in function.log_lines())
    eventually(lambda: not function.environments())


def test_status_shows_a_busy_environment(localstack: LocalStack) -> None:
    function = localstack.deploy("import time\ndef handler(event, context): time.sleep(1)")
    localstack.client("lambda").invoke(
        FunctionName=function.name, InvocationType="Event", Payload=json.dumps({})
    )
    eventually(lambda: [e["state"] for e in function.environments()] == ["busy"])
    eventually(lambda: [e["state"] for e in function.environments()] == ["idle"])
