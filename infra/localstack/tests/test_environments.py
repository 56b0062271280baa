"""Execution environments: reuse, parallel ones, context, variables, runtimes, layers, versions, updates."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from localstack_harness import LocalStack, eventually, zipped

pytestmark = pytest.mark.integration

COUNTER = """
    import os, time
    inits = {"count": 0}
    inits["count"] += 1
    runs = 0
    def handler(event, context):
        global runs
        runs += 1
        time.sleep(event.get("sleep", 0))
        return {"pid": os.getpid(), "inits": inits["count"], "runs": runs}
"""
CONTEXT = """
    import os
    def handler(event, context):
        client = context.client_context
        return {
            "request_id": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
            "group": context.log_group_name,
            "stream": context.log_stream_name,
            "left_ms": context.get_remaining_time_in_millis(),
            "client": [client.custom, client.env, client.client.app_title] if client else None,
            "trace": os.environ.get("_X_AMZN_TRACE_ID"),
            "variables": dict(os.environ),
            "cwd": os.getcwd(),
        }
"""
BOOTSTRAP = """\
    #!/bin/sh
    API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
    while true; do
      HEADERS="$(mktemp)"
      EVENT=$(curl -sS -D "$HEADERS" "$API/invocation/next")
      ID=$(grep -i Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
      BODY="{\\"echo\\": $EVENT, \\"handler\\": \\"$_HANDLER\\"}"
      curl -sS -o /dev/null "$API/invocation/$ID/response" -d "$BODY"
    done
"""


def test_warm_environment_is_reused_and_initialised_once(localstack: LocalStack) -> None:
    function = localstack.deploy(COUNTER)
    first, second = function.invoke().payload, function.invoke().payload
    assert first["pid"] == second["pid"]
    assert (second["inits"], second["runs"]) == (1, 2)
    (environment,) = function.environments()
    assert environment["pid"] == first["pid"]
    assert environment["state"] == "idle"
    assert environment["invocations"] == 2
    assert environment["init_ms"] > 0
    assert environment["max_memory_bytes"] > 1_000_000


def test_invocations_at_the_same_time_get_an_environment_each(localstack: LocalStack) -> None:
    function = localstack.deploy(COUNTER)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: function.invoke({"sleep": 1.0}), range(3)))
    assert len({answer.payload["pid"] for answer in answers}) == 3
    assert all(answer.payload["runs"] == 1 for answer in answers)


def test_context_is_complete(localstack: LocalStack) -> None:
    function = localstack.deploy(CONTEXT, Timeout=3, MemorySize=192)
    client_context = {"custom": {"a": "1"}, "env": {"b": "2"}, "client": {"app_title": "title"}}
    result = function.invoke(ClientContext=base64.b64encode(json.dumps(client_context).encode()).decode())
    context = result.payload
    assert f"START RequestId: {context['request_id']} Version: $LATEST" in result.log
    assert context["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    assert (context["name"], context["version"], context["memory"]) == (function.name, "$LATEST", "192")
    assert context["group"] == f"/aws/lambda/{function.name}"
    assert "[$LATEST]" in context["stream"]
    assert 2000 < context["left_ms"] <= 3000
    assert context["client"] == [{"a": "1"}, {"b": "2"}, "title"]
    assert context["trace"].startswith("Root=1-")
    assert function.invoke().payload["client"] is None


def test_variables_are_awss_and_the_functions_own_alone(localstack: LocalStack) -> None:
    function = localstack.deploy(CONTEXT, Environment={"Variables": {"MINE": "yes", "TZ": "Europe/Berlin"}})
    variables = function.invoke().payload["variables"]
    assert variables["MINE"] == "yes"
    assert variables["TZ"] == "Europe/Berlin"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert variables["AWS_ENDPOINT_URL"] == localstack.url
    assert variables["_HANDLER"] == "app.handler"
    assert variables["LAMBDA_TASK_ROOT"] == function.invoke().payload["cwd"]
    leaked = [
        name
        for name in variables
        if name.startswith(("LAMBDA_PROCESS_", "SECRET_", "GATEWAY_", "FILESYSTEM_"))
    ]
    assert leaked == []
    assert str(localstack.root / "localstack.log") not in json.dumps(variables)


def test_function_reaches_localstack_with_its_own_credentials(localstack: LocalStack) -> None:
    code = """
        import boto3
        def handler(event, context):
            return boto3.client("sts").get_caller_identity()["Arn"]
    """
    result = localstack.deploy(code, Timeout=10).invoke()
    assert "assumed-role" in result.payload


def test_layers_serve_modules_programs_and_libraries_and_later_ones_win(localstack: LocalStack) -> None:
    client = localstack.client("lambda")

    def layer(name: str, files: dict[str, str]) -> str:
        answer = client.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)})
        return str(answer["LayerVersionArn"])

    lower = layer(
        "lower", {"python/shared.py": "WHO = 'lower'", "python/only_lower.py": "", "lib/libx.so": "x"}
    )
    upper = layer(
        "upper",
        {
            "python/shared.py": "WHO = 'upper'",
            "python/lib/python3.13/site-packages/versioned.py": "",
            "bin/tool": "#!/bin/sh\necho tooled\n",
        },
    )
    code = """
        import os, subprocess
        import only_lower, shared, versioned
        def handler(event, context):
            folders = os.environ["LD_LIBRARY_PATH"].split(":")
            libraries = [folder for folder in folders if os.path.exists(folder + "/libx.so")]
            return [shared.WHO, subprocess.check_output(["tool"], text=True), len(libraries)]
    """
    assert localstack.deploy(code, Layers=[lower, upper]).invoke().payload == ["upper", "tooled\n", 1]


def test_provided_runtime_runs_its_bootstrap(localstack: LocalStack) -> None:
    function = localstack.deploy({"bootstrap": BOOTSTRAP}, runtime="provided.al2023", handler="any.thing")
    assert function.invoke({"a": 1}).payload == {"echo": {"a": 1}, "handler": "any.thing"}
    assert function.invoke([2]).payload["echo"] == [2]


def test_bootstrap_may_come_from_a_layer(localstack: LocalStack) -> None:
    layer = localstack.client("lambda").publish_layer_version(
        LayerName="runtime", Content={"ZipFile": zipped({"bootstrap": BOOTSTRAP})}
    )
    function = localstack.deploy({"x": ""}, runtime="provided.al2", Layers=[layer["LayerVersionArn"]])
    assert function.invoke([1]).payload["echo"] == [1]


def test_missing_bootstrap_is_an_invalid_entrypoint(localstack: LocalStack) -> None:
    result = localstack.deploy({"x": ""}, runtime="provided.al2023").invoke()
    assert result.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert result.payload["errorMessage"].endswith(
        " Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    )


@pytest.mark.parametrize(
    ("runtime", "text"),
    [
        ("nodejs22.x", "runtime nodejs22.x is not supported by the process executor"),
        (
            "python3.9",
            "LAMBDA_PROCESS_RUNTIME_DIR|no runtime client for python3.9|no interpreter for python3.9",
        ),
    ],
)
def test_runtime_that_cannot_run_fails_the_function_with_the_reason(
    localstack: LocalStack, runtime: str, text: str
) -> None:
    function = localstack.deploy("", runtime=runtime)
    facts = localstack.client("lambda").get_function_configuration(FunctionName=function.name)
    assert facts["State"] == "Failed"
    assert any(part in facts["StateReason"] for part in text.split("|"))


def test_versions_and_aliases_run_their_own_code(localstack: LocalStack) -> None:
    client = localstack.client("lambda")
    function = localstack.deploy("def handler(event, context): return ['one', context.function_version]")
    one = client.publish_version(FunctionName=function.name)["Version"]
    client.update_function_code(
        FunctionName=function.name,
        ZipFile=zipped("def handler(event, context): return ['two', context.invoked_function_arn]"),
    )
    function.wait_active()
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=one)
    function.qualifier = "live"
    assert function.invoke().payload == ["one", one]
    assert function.invoke().version == one
    two = client.publish_version(FunctionName=function.name)["Version"]
    client.update_alias(FunctionName=function.name, Name="live", FunctionVersion=two)
    name, arn = function.invoke().payload
    assert name == "two"
    assert arn.endswith(f":{function.name}:live")


def test_new_configuration_means_new_environments(localstack: LocalStack) -> None:
    function = localstack.deploy("import os\ndef handler(e, c): return [os.getpid(), os.environ.get('X')]")
    old_pid, _ = function.invoke().payload
    localstack.client("lambda").update_function_configuration(
        FunctionName=function.name, Environment={"Variables": {"X": "new"}}
    )
    function.wait_active()
    eventually(lambda: function.invoke().payload[1] == "new")
    eventually(lambda: old_pid not in [environment["pid"] for environment in function.environments()])


LATE_IMPORT = """
    import time
    def handler(event, context):
        print("began")
        time.sleep(1.2)
        import late
        return late.WHO
"""


@pytest.mark.parametrize("change", ["delete", "code", "configuration"])
def test_running_invocation_ends_on_the_code_it_began_with(localstack: LocalStack, change: str) -> None:
    function = localstack.deploy({"app.py": LATE_IMPORT, "late.py": "WHO = 'old'"})
    client = localstack.client("lambda")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function.invoke)
        eventually(lambda: "began" in function.log_lines())
        if change == "delete":
            client.delete_function(FunctionName=function.name)
        elif change == "code":
            new = zipped({"app.py": LATE_IMPORT, "late.py": "WHO = 'new'"})
            client.update_function_code(FunctionName=function.name, ZipFile=new)
        else:
            client.update_function_configuration(FunctionName=function.name, Description="changed")
        assert running.result().payload == "old"
    if change == "delete":
        eventually(lambda: not function.environments())
        with pytest.raises(ClientError, match="Function not found"):
            function.invoke()
    if change == "code":
        assert function.wait_active().invoke().payload == "new"
    eventually(lambda: any(line.startswith("REPORT") for line in function.log_lines()))
