"""What exporters answer: the values of one metric, out of a page in Prometheus' text format."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from stack.parts.part import NotReadyError
from stack.parts.probing import http_get


def read_metric(url: str, name: str, labels: Mapping[str, str] | None = None) -> float:
    """Return the value of a metric's first series with these labels.

    Args:
        url: the exporter's page.
        name: of the sample, with `_total` where it is a counter.
        labels: those that the series must have.

    Raises:
        NotReadyError: nobody answers, or the page does not hold the metric.
    """
    page = http_get(url).data.decode()
    wanted = (labels or {}).items()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and wanted <= sample.labels.items():
                return float(sample.value)
    raise NotReadyError(f"{url} does not show {name}")
