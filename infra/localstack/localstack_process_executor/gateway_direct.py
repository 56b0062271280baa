"""API Gateway's Lambda proxy calls the Lambda service in the same process, not over HTTP (ADR 0001)."""

import logging
from typing import Any

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.strings import long_uid

from localstack_process_executor.pinned import HookState, mismatch

LOG = logging.getLogger(__name__)

CALL_LAMBDA_PARAMETERS = ("function_arn", "event", "source_arn", "credentials")
LAMBDA_INVOKE_PARAMETERS = (
    "self",
    "function_name",
    "qualifier",
    "region",
    "account_id",
    "invocation_type",
    "client_context",
    "request_id",
    "payload",
    "trace_context",
    "user_agent",
)
USER_AGENT = "AmazonAPIGateway"

_over_http = RestApiAwsProxyIntegration.call_lambda


def install(*, wanted: bool) -> HookState:
    """Replace the gateway's call, or say why not; without it the gateway works as LocalStack made it."""
    if not wanted:
        return HookState(enabled=False, reason="switched off by LAMBDA_PROCESS_GATEWAY_DIRECT=0")
    expected = {_over_http: CALL_LAMBDA_PARAMETERS, LambdaService.invoke: LAMBDA_INVOKE_PARAMETERS}
    if (reason := mismatch(expected)) is not None:
        LOG.warning("API Gateway calls Lambda over HTTP: %s", reason)
        return HookState(enabled=False, reason=reason)
    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
    return HookState(enabled=True, reason="the gateway calls the Lambda service in the same process")


def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:
    """What the gateway's own call does, in one step; an exception becomes a 502, as over HTTP.

    A call with a role's credentials is left to LocalStack, which assumes the role for it.
    """
    name, qualifier, account_id, region = function_locators_from_arn(function_arn)
    if credentials or not (name and account_id and region):
        return bytes(_over_http(function_arn, event, source_arn, credentials))
    result: Any = _lambda_service().invoke(
        function_name=name,
        qualifier=qualifier,
        region=region,
        account_id=account_id,
        invocation_type=InvocationType.RequestResponse,
        client_context=None,
        request_id=long_uid(),
        payload=event,
        trace_context={},
        user_agent=USER_AGENT,
    )
    return result.payload or b""


def _lambda_service() -> Any:  # noqa: ANN401 -- LocalStack has no types
    """The running service; it is loaded on first use."""
    return SERVICE_PLUGINS.require("lambda").lifecycle_hook.lambda_service
