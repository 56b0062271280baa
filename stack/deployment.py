"""Deploys `template.yaml` to LocalStack as one CloudFormation stack; code alone goes straight to Lambda.

Stages: upload (S3) → update the code, or create or update the stack → warm up → mark (Nginx may send).
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from ruamel.yaml import YAML

from stack import cloudformation
from stack.context import LOOPBACK, Context
from stack.errors import StackError
from stack.packages import Package, made_packages
from stack.settings import ROOT
from stack.slots import slots_of
from stack.warm_up import warm_up

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

STACK_NAME = "inference"
API_ID = "inference"
STAGE = "v1"
API_PATH = f"/_aws/execute-api/{API_ID}/{STAGE}"
"""Where LocalStack serves the API."""
BUCKET = "inference-packages"
REGION = "us-east-1"
TEMPLATE = ROOT / "template.yaml"
POLL_S = 0.1
CODE_DEADLINE_S = 30


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed, or would be: a digest of template and parameters, and each function's package.

    A run of LocalStack knows nothing of what an earlier one had: `run` tells them apart.
    """

    run: str
    frame: str
    keys: dict[str, str]


def deploy(context: Context) -> bool:
    """Deploy what is packaged, if it is not deployed already.

    Returns:
        whether anything had to be deployed.

    Raises:
        StackError: LocalStack refused; shows the resource and its reason.
    """
    with _one_at_a_time(context):
        wanted, present = packaged(context), deployed(context)
        if wanted == present:
            return False
        packages = made_packages(context)
        try:
            _upload(_client(context, "s3"), packages)
            if present is not None and (present.run, present.frame) == (wanted.run, wanted.frame):
                changed = [item for item in packages if present.keys[item.name] != item.key]
                _update_code(_client(context, "lambda"), changed)
            else:
                _apply(context, packages)
                _reserve_concurrency(context, _client(context, "lambda"))
        except EndpointConnectionError as error:
            reason = f"LocalStack does not answer at {context.localstack_url}"
            raise StackError("deploy", reason, way_out="make up starts what is down") from error
        except (BotoCoreError, ClientError, cloudformation.DeploymentFailedError) as error:
            raise _deployment_error(context, str(error)) from error
        warm_up(f"{context.localstack_url}{API_PATH}", slots_of(context.settings).submit)
        _mark(context, wanted)
        return True


def packaged(context: Context) -> Deployment:
    """Return what `deploy` would deploy now.

    Raises:
        StackError: nothing is packaged.
    """
    try:
        packages = made_packages(context)
    except FileNotFoundError as error:
        raise StackError("deploy", "no packages yet", way_out="make up") from error
    frame = json.dumps([TEMPLATE.read_text(), _parameters(context)])
    return Deployment(
        run=_run_of(context),
        frame=hashlib.sha256(frame.encode()).hexdigest(),
        keys={item.name: item.key for item in packages},
    )


def _run_of(context: Context) -> str:
    file = context.paths.localstack_run
    return file.read_text() if file.exists() else ""


def deployed(context: Context) -> Deployment | None:
    """Return what this run of LocalStack has deployed, or None."""
    try:
        return Deployment(**json.loads(context.paths.deployed.read_text()))
    except (FileNotFoundError, TypeError):
        return None  # or written by a version that noted less


@contextmanager
def _one_at_a_time(context: Context) -> Iterator[None]:
    with (context.paths.run / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _apply(context: Context, packages: list[Package]) -> None:
    cloudformation.apply(
        _client(context, "cloudformation"),
        STACK_NAME,
        _packaged_template(packages),
        _parameters(context),
        before_replacing=lambda: context.paths.deployed.unlink(missing_ok=True),
    )


def _reserve_concurrency(context: Context, client: "LambdaClient") -> None:
    """Do what LocalStack's CloudFormation leaves out of the template without a word."""
    settings = context.settings
    for name, most in (("predict", settings.predict_concurrency), ("results", settings.results_concurrency)):
        client.put_function_concurrency(
            FunctionName=f"{STACK_NAME}-{name}", ReservedConcurrentExecutions=most
        )


def _packaged_template(packages: list[Package]) -> str:
    yaml = YAML()
    template = yaml.load(TEMPLATE)
    for item in packages:
        properties = template["Resources"][item.logical_id]["Properties"]
        properties["CodeUri"] = {"Bucket": BUCKET, "Key": item.key}
    text = StringIO()
    yaml.dump(template, text)
    return text.getvalue()


def _parameters(context: Context) -> dict[str, str]:
    settings = context.settings
    return {
        "ApiCustomId": API_ID,
        "DatabaseUrl": context.database_url("functions_user"),
        "BrokerUrl": context.broker_url,
        "PushgatewayUrl": f"http://{LOOPBACK}:{settings.pushgateway_port}",
        "LogLevel": settings.log_level,
        "PredictConcurrency": str(settings.predict_concurrency),
        "ResultsConcurrency": str(settings.results_concurrency),
        "MaxOpenPerCaller": str(settings.max_open_per_caller),
        "MaxOpenInAll": str(settings.max_open_in_all),
    }


def _client(context: Context, service: str) -> Any:  # noqa: ANN401 - each caller names the client's type
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=context.localstack_url,
        region_name=REGION,
        # LocalStack checks neither; boto3 wants something to sign with.
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
    )


def _upload(s3: "S3Client", packages: list[Package]) -> None:
    s3.create_bucket(Bucket=BUCKET)
    present = {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
    for item in packages:
        if item.key not in present:
            s3.upload_file(str(item.archive), BUCKET, item.key)


def _update_code(client: "LambdaClient", packages: list[Package]) -> None:
    """Give functions their new code and nothing else, as `sam sync --code` does."""
    for item in packages:
        function = f"{STACK_NAME}-{item.name}"
        client.update_function_code(FunctionName=function, S3Bucket=BUCKET, S3Key=item.key)
        client.get_waiter("function_updated_v2").wait(
            FunctionName=function,
            WaiterConfig={"Delay": POLL_S, "MaxAttempts": int(CODE_DEADLINE_S / POLL_S)},  # type: ignore[typeddict-item]
        )


def _deployment_error(context: Context, reason: str) -> StackError:
    return StackError(
        "deploy",
        reason,
        way_out="correct template.yaml or the functions, then run make deploy",
        log=context.paths.log_of("localstack"),
    )


def _mark(context: Context, deployment: Deployment) -> None:
    if _run_of(context) != deployment.run:
        raise _deployment_error(context, "LocalStack has ended meanwhile; its next start deploys anew")
    draft = context.paths.deployed.with_suffix(".new")
    draft.write_text(json.dumps(asdict(deployment)))
    draft.chmod(0o644)
    draft.replace(context.paths.deployed)
