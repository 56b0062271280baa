"""LocalStack: API Gateway and Lambda, with functions as plain processes (ADR 0001)."""

import json
import shlex
import sys
from pathlib import Path

from stack.context import LOOPBACK, Context
from stack.parts.part import NotReadyError, Part, PartFailedError
from stack.parts.probing import http_get
from stack.rendering import TEMPLATES, put
from stack.settings import ROOT

SERVICES = "apigateway,cloudformation,iam,lambda,logs,s3,sqs,sts"
PYTHON = ROOT / ".venvs" / "localstack" / "bin" / "python"
RUNTIME_DIR = ROOT / ".venvs" / "lambda-runtime"
HOOKS = TEMPLATES / "localstack" / "init"
EXECUTOR = "process"
STARTUP_DEADLINE_S = 90.0
STOP_WAIT_S = 30
"""On a busy machine its end takes ten seconds and more; killed, it leaves its functions' folders in /tmp."""


def localstack(context: Context) -> Part:
    """Link the init hooks and describe how LocalStack runs; it is well when its ready hook has deployed."""
    _link_hooks(context)
    # For the hook, in a file: in the environment, any setting's change would restart LocalStack.
    settings = context.settings.environment() | {"STATE_DIR": str(context.paths.state)}
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in settings.items()]
    put(context, context.paths.rendered / "settings.env", "".join(lines))
    return Part(
        name="localstack",
        command=("/bin/sh", str(TEMPLATES / "localstack" / "start.sh")),
        probe=lambda: _probe(context),
        ports={"localstack_port": context.settings.localstack_port},
        environment=_environment(context),
        watched=(
            TEMPLATES / "localstack" / "localstack_process_executor",
            TEMPLATES / "localstack" / "start.sh",
            HOOKS,
            ROOT / "requirements" / "localstack.txt",
            ROOT / "requirements" / "lambda-runtime.txt",
        ),
        stop_wait_s=STOP_WAIT_S,
        startup_deadline_s=STARTUP_DEADLINE_S,
    )


def _environment(context: Context) -> dict[str, str]:
    return {
        "GATEWAY_LISTEN": f"{LOOPBACK}:{context.settings.localstack_port}",
        "FILESYSTEM_ROOT": str(context.paths.localstack),
        # It takes any machine with /.dockerenv for its own image, and would listen on every address.
        "OVERRIDE_IN_DOCKER": "0",
        "SERVICES": SERVICES,
        "STRICT_SERVICE_LOADING": "1",
        "EAGER_SERVICE_LOADING": "0",
        # CloudFormation looks again at once this many times, then every second: functions are soon ready.
        "CFN_NO_WAIT_ITERATIONS": "100",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "LAMBDA_RUNTIME_EXECUTOR": EXECUTOR,
        "LAMBDA_PROCESS_RUNTIME_DIR": str(RUNTIME_DIR),
        # This interpreter itself: a version manager's shim would choose one by the folder it is called in.
        "LAMBDA_PROCESS_PYTHON_3_13": str(Path(sys.executable).resolve()),
        "LAMBDA_PROCESS_LOG_FILE": str(context.paths.log_of("functions")),
        "LAMBDA_PROCESS_GATEWAY_DIRECT": str(int(context.settings.gateway_direct)),
        "LOCALSTACK_PYTHON": str(PYTHON),
        "STACK_PYTHON": sys.executable,
        "STACK_ROOT": str(ROOT),
        "STATE_DIR": str(context.paths.state),
        "DEPLOYED_MARKER": str(context.paths.deployed),
        "RUN_FILE": str(context.paths.localstack_run),
    }


def _link_hooks(context: Context) -> None:
    target = context.paths.localstack / "etc" / "localstack" / "init"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        target.rmdir()
    if not target.is_symlink() or target.readlink() != HOOKS:
        target.unlink(missing_ok=True)
        target.symlink_to(HOOKS)


def _probe(context: Context) -> str:
    answer = http_get(f"{context.localstack_url}/_localstack/init")
    if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotReadyError("it answers, but does not know its own state yet")
    state = answer.json()
    if not state["completed"]["READY"]:
        raise NotReadyError("its ready hook, which deploys the functions, has not ended yet")
    failed = [script["name"] for script in state["scripts"] if script["state"] == "ERROR"]
    if failed:
        raise PartFailedError(f"its ready hook {failed[0]} failed", log="deploy")
    if not context.paths.deployed.exists():
        raise NotReadyError("its ready hook has not deployed the functions")
    loaded = loaded_executor(context)
    if loaded["executor"] != EXECUTOR:
        raise NotReadyError(f"Lambda executor {loaded['executor']!r} is loaded instead of {EXECUTOR!r}")
    return f"{LOOPBACK}:{context.settings.localstack_port}, Lambda executor {EXECUTOR!r}"


def loaded_executor(context: Context) -> dict[str, object]:
    """Ask LocalStack which Lambda executor it has really loaded, and what that one says of itself.

    Raises:
        NotReadyError: it does not answer, or the executor's package is not installed.
    """
    response = http_get(f"{context.localstack_url}/_localstack/process-executor")
    if response.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise NotReadyError("the package localstack-process-executor is not loaded by LocalStack")
    report: dict[str, object] = json.loads(response.data)
    return report
