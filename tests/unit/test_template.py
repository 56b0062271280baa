"""The SAM template: its paths are the apps' own, its roles hold no more than the functions need."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode  # type: ignore[import-untyped]  # it ships no types

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
SETTINGS = {"DATABASE_URL": "postgresql://nowhere.invalid/d", "BROKER_URL": "redis://nowhere.invalid/0"}
PRINT_ROUTES = "import app; [print(method, path) for path, of in app.app.routes.items() for method in of]"
READ_LIMIT_OF_NGINX_S = 6.5

type Route = tuple[str, str]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template with the short forms of its functions spelled out: `!Ref x` as `{"Ref": x}`."""
    loaded, problems = decode(str(TEMPLATE))
    assert problems == []
    return dict(loaded)


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: made["Properties"] for name, made in template["Resources"].items() if made["Type"] == kind}


def template_routes(template: dict[str, Any], function: str) -> set[Route]:
    events = of_type(template, "AWS::Serverless::Function")[function]["Events"].values()
    return {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events}


def app_routes(function: str) -> set[Route]:
    paths = [ROOT / "functions" / function, ROOT / "functions" / "common", ROOT / "contract"]
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_ROUTES],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths)), **SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    return {(method, path) for method, path in map(str.split, printed.stdout.splitlines())}


@pytest.mark.parametrize(
    ("function", "name"), [("predict", "PredictFunction"), ("results", "ResultsFunction")]
)
def test_paths_equal_the_apps_routes(template: dict[str, Any], function: str, name: str) -> None:
    """Chalice routes on the path as the template writes it, braces and all."""
    assert app_routes(function) == template_routes(template, name)


def test_runtime_handler_and_code_are_as_packaged(template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]
    assert (shared["Runtime"], shared["Handler"]) == ("python3.13", "app.app")
    functions = of_type(template, "AWS::Serverless::Function")
    assert {made["CodeUri"] for made in functions.values()} == {"functions/predict/", "functions/results/"}


def test_predict_gives_up_before_nginx_does(template: dict[str, Any]) -> None:
    predict = of_type(template, "AWS::Serverless::Function")["PredictFunction"]
    assert predict["Timeout"] < READ_LIMIT_OF_NGINX_S


def test_addresses_are_never_echoed_and_have_no_default(template: dict[str, Any]) -> None:
    for name in ("DatabaseUrl", "BrokerUrl"):
        parameter = template["Parameters"][name]
        assert (parameter["NoEcho"], "Default" in parameter) == (True, False)


def test_roles_may_write_their_own_log_and_no_more(template: dict[str, Any]) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        (policy,) = role["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert statement["Resource"] == {"Fn::GetAtt": [f"{name.removesuffix('Role')}Logs", "Arn"]}


def test_network_rights_come_with_a_vpc_only(template: dict[str, Any]) -> None:
    for role in of_type(template, "AWS::IAM::Role").values():
        ((condition, _, otherwise),) = [managed["Fn::If"] for managed in role["ManagedPolicyArns"]]
        assert (condition, otherwise) == ("InVpc", {"Ref": "AWS::NoValue"})
