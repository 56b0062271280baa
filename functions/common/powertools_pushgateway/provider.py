"""What Powertools' `Metrics` writes to: it takes down what handlers say and hands it to the pusher.

Nothing in here raises into a handler or waits for the gateway, an end apart (`finish`).
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aws_lambda_powertools.metrics.exceptions import SchemaValidationError
from aws_lambda_powertools.metrics.functions import is_metrics_disabled
from aws_lambda_powertools.metrics.provider.base import BaseProvider

from powertools_pushgateway.config import Limits
from powertools_pushgateway.ending import before_the_end
from powertools_pushgateway.gateway import Gateway, HttpGateway
from powertools_pushgateway.identity import instance_of, job_of
from powertools_pushgateway.labels import BoundedLabels
from powertools_pushgateway.pusher import Pusher
from powertools_pushgateway.refusals import Refusals
from powertools_pushgateway.registry import Registry
from powertools_pushgateway.samples import Batch, Sample

logger = logging.getLogger(__name__)

COLD_START: Final = "ColdStart"
FUNCTION_NAME: Final = "function_name"
MOST_AT_ONCE: Final = 10_000
"""Samples that an invocation collects before the first of them go, with the dimensions set by then."""


class PushgatewayProvider(BaseProvider):
    """Pushes the metrics of one execution environment, cumulative, as one group of its own.

    Args:
        url: the gateway's, for example `http://127.0.0.1:9091`.
        limits: which dimensions become labels, and how far everything goes.
        namespace: goes before each metric's name; may be empty.
        service: label `job`; POWERTOOLS_SERVICE_NAME or the function's name where it is None.
        instance: label `instance`; the environment's id where it is None.
        gateway: stands in for the one at `url`.
        guard: is given `finish` with the first metrics, to call it at the end.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(  # noqa: PLR0913 - what Metrics takes, and where to push
        self,
        url: str,
        limits: Limits | None = None,
        *,
        namespace: str = "",
        service: str | None = None,
        instance: str | None = None,
        gateway: Gateway | None = None,
        guard: Callable[[Callable[[], None]], None] = before_the_end,
    ) -> None:
        limits = limits or Limits()
        self.namespace = namespace
        self.service = service or job_of(os.environ)
        self.instance = instance or instance_of(os.environ)
        self.default_dimensions: dict[str, Any] = {}
        self.dimension_set: dict[str, Any] = {}
        self.metric_set: list[Sample] = []
        self._timeout_s = limits.timeout_s
        self._names_function = FUNCTION_NAME in limits.dimensions
        self._disabled = is_metrics_disabled()
        self._guard = guard
        self._guarded = False
        refusals = Refusals()
        labels = BoundedLabels(limits.dimensions, limits.of_metric, limits.max_values, refusals)
        self._pusher = Pusher(
            gateway or HttpGateway(url, self.service, self.instance, limits.timeout_s),
            Registry(labels, refusals, limits.buckets),
            limits.rhythm,
        )

    def add_metric(self, name: str, unit: object, value: float, resolution: object = 60) -> None:
        """Take down one value; `resolution` is CloudWatch's own and means nothing here."""
        del resolution
        if len(self.metric_set) >= MOST_AT_ONCE:
            self._hand_over()
        self.metric_set.append(Sample(name, unit, value))

    def add_dimension(self, name: str, value: object) -> None:
        """Set a dimension of all metrics of this invocation."""
        self.dimension_set[str(name)] = value

    def add_dimensions(self, **dimensions: object) -> None:
        """Set several; CloudWatch's further dimension sets are one set here."""
        self.dimension_set.update(dimensions)

    def set_default_dimensions(self, **dimensions: object) -> None:
        """Set dimensions of all metrics of this and all later invocations."""
        self.default_dimensions.update(dimensions)

    def add_metadata(self, key: str, value: object) -> None:
        """Ignore what only CloudWatch's logs can hold."""

    def set_timestamp(self, timestamp: object) -> None:
        """Ignore the time: the gateway refuses timestamps."""

    @contextmanager
    def single_metric(
        self, name: str, unit: object, value: float, default_dimensions: Mapping[str, object] | None = None
    ) -> Iterator[Callable[[str, object], None]]:
        """Record one value with dimensions of its own; gives `add_dimension`.

        It leaves with the invocation's other metrics.
        """
        dimensions: dict[str, object] = {**(default_dimensions or {})}
        try:
            yield dimensions.__setitem__
        finally:
            self.metric_set.append(Sample(name, unit, value, dimensions))

    def serialize_metric_set(self, *_args: object, **_kwargs: object) -> list[dict[str, object]]:
        """Show what was taken down since the last flush."""
        together = {**self.default_dimensions, **self.dimension_set}
        return [
            {
                "name": sample.name,
                "unit": str(getattr(sample.unit, "value", sample.unit)),
                "value": sample.value,
                "dimensions": together if sample.dimensions is None else sample.dimensions,
            }
            for sample in self.metric_set
        ]

    def flush_metrics(self, raise_on_empty_metrics: bool = False) -> None:  # noqa: FBT001, FBT002 - Powertools' form
        """Hand over what was taken down; the pusher's thread does the rest.

        Raises:
            SchemaValidationError: there is nothing, and the caller wants to hear of that.
        """
        empty = not self.metric_set
        self._hand_over()
        self.clear_metrics()
        if empty and raise_on_empty_metrics:
            raise SchemaValidationError("Must contain at least one metric.")

    def clear_metrics(self) -> None:
        """Forget what was taken down since the last flush, and the dimensions of the invocation."""
        self.metric_set = []
        self.dimension_set = {}

    def add_cold_start_metric(self, context: Any) -> None:  # noqa: ANN401 - Powertools' form
        """Count a cold start, with `function_name` where that dimension is allowed."""
        own = dict(self.default_dimensions)
        if self._names_function:
            own[FUNCTION_NAME] = getattr(context, FUNCTION_NAME, self.service)
        self.metric_set.append(Sample(COLD_START, "Count", 1, own))

    def log_metrics(self, lambda_handler: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Decorate a handler: what it added is handed over when it ends."""
        self.set_default_dimensions(**(kwargs.pop("default_dimensions", None) or {}))
        return super().log_metrics(lambda_handler, *args, **kwargs)

    def finish(self) -> None:
        """Push what is left, at most `timeout_s` long; called at SIGTERM and at exit."""
        self.flush_metrics()
        self._pusher.finish(self._timeout_s)

    def _hand_over(self) -> None:
        # Taken before it is given away: a SIGTERM in between comes here again, and must not count it twice.
        samples, self.metric_set = self.metric_set, []
        if not samples or self._disabled:
            return
        if not self._guarded:
            self._guarded = True
            self._guard(self.finish)
        dimensions = {**self.default_dimensions, **self.dimension_set}
        self._pusher.submit(Batch(self.namespace, dimensions, tuple(samples)))
