"""LocalStack's own CloudWatch Logs, as the log writer needs it."""

from collections.abc import Iterable
from typing import Any

from localstack.aws.connect import connect_to
from localstack.utils.bootstrap import is_api_enabled
from moto.logs.models import logs_backends

from localstack_process_executor.cloudwatch import LogEvent, LogStream

# Of one function, all streams together: LocalStack has events in memory only, and would keep them for ever.
KEPT_EVENTS = 10_000


class LocalStackLogs:
    """Writes to the Logs service of the same LocalStack; a service that is switched off gets nothing."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], Any] = {}

    def put(self, stream: LogStream, events: list[LogEvent]) -> None:
        """Put the events, creating group and stream on first use."""
        if not is_api_enabled("logs"):
            return
        client = self._client(stream)
        request = {
            "logGroupName": stream.group,
            "logStreamName": stream.name,
            "logEvents": [{"timestamp": event.timestamp_ms, "message": event.message} for event in events],
        }
        try:
            client.put_log_events(**request)
        except client.exceptions.ResourceNotFoundException:
            _create(client, stream)
            client.put_log_events(**request)
        _forget_the_oldest(logs_backends[stream.account][stream.region].groups[stream.group].streams)

    def _client(self, stream: LogStream) -> Any:  # noqa: ANN401 -- LocalStack has no types
        key = (stream.account, stream.region)
        if key not in self._clients:
            clients = connect_to(aws_access_key_id=stream.account, region_name=stream.region)
            self._clients[key] = clients.logs
        return self._clients[key]


def _create(client: Any, stream: LogStream) -> None:  # noqa: ANN401 -- LocalStack has no types
    for create, names in (
        (client.create_log_group, {"logGroupName": stream.group}),
        (client.create_log_stream, {"logGroupName": stream.group, "logStreamName": stream.name}),
    ):
        try:
            create(**names)
        except client.exceptions.ResourceAlreadyExistsException:
            continue


def _forget_the_oldest(streams: dict[str, Any]) -> None:
    """Take events from the streams that were silent for longest; a stream without any goes."""
    excess = sum(len(stream.events) for stream in streams.values()) - KEPT_EVENTS
    for name, stream in _silent_for_longest_first(streams):
        if excess <= 0:
            return
        excess -= len(stream.events)
        del stream.events[: len(stream.events) + min(excess, 0)]
        if not stream.events:
            streams.pop(name, None)


def _silent_for_longest_first(streams: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return sorted(streams.items(), key=lambda item: item[1].last_ingestion_time or 0)
