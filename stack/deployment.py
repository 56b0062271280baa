"""Deploys `template.yaml` to LocalStack as one CloudFormation stack.

Stages: package (build/) → upload (S3) → create or update (CloudFormation) → mark (Nginx may send requests).
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from ruamel.yaml import YAML

from stack.context import Context
from stack.errors import StackError
from stack.packaging import zip_function
from stack.packaging.errors import PackagingError
from stack.settings import ROOT

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

STACK_NAME = "inference"
FUNCTIONS = {"predict": "PredictFunction", "results": "ResultsFunction"}
"""Each function's folder under `functions/`, and its name in the template."""
API_ID = "inference"
STAGE = "v1"
BUCKET = "inference-packages"
REGION = "us-east-1"
TEMPLATE = ROOT / "template.yaml"
POLL_S = 0.2
DEPLOY_DEADLINE_S = 60
NOTHING_TO_DO = "No updates are to be performed"
UPDATABLE_STATES = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True, slots=True)
class Package:
    """A packaged function: `logical_id` is its name in the template."""

    logical_id: str
    archive: Path
    digest: str

    @property
    def key(self) -> str:
        """Name in the bucket; the same content has the same name."""
        return f"{self.logical_id}-{self.digest}.zip"


def package(context: Context) -> list[str]:
    """Package both functions into the stack's build folder.

    Returns:
        names of the functions whose package changed.

    Raises:
        StackError: the dependencies could not be installed.
    """
    changed = []
    for name in FUNCTIONS:
        archive = _archive(context, name)
        before = _digest(archive) if archive.exists() else None
        try:
            zip_function(name, archive)
        except PackagingError as error:
            raise StackError("packages", str(error), way_out="make deploy, once that is mended") from error
        if _digest(archive) != before:
            changed.append(name)
    return changed


def deploy(context: Context) -> bool:
    """Deploy what is packaged, if it is not deployed already.

    Returns:
        whether anything had to be deployed.

    Raises:
        StackError: LocalStack refused; shows the resource and its reason.
    """
    with _one_at_a_time(context):
        packages = _packages(context)
        template, parameters = _packaged_template(packages), _parameters(context)
        digest = _digest_of_deployment(template, parameters)
        if deployed_digest(context) == digest:
            return False
        try:
            _upload(_client(context, "s3"), packages)
            _create_or_update(_client(context, "cloudformation"), template, parameters)
        except (BotoCoreError, ClientError, DeploymentFailedError) as error:
            raise _deployment_error(context, str(error)) from error
        _mark(context, digest)
        return True


def packaged_digest(context: Context) -> str | None:
    """Return the digest of what `deploy` would deploy now, or None where nothing is packaged."""
    try:
        template, parameters = _packaged_template(_packages(context)), _parameters(context)
    except FileNotFoundError:
        return None
    return _digest_of_deployment(template, parameters)


def deployed_digest(context: Context) -> str | None:
    """Return the digest of what this run of LocalStack has deployed, or None."""
    try:
        digest: str = json.loads(context.paths.deployed.read_text())["digest"]
    except FileNotFoundError:
        return None
    return digest


@contextmanager
def _one_at_a_time(context: Context) -> Iterator[None]:
    with (context.paths.run / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _packages(context: Context) -> list[Package]:
    return [
        Package(logical_id, _archive(context, name), _digest(_archive(context, name)))
        for name, logical_id in FUNCTIONS.items()
    ]


def _digest_of_deployment(template: str, parameters: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps([template, parameters]).encode()).hexdigest()


def _archive(context: Context, name: str) -> Path:
    return context.paths.build / f"{name}.zip"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
        "LogLevel": settings.log_level,
        "PredictConcurrency": str(settings.predict_concurrency),
        "ResultsConcurrency": str(settings.results_concurrency),
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


def _create_or_update(client: "CloudFormationClient", template: str, parameters: dict[str, str]) -> None:
    arguments: Any = {
        "StackName": STACK_NAME,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    status = _status(client)
    if status in UPDATABLE_STATES and _update(client, arguments):
        return
    if status is not None:
        # LocalStack cannot update a changed API; nothing that it holds is worth keeping.
        client.delete_stack(StackName=STACK_NAME)
        _wait(client, "stack_delete_complete")
    client.create_stack(**arguments)
    _wait(client, "stack_create_complete")


def _update(client: "CloudFormationClient", arguments: dict[str, Any]) -> bool:
    """Update the deployed stack; tell whether that worked."""
    try:
        client.update_stack(**arguments)
        _wait(client, "stack_update_complete")
    except ClientError as error:
        return NOTHING_TO_DO in str(error)
    except DeploymentFailedError:
        return False
    return True


def _status(client: "CloudFormationClient") -> str | None:
    try:
        return client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"]
    except ClientError:
        return None


def _wait(client: "CloudFormationClient", waiter: Any) -> None:  # noqa: ANN401 - one overload a name
    try:
        client.get_waiter(waiter).wait(
            StackName=STACK_NAME,
            WaiterConfig={"Delay": POLL_S, "MaxAttempts": int(DEPLOY_DEADLINE_S / POLL_S)},
        )
    except WaiterError as error:
        raise DeploymentFailedError(_reasons(client)) from error


class DeploymentFailedError(Exception):
    """What CloudFormation's events say went wrong."""

    def __init__(self, reasons: str) -> None:
        """Carry the reasons, one a resource."""
        super().__init__(reasons)


def _reasons(client: "CloudFormationClient") -> str:
    events = client.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event.get("ResourceStatus", "").endswith("FAILED") and event.get("ResourceStatusReason")
    ]
    return "; ".join(reasons) or "CloudFormation gave no reason"


def _deployment_error(context: Context, reason: str) -> StackError:
    return StackError(
        "deploy",
        reason,
        way_out="correct template.yaml or the functions, then run make deploy",
        log=context.paths.log_of("localstack"),
    )


def _mark(context: Context, digest: str) -> None:
    draft = context.paths.deployed.with_suffix(".new")
    draft.write_text(json.dumps({"digest": digest}))
    draft.chmod(0o644)
    draft.replace(context.paths.deployed)
