"""What a cold start imports, seen in a fresh interpreter: nothing heavy, nothing of the other function."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = {
    "numpy",
    "sklearn",
    "scipy",
    "joblib",
    "inference_worker",
    "training",
    "boto3",
    "pydantic",
    "requests",
}
PRINT_MODULES = "import sys, app; print(type(app.app).__name__, *sys.modules)"
SETTINGS = {"DATABASE_URL": "postgresql://nowhere.invalid/d", "BROKER_URL": "redis://nowhere.invalid/0"}


type Imported = tuple[str, str, set[str]]
"""The function, its handler's type, and the names of all modules."""


def run(function: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    paths = [ROOT / "functions" / function, ROOT / "functions" / "common", ROOT / "contract"]
    return subprocess.run(
        [sys.executable, "-c", PRINT_MODULES],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths)), **environment},
        cwd=ROOT / "functions",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", params=["predict", "results"])
def imported(request: pytest.FixtureRequest) -> Imported:
    done = run(request.param, SETTINGS)
    assert done.returncode == 0, done.stderr
    handler, *modules = done.stdout.split()
    return request.param, handler, set(modules)


def test_handler_is_a_chalice_app(imported: Imported) -> None:
    assert imported[1] == "Chalice"


def test_nothing_heavy_is_imported(imported: Imported) -> None:
    assert {module.partition(".")[0] for module in imported[2]} & HEAVY == set()


def test_no_aws_client_is_imported(imported: Imported) -> None:
    """Powertools looks whether `botocore` is there; none of its clients may be loaded."""
    assert {
        module for module in imported[2] if module.startswith(("botocore.session", "botocore.client"))
    } == set()


def test_nothing_of_the_other_function_is_imported(imported: Imported) -> None:
    function, _, modules = imported
    other = {"predict": "results", "results": "predict"}[function]
    theirs = {path.stem for path in (ROOT / "functions" / other).glob("*.py")} - {"app"}
    assert modules & theirs == set()


def test_results_needs_neither_celery_nor_a_redis_client_to_start(imported: Imported) -> None:
    function, _, modules = imported
    assert bool(modules & {"celery", "kombu", "redis"}) == (function == "predict")


def test_nothing_of_celery_that_only_workers_and_results_need_is_imported(imported: Imported) -> None:
    needless = ("celery.worker", "celery.backends", "celery.canvas", "celery.result")
    assert {module for module in imported[2] if module.startswith(needless)} == set()


@pytest.mark.parametrize("function", ["predict", "results"])
@pytest.mark.parametrize("missing", SETTINGS)
def test_missing_setting_stops_the_start_with_its_name(function: str, missing: str) -> None:
    done = run(function, {name: value for name, value in SETTINGS.items() if name != missing})
    assert done.returncode != 0
    assert f"SettingsError: {missing} is not set" in done.stderr
