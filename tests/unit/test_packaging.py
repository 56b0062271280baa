"""What is in a function's zip, and that it is the same each time. Installs the locks, so it takes seconds."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from stack.packaging import FUNCTIONS, LAMBDA_PLATFORM, build_function, zip_function

pytestmark = pytest.mark.integration

LARGEST_ZIP_BYTES = 20_000_000
REPACKAGE_LIMIT_S = 2.0
UNCHECKED_HASH = (1).to_bytes(4, "little")
NEVER = {"boto3", "botocore", "numpy", "sklearn", "inference_worker", "prompt_toolkit", "pip", "setuptools"}
OWN = {
    "predict": {"app", "idempotency", "json_body", "known_models", "submission", "submit", "submit_routes"},
    "results": {
        "app",
        "change",
        "change_routes",
        "cursor",
        "health_routes",
        "job_json",
        "list_jobs",
        "list_routes",
        "lookup",
        "lookup_routes",
        "own_job",
        "query",
        "readiness",
        "task_id",
    },
}
SETTINGS = {"DATABASE_URL": "postgresql://nowhere.invalid/d", "BROKER_URL": "redis://nowhere.invalid/0"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(params=FUNCTIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def files_in(zipped: Path) -> set[str]:
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def test_zip_holds_the_functions_own_modules_and_the_shared_packages(name: str, build: Path) -> None:
    files = files_in(zip_function(name, build=build))
    top_modules = {file.removesuffix(".py") for file in files if file.endswith(".py") and "/" not in file}
    assert OWN[name] == top_modules - {"six", "typing_extensions", "click_plugins"}
    assert {
        "inference_api/http_app.py",
        "inference_contract/names.py",
        "powertools_pushgateway/provider.py",
    } <= files


def test_chalice_is_its_runtime_only_and_has_its_licence(name: str, build: Path) -> None:
    files = files_in(zip_function(name, build=build))
    chalice = {Path(file).name for file in files if file.startswith("chalice/") and file.endswith(".py")}
    assert chalice == {"__init__.py", "app.py"}
    assert "chalice/LICENSE" in files


def test_nothing_is_in_the_zip_that_no_function_needs(name: str, build: Path) -> None:
    files = files_in(zip_function(name, build=build))
    assert {file.partition("/")[0] for file in files} & NEVER == set()
    assert [file for file in files if "/tests/" in file or file.endswith((".pyi", "_fakes.py"))] == []


def test_zip_is_small(name: str, build: Path) -> None:
    assert zip_function(name, build=build).stat().st_size <= LARGEST_ZIP_BYTES


def test_every_module_has_bytecode(name: str, build: Path) -> None:
    files = files_in(zip_function(name, build=build))
    sources = [Path(file) for file in files if file.endswith(".py")]
    missing = [s for s in sources if f"{s.parent / '__pycache__' / s.stem}.cpython-313.pyc" not in files]
    assert missing == []


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_same_sources_give_the_same_bytes_later(name: str, build: Path) -> None:
    first = digest(zip_function(name, build=build))
    for source in (Path(__file__).parents[2] / "functions" / name).glob("*.py"):
        os.utime(source)
    assert first == digest(zip_function(name, build=build))


def test_same_input_gives_the_same_bytes_elsewhere(build: Path, tmp_path: Path) -> None:
    here, elsewhere = (zip_function("results", build=place) for place in (build, tmp_path))
    assert digest(here) == digest(elsewhere)


def test_repackaging_installs_nothing_anew(name: str, build: Path) -> None:
    zip_function(name, build=build)
    started = time.monotonic()
    zip_function(name, build=build)
    assert time.monotonic() - started < REPACKAGE_LIMIT_S


def test_package_for_aws_holds_wheels_of_its_platform(build: Path, tmp_path: Path) -> None:
    folder = build_function("results", tmp_path / "results", platform=LAMBDA_PLATFORM, build=build)
    (driver,) = folder.glob("psycopg2/_psycopg*.so")
    assert driver.name == "_psycopg.cpython-313-x86_64-linux-gnu.so"


def test_build_replaces_what_was_in_the_folder(build: Path, tmp_path: Path) -> None:
    stale = tmp_path / "stale.py"
    stale.touch()
    build_function("results", tmp_path, build=build)
    assert not stale.exists()


def test_package_starts_from_read_only_code_and_leaves_it_as_it_was(
    name: str, build: Path, tmp_path: Path
) -> None:
    folder = build_function(name, tmp_path / name, build=build)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import app; print(type(app.app).__name__)"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Chalice\n", done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_bytecode_is_valid_whatever_times_the_zip_gives(name: str, build: Path) -> None:
    zipped = zip_function(name, build=build)
    with zipfile.ZipFile(zipped) as archive:
        headers = {archive.read(file)[:8] for file in archive.namelist() if file.endswith(".pyc")}
    assert headers == {importlib.util.MAGIC_NUMBER + UNCHECKED_HASH}
