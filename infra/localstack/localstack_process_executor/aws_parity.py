"""What LocalStack's Lambda service leaves out on the way to an executor, added by hooks."""

import logging
from functools import wraps
from typing import Any

from localstack.aws.api.lambda_ import (
    InvalidRequestContentException,
    InvocationType,
    TooManyRequestsException,
)
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.lambda_models import RequestEntityTooLargeException
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from localstack_process_executor.client_context import decoded_client_context
from localstack_process_executor.executor import ProcessRuntimeExecutor
from localstack_process_executor.gateway_direct import LAMBDA_INVOKE_PARAMETERS
from localstack_process_executor.payload import payload_error, too_large_error
from localstack_process_executor.pinned import HookState, mismatch
from localstack_process_executor.wiring import parts

LOG = logging.getLogger(__name__)

_service_invoke = LambdaService.invoke
_environment_invoke = ExecutionEnvironment.invoke
_store_logs = LambdaVersionManager.store_logs


def install() -> HookState:
    """Put the hooks in place, or say why not; without them LocalStack does as it did."""
    expected = {
        _service_invoke: LAMBDA_INVOKE_PARAMETERS,
        _environment_invoke: ("self", "invocation"),
        _store_logs: ("self", "invocation_result", "execution_env"),
    }
    if (reason := mismatch(expected)) is not None:
        LOG.warning("payload checks, client contexts and live CloudWatch logs are off: %s", reason)
        return HookState(enabled=False, reason=reason)
    LambdaService.invoke = _checked_invoke
    ExecutionEnvironment.invoke = _invoke_with_client_context
    LambdaVersionManager.store_logs = _leave_logs_to_us
    return HookState(enabled=True, reason="in place")


@wraps(_service_invoke)
def _checked_invoke(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- LocalStack has no types
    """AWS refuses a payload that is no JSON, or too large, before any function sees it."""
    payload = kwargs.get("payload")
    if payload == b"":
        kwargs["payload"] = None
    elif payload is not None:
        asynchronous = kwargs.get("invocation_type") == InvocationType.Event
        if (text := too_large_error(payload, asynchronous=asynchronous)) is not None:
            raise RequestEntityTooLargeException(text)
        if (text := payload_error(payload)) is not None:
            raise InvalidRequestContentException(text, Type="User")
    try:
        return _service_invoke(self, *args, **kwargs)
    except TooManyRequestsException:
        # Reserved concurrency and our own cap alike.
        parts().metrics.throttled(str(kwargs.get("function_name")))
        raise


@wraps(_environment_invoke)
def _invoke_with_client_context(self: Any, invocation: Any) -> Any:  # noqa: ANN401 -- LocalStack has no types
    """LocalStack drops the client context between its service and the executor."""
    executor = self.runtime_executor
    if isinstance(executor, ProcessRuntimeExecutor):
        executor.client_context = decoded_client_context(invocation.client_context)
    return _environment_invoke(self, invocation)


@wraps(_store_logs)
def _leave_logs_to_us(self: Any, invocation_result: Any, execution_env: Any) -> None:  # noqa: ANN401 -- as above
    """Our lines are in CloudWatch Logs as they come; LocalStack would write them again, split and late."""
    if not isinstance(execution_env.runtime_executor, ProcessRuntimeExecutor):
        _store_logs(self, invocation_result, execution_env)
