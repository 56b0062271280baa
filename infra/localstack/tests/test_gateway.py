"""API Gateway's way to a function: the same answers over HTTP and in the same process."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message

import pytest
from localstack_harness import Function, LocalStack, eventually

pytestmark = pytest.mark.integration

APP = """
    import base64, json, os, sys, time
    def handler(event, context):
        how = (event["queryStringParameters"] or {}).get("how")
        print("how", how)
        if how == "raise":
            raise ValueError("inside")
        if how == "exit":
            sys.exit(1)
        if how == "sleep":
            time.sleep(60)
        if how == "slow":
            time.sleep(1)
        if how == "no-proxy-answer":
            return {"something": "else"}
        if how == "text":
            return "text"
        if how == "nothing":
            return None
        if how == "large":
            return {"statusCode": 200, "body": "x" * 6300000}
        if how == "binary":
            body = base64.b64encode(bytes(range(8))).decode()
            return {"statusCode": 200, "body": body, "isBase64Encoded": True}
        return {
            "statusCode": 201,
            "headers": {"X-One": "1"},
            "multiValueHeaders": {"X-Many": ["a", "b"]},
            "body": json.dumps({
                "method": event["httpMethod"], "path": event["path"], "body": event["body"],
                "resource": event["requestContext"]["resourcePath"], "arn": context.invoked_function_arn,
                "id": context.aws_request_id, "trace": os.environ.get("_X_AMZN_TRACE_ID", "")[:7],
                "client": context.client_context,
            }),
        }
"""


@dataclass
class Api:
    stack: LocalStack
    function: Function
    rest_api_id: str
    stage: str = "test"

    def call(
        self,
        how: str | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Message, bytes]:
        url = f"{self.stack.url}/_aws/execute-api/{self.rest_api_id}/{self.stage}/any/where"
        request = urllib.request.Request(  # noqa: S310 -- our own address
            url + (f"?how={how}" if how else ""), method=method, data=body, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- as above
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


def make_api(stack: LocalStack, function: Function, qualifier: str = "") -> Api:
    gateway = stack.client("apigateway")
    api_id = gateway.create_rest_api(name=function.name, binaryMediaTypes=["application/octet-stream"])["id"]
    (root,) = gateway.get_resources(restApiId=api_id)["items"]
    resource = gateway.create_resource(restApiId=api_id, parentId=root["id"], pathPart="{proxy+}")["id"]
    gateway.put_method(restApiId=api_id, resourceId=resource, httpMethod="ANY", authorizationType="NONE")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}{qualifier}"
    gateway.put_integration(
        restApiId=api_id,
        resourceId=resource,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    gateway.create_deployment(restApiId=api_id, stageName="test")
    return Api(stack, function, api_id)


@pytest.fixture(scope="module")
def over_http(start_localstack: Callable[..., LocalStack]) -> LocalStack:
    return start_localstack(LAMBDA_PROCESS_GATEWAY_DIRECT="0", LAMBDA_PROCESS_UID_RANGE="off")


@pytest.fixture(scope="module", params=["direct", "http"])
def stack(request: pytest.FixtureRequest, localstack: LocalStack, over_http: LocalStack) -> LocalStack:
    return localstack if request.param == "direct" else over_http


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Api:
    return make_api(stack, stack.deploy(APP, Timeout=2))


def test_status_says_which_way_is_taken(localstack: LocalStack, over_http: LocalStack) -> None:
    assert localstack.status()["gateway_direct"]["enabled"] is True
    assert over_http.status()["gateway_direct"] == {
        "enabled": False,
        "reason": "switched off by LAMBDA_PROCESS_GATEWAY_DIRECT=0",
    }
    assert over_http.status()["isolation"]["user_per_environment"] is False
    assert "UID_RANGE" in over_http.status()["isolation"]["reason"]


def test_answer_passes_with_status_headers_and_body(api: Api) -> None:
    content_type = {"Content-Type": "application/json"}
    status, headers, body = api.call(method="POST", body=b'{"a": "\xc3\xa4"}', headers=content_type)
    facts = json.loads(body)
    assert status == 201
    assert headers["X-One"] == "1"
    assert headers.get_all("X-Many") == ["a", "b"]
    assert facts["method"] == "POST"
    assert facts["path"] == "/any/where"
    assert facts["resource"] == "/{proxy+}"
    assert facts["body"] == '{"a": "ä"}'
    assert facts["arn"].endswith(f":function:{api.function.name}")
    assert len(facts["id"]) == 36
    assert facts["trace"] == "Root=1-"
    assert facts["client"] is None


def test_binary_answer_is_decoded_for_who_accepts_it(api: Api) -> None:
    status, _, body = api.call("binary", headers={"Accept": "application/octet-stream"})
    assert (status, body) == (200, bytes(range(8)))


@pytest.mark.parametrize("how", ["raise", "exit", "sleep", "no-proxy-answer", "text", "large"])
def test_function_error_is_a_502(api: Api, how: str) -> None:
    status, _, body = api.call(how)
    assert status == 502
    assert json.loads(body) == {"message": "Internal server error"}


def test_no_return_value_is_the_same_both_ways(localstack: LocalStack, over_http: LocalStack) -> None:
    apis = [make_api(stack, stack.deploy(APP)) for stack in (localstack, over_http)]
    direct, http = (api.call("nothing") for api in apis)
    assert (direct[0], direct[2]) == (http[0], http[2])


def test_proxy_is_synchronous_whatever_the_invocation_type_header_says(api: Api) -> None:
    status, _, body = api.call(headers={"X-Amz-Invocation-Type": "Event"})
    assert status == 201
    assert json.loads(body)["method"] == "GET"


def test_integration_that_asks_for_an_event_is_asynchronous(localstack: LocalStack) -> None:
    """Not a proxy integration: its header asks for an asynchronous call, which the hook leaves alone."""
    function = localstack.deploy("def handler(event, context): print('got', event)")
    gateway = localstack.client("apigateway")
    api_id = gateway.create_rest_api(name=function.name)["id"]
    (root,) = gateway.get_resources(restApiId=api_id)["items"]
    where = {"restApiId": api_id, "resourceId": root["id"], "httpMethod": "POST"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_method_response(**where, statusCode="202")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    gateway.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        requestParameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
    )
    gateway.put_integration_response(**where, statusCode="202", selectionPattern="")
    gateway.create_deployment(restApiId=api_id, stageName="test")
    url = f"{localstack.url}/_aws/execute-api/{api_id}/test/"
    content_type = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=b'{"a": 1}', headers=content_type)  # noqa: S310 -- our own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- as above
        assert answer.status == 202
    eventually(lambda: "got {'a': 1}" in function.log_lines())


def test_throttled_function_is_a_502_at_once(localstack: LocalStack) -> None:
    """As on AWS; over HTTP LocalStack's client repeats a throttled call for seconds, unseen by the caller."""
    function = localstack.deploy(APP)
    client = localstack.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    api = make_api(localstack, function)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(api.call, "slow")
        eventually(lambda: "how slow" in function.log_lines())
        assert api.call()[0] == 502
        assert running.result()[0] == 201


def test_missing_function_is_a_502(stack: LocalStack) -> None:
    function = stack.deploy(APP)
    api = make_api(stack, function)
    stack.client("lambda").delete_function(FunctionName=function.name)
    eventually(lambda: api.call()[0] == 502)


def test_alias_is_called_by_its_name(stack: LocalStack) -> None:
    function = stack.deploy(APP)
    client = stack.client("lambda")
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    _, _, body = make_api(stack, function, ":live").call()
    assert json.loads(body)["arn"].endswith(":live")
