"""Asks an app as API Gateway asks it, and holds both functions over their fakes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice
from lookup_fakes import FakeBroker, FakeChanges, FakeJobs, FakeWorkers
from submit_fakes import FakeJobs as FakeSubmittedJobs
from submit_fakes import FakeRegistry, FakeWakeups


@dataclass(frozen=True)
class Context:
    """What Lambda gives beside the event."""

    function_name: str = "tested"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:tested"
    aws_request_id: str = "lambda-request"
    remaining_s: float = 25.0

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's own timeout."""
        return int(self.remaining_s * 1000)


@dataclass(frozen=True)
class Answer:
    """An answer as the gateway gets it; `body` is parsed."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass
class Gateway:
    """Calls an app with API Gateway's proxy events."""

    app: Chalice
    context: Context = field(default_factory=Context)
    source_ip: str = "127.0.0.1"

    def call(  # noqa: PLR0913 - a request has as many parts
        self,
        method: str,
        resource: str,
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: dict[str, list[str]] | None = None,
        base64: bool = False,
        **parameters: str,
    ) -> Answer:
        """Send one request; `parameters` fill the resource's braces."""
        event = {
            "resource": resource,
            "path": resource.format(**parameters) if parameters else resource,
            "httpMethod": method,
            "headers": dict(headers or {}),
            "multiValueQueryStringParameters": query,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "body": body,
            "isBase64Encoded": base64,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "requestId": "gateway-request",
                "identity": {"sourceIp": self.source_ip},
            },
        }
        answer = self.app(event, self.context)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


@dataclass
class Predict:
    """The predict function over its fakes."""

    gateway: Gateway
    registry: FakeRegistry
    jobs: FakeSubmittedJobs
    wakeups: FakeWakeups

    def post(self, body: str | None, **more: Any) -> Answer:
        """Submit a body."""
        return self.gateway.call("POST", "/predict", body=body, **more)


@dataclass
class Results:
    """The results function over its fakes."""

    gateway: Gateway
    jobs: FakeJobs
    changes: FakeChanges
    workers: FakeWorkers
    broker: FakeBroker

    def get(self, task_id: str, **query: list[str]) -> Answer:
        """Ask for one result."""
        return self.gateway.call("GET", "/results/{task_id}", task_id=task_id, query=query or None)

    def page(self, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        """Ask for a list."""
        given = {name: [value] for name, value in query.items()}
        return self.gateway.call("GET", "/results", query=given or None, headers=headers)

    def cancel(self, task_id: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Cancel a job."""
        return self.gateway.call("DELETE", "/results/{task_id}", task_id=task_id, headers=headers)

    def requeue(self, task_id: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Queue a failed job again."""
        return self.gateway.call("POST", "/results/{task_id}/requeue", task_id=task_id, headers=headers)
