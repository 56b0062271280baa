"""Asynchronous invocations with their retries, reserved and provisioned concurrency."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from localstack_harness import Function, LocalStack, eventually

pytestmark = pytest.mark.integration

SLOW = "import time\ndef handler(event, context): print('began'); time.sleep(event.get('s', 1)); return 1"


def test_failing_event_is_tried_three_times_with_one_request_id(localstack: LocalStack) -> None:
    function = localstack.deploy("def handler(event, context): raise ValueError('always')")
    answer = localstack.client("lambda").invoke(
        FunctionName=function.name, InvocationType="Event", Payload=b'{"n": 1}'
    )
    assert answer["StatusCode"] == 202

    def starts() -> list[str]:
        return [line.split()[2] for line in function.log_lines() if line.startswith("START")]

    eventually(lambda: len(starts()) == 3, 20.0)
    assert len(set(starts())) == 1


def test_event_that_keeps_failing_ends_in_its_destination(localstack: LocalStack) -> None:
    function = localstack.deploy("import os\ndef handler(event, context): os._exit(2)")
    sqs = localstack.client("sqs")
    queue = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client = localstack.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=function.name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"n": 1}')
    received = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), 20.0)
    body = json.loads(received[0]["Body"])
    assert body["requestContext"]["condition"] == "RetriesExhausted"
    assert body["responsePayload"]["errorType"] == "Runtime.ExitError"


def test_event_that_is_no_json_is_refused_at_once(localstack: LocalStack) -> None:
    function = localstack.deploy(SLOW)
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        localstack.client("lambda").invoke(
            FunctionName=function.name, InvocationType="Event", Payload=b"nope"
        )


def test_event_over_one_megabyte_is_refused(localstack: LocalStack) -> None:
    function = localstack.deploy(SLOW)
    payload = json.dumps("x" * 1024 * 1024).encode()
    with pytest.raises(ClientError) as caught:
        localstack.client("lambda").invoke(
            FunctionName=function.name, InvocationType="Event", Payload=payload
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_more_than_the_reserved_concurrency_is_throttled(localstack: LocalStack) -> None:
    function = localstack.deploy(SLOW)
    client = localstack.client("lambda")
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke)
        eventually(lambda: "began" in function.log_lines())
        with pytest.raises(ClientError) as caught:
            function.invoke()
        assert running.result().payload == 1
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert function.invoke({"s": 0}).error is None


def provision(localstack: LocalStack, function: Function, count: int) -> str:
    client = localstack.client("lambda")
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=count
    )

    def state() -> str:
        answer = client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=version)
        return str(answer["Status"])

    eventually(lambda: state() != "IN_PROGRESS", 20.0)
    function.qualifier = version
    return state()


def test_provisioned_environments_are_initialised_before_the_first_call(localstack: LocalStack) -> None:
    code = """
        import os
        def handler(event, context):
            return [os.getpid(), os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
    """
    function = localstack.deploy(code)
    assert provision(localstack, function, 2) == "READY"
    pids = {environment["pid"] for environment in function.environments()}
    assert len(pids) == 2
    pid, kind = function.invoke().payload
    assert pid in pids
    assert kind == "provisioned-concurrency"


def test_provisioning_of_a_function_that_cannot_start_fails(localstack: LocalStack) -> None:
    function = localstack.deploy("import no_such_module")
    assert provision(localstack, function, 1) == "FAILED"
    assert any("no_such_module" in line for line in function.log_lines())
    eventually(lambda: not function.environments())
