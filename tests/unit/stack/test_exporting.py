"""What a probe reads off an exporter's page."""

from types import SimpleNamespace

import pytest

from stack.parts.exporting import read_metric
from stack.parts.part import NotReadyError

PAGE = b"""# TYPE redis_up gauge
redis_up 0
# TYPE loads_total counter
loads_total{prog="other"} 3
loads_total{prog="door.mtail"} 1
"""


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.parts.exporting.http_get", lambda _: SimpleNamespace(data=PAGE))


def test_value_is_that_of_the_series_with_these_labels() -> None:
    assert read_metric("http://x/metrics", "redis_up") == 0
    assert read_metric("http://x/metrics", "loads_total", {"prog": "door.mtail"}) == 1


def test_metric_that_is_missing_is_named_with_the_page() -> None:
    with pytest.raises(NotReadyError, match="http://x/metrics does not show nginx_up"):
        read_metric("http://x/metrics", "nginx_up")
