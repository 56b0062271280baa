"""Entry file, routes, use case, ports: who may import whom, read from the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3] / "functions"
MODULES = [path for name in ("predict", "results") for path in sorted((ROOT / name).glob("*.py"))]
ADAPTERS = {
    f"inference_api.{name}"
    for name in (
        "broker_ping",
        "job_changes",
        "job_rows",
        "job_store",
        "postgres",
        "registry",
        "statements",
        "task_sender",
    )
}
HTTP = {"chalice", "inference_api.http_app", "inference_api.observability", "inference_api.problems"}
DRIVERS = {"celery", "kombu", "powertools_pushgateway", "psycopg2", "redis"}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def any_of(imported: set[str], forbidden: set[str]) -> set[str]:
    return {name for name in imported if any(name == f or name.startswith(f"{f}.") for f in forbidden)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_module_imports_its_layers_and_below(path: Path) -> None:
    imported = set(imports_of(path))
    assert any_of(imported, DRIVERS) == set()
    if path.name != "app.py":
        assert any_of(imported, ADAPTERS | {"os"}) == set()
    if path.name != "app.py" and not path.stem.endswith("_routes"):
        assert any_of(imported, HTTP) == set()
