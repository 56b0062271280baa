"""Powertools metrics that go to a Prometheus Pushgateway: `Metrics(provider=PushgatewayProvider(url))`."""

from powertools_pushgateway.provider import PushgatewayProvider

__all__ = ["PushgatewayProvider"]
