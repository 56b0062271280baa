"""Logs and metrics of a function, through Powertools; the one place where a metrics provider is chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from chalice.app import ConvertToMiddleware, Request, Response

from inference_api.settings import Settings

type Next = Callable[[Request], Response]

PER_ROUTE: Final = ("http_requests_total", "http_request_seconds")
"""Metrics that Prometheus has by route and status; all others are one series a function and environment."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What routes and the middleware write to; a failure in here never changes an answer."""

    logger: Logger
    metrics: Metrics

    def count(self, name: str) -> None:
        """Add one to a counter; its name ends in `_total`."""
        self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)

    def observe(self, request: Request, get_response: Next) -> Response:
        """Chalice middleware: wrap Powertools' own decorators around a request.

        Raises:
            Exception: what the request itself raised; what only telemetry raised is logged instead.
        """
        answers: list[Response] = []

        def answer(inner_request: Request) -> Response:
            answers.append(get_response(inner_request))
            return answers[-1]

        def with_metrics(inner_request: Request) -> Response:
            flush_at_end = self.metrics.log_metrics(capture_cold_start_metric=True)
            response: Response = ConvertToMiddleware(flush_at_end)(inner_request, answer)
            return response

        try:
            with_context = self.logger.inject_lambda_context(clear_state=True)
            response: Response = ConvertToMiddleware(with_context)(request, with_metrics)
        except Exception:
            if not answers:
                raise
            self.logger.exception("telemetry failed")
            return answers[-1]
        return response


def powertools(settings: Settings) -> Telemetry:
    """Write JSON lines to standard output, where Lambda collects them, and metrics there too or push them."""
    return Telemetry(
        logger=Logger(service=settings.service, level=settings.log_level, utc=True, use_rfc3339=True),
        metrics=_pushed(settings) if settings.pushgateway_url else _embedded(settings),
    )


def _embedded(settings: Settings) -> Metrics:
    """CloudWatch's embedded metrics (EMF), in the log."""
    return Metrics(service=settings.service, namespace=settings.metrics_namespace)


def _pushed(settings: Settings) -> Metrics:
    from powertools_pushgateway import PushgatewayProvider  # noqa: PLC0415 - on AWS it would cost and not serve
    from powertools_pushgateway.config import Limits  # noqa: PLC0415 - as above

    provider = PushgatewayProvider(
        settings.pushgateway_url,
        Limits(of_metric=dict.fromkeys(PER_ROUTE, ("route", "status"))),
        namespace=settings.metrics_namespace,
        service=settings.service,
    )
    return Metrics(provider=provider)  # type: ignore[arg-type] # Powertools names its own provider only
