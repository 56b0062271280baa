"""Where metrics go: into the log for CloudWatch, or to a Pushgateway where the function is told of one."""

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from inference_api.observability import powertools
from inference_api.settings import Settings
from powertools_pushgateway import PushgatewayProvider

GOOD = {"DATABASE_URL": "postgresql://nowhere", "BROKER_URL": "redis://nowhere"}


def provider_of(service: str, **environment: str) -> object:
    return powertools(Settings.from_environment(GOOD | environment, service)).metrics.provider


def test_metrics_are_embedded_in_the_log_by_default() -> None:
    assert isinstance(provider_of("embedded"), AmazonCloudWatchEMFProvider)


def test_metrics_are_pushed_as_the_functions_own_where_there_is_a_gateway() -> None:
    provider = provider_of("pushed", PUSHGATEWAY_URL="http://nowhere.invalid")
    assert isinstance(provider, PushgatewayProvider)
    assert (provider.service, provider.namespace) == ("pushed", "inference")
