"""Creates or updates one CloudFormation stack on LocalStack, and tells why it could not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

POLL_S = 0.2
DEADLINE_S = 60
NOTHING_TO_DO = "No updates are to be performed"
UPDATABLE_STATES = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class DeploymentFailedError(Exception):
    """CloudFormation failed; the text has the reasons that its events name, one a resource."""


def apply(
    client: "CloudFormationClient",
    name: str,
    template: str,
    parameters: dict[str, str],
    before_replacing: Callable[[], None],
) -> None:
    """Bring a stack to where the template and its parameters say.

    Args:
        client: speaks to LocalStack.
        name: the stack's name.
        template: the packaged template.
        parameters: every parameter that differs from its default.
        before_replacing: called when the stack cannot be updated, and is deleted to be created again.

    Raises:
        DeploymentFailedError: a resource was refused.
    """
    arguments: Any = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    status = _status(client, name)
    if status in UPDATABLE_STATES and _update(client, name, arguments):
        return
    if status is not None:
        # LocalStack cannot update a changed API; nothing that it holds is worth keeping.
        before_replacing()
        client.delete_stack(StackName=name)
        _wait(client, name, "stack_delete_complete")
    client.create_stack(**arguments)
    _wait(client, name, "stack_create_complete")


def _update(client: "CloudFormationClient", name: str, arguments: dict[str, Any]) -> bool:
    """Update the deployed stack; tell whether that worked."""
    try:
        client.update_stack(**arguments)
        _wait(client, name, "stack_update_complete")
    except ClientError as error:
        return NOTHING_TO_DO in str(error)
    except DeploymentFailedError:
        return False
    return True


def _status(client: "CloudFormationClient", name: str) -> str | None:
    try:
        return client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError:
        return None


def _wait(client: "CloudFormationClient", name: str, waiter: Any) -> None:  # noqa: ANN401 - one overload a name
    try:
        client.get_waiter(waiter).wait(
            StackName=name, WaiterConfig={"Delay": POLL_S, "MaxAttempts": int(DEADLINE_S / POLL_S)}
        )
    except WaiterError as error:
        raise DeploymentFailedError(_reasons(client, name) or str(error)) from error


def _reasons(client: "CloudFormationClient", name: str) -> str:
    try:
        events = client.describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return ""
    return "; ".join(
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in events
        if event.get("ResourceStatus", "").endswith("FAILED") and event.get("ResourceStatusReason")
    )
