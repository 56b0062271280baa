"""`GET /health` and `GET /ready`."""

import pytest

from tests.unit.functions.gateway import Results


def test_health_is_200_with_everything_down(results: Results) -> None:
    results.jobs.down = results.workers.down = results.broker.down = True
    answer = results.gateway.call("GET", "/health")
    assert (answer.status, answer.body) == (200, {"status": "ok"})


def test_ready_names_each_dependency(results: Results) -> None:
    results.workers.live = 2
    answer = results.gateway.call("GET", "/ready")
    assert answer.status == 200
    assert answer.body == {
        "postgres": {"status": "ok", "detail": "answers"},
        "redis": {"status": "ok", "detail": "answers"},
        "workers": {"status": "ok", "detail": "2 alive"},
    }


@pytest.mark.parametrize(
    ("broken", "down"),
    [("postgres", ["postgres", "workers"]), ("redis", ["redis"]), ("workers", ["workers"])],
)
def test_ready_is_503_and_says_what_is_down(results: Results, broken: str, down: list[str]) -> None:
    results.workers.down = broken == "postgres"
    results.broker.down = broken == "redis"
    results.workers.live = 0 if broken == "workers" else 1
    answer = results.gateway.call("GET", "/ready")
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    states = {name: answer.body[name]["status"] for name in ("postgres", "redis", "workers")}
    assert down == [name for name, state in states.items() if state == "down"]
    assert answer.body["error"] == f"Down: {', '.join(down)}."


def test_any_content_type_is_fine_for_a_get(results: Results) -> None:
    assert results.gateway.call("GET", "/health", headers={"Content-Type": "text/plain"}).status == 200
