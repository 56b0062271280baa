"""The Runtime API on its wire, as a runtime client sees it."""

import http.client
import json
import socket
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

import pytest
from localstack_process_executor.events import (
    Event,
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Responded,
    TooLarge,
)
from localstack_process_executor.runtime_api import RuntimeApi

NEXT = "/2018-06-01/runtime/invocation/next"
WAIT_S = 5
LIMIT_BYTES = 1000


class Client:
    """One connection of a runtime to its API."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=WAIT_S)

    def get(self, path: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path)
        return self._connection.getresponse()

    def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str]]:
        self._connection.request("POST", path, body, headers or {})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def events() -> SimpleQueue[Event]:
    return SimpleQueue()


@pytest.fixture
def api(events: SimpleQueue[Event]) -> Iterator[RuntimeApi]:
    api = RuntimeApi(events.put, response_limit_bytes=LIMIT_BYTES)
    yield api
    api.close()


@pytest.fixture
def client(api: RuntimeApi) -> Iterator[Client]:
    client = Client(api.address)
    yield client
    client.close()


def invocation(request_id: str = "id-1") -> Invocation:
    return Invocation(
        request_id,
        b'{"a": 1}',
        "arn:of:it",
        1234567,
        trace_id="Root=1-x",
        client_context='{"custom": {}}',
        cognito_identity='{"cognitoIdentityId": "it"}',
    )


def taken(api: RuntimeApi, client: Client, one: Invocation) -> None:
    api.offer(one)
    client.get(NEXT).read()


def test_first_next_is_ready_and_an_invocation_carries_its_context(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    one = invocation()
    api.offer(one)
    answer = client.get(NEXT)
    assert events.get(timeout=WAIT_S) == Ready()
    assert answer.status == 200
    assert answer.read() == b'{"a": 1}'
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
    assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "1234567"
    assert answer.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:of:it"
    assert answer.headers["Lambda-Runtime-Trace-Id"] == "Root=1-x"
    assert answer.headers["Lambda-Runtime-Client-Context"] == '{"custom": {}}'
    assert answer.headers["Lambda-Runtime-Cognito-Identity"] == '{"cognitoIdentityId": "it"}'
    assert api.has_taken(one)


def test_one_connection_serves_many_invocations(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    for number in range(3):
        taken(api, client, invocation(f"id-{number}"))
        assert client.post(f"/2018-06-01/runtime/invocation/id-{number}/response", b"[]")[0] == 202
    assert events.get(timeout=WAIT_S) == Ready()
    assert [events.get(timeout=WAIT_S) for _ in range(3)] == [Responded(f"id-{n}", b"[]") for n in range(3)]


def test_error_of_an_invocation_has_its_type_from_the_header_or_the_body(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    body = b'{"errorType": "FromBody", "errorMessage": "m"}'
    path = "/2018-06-01/runtime/invocation/{}/error"
    taken(api, client, invocation("a"))
    client.post(path.format("a"), body, {"Lambda-Runtime-Function-Error-Type": "FromHeader"})
    taken(api, client, invocation("b"))
    client.post(path.format("b"), body)
    taken(api, client, invocation("c"))
    client.post(path.format("c"), b"not json")
    assert events.get(timeout=WAIT_S) == Ready()
    assert [events.get(timeout=WAIT_S) for _ in range(3)] == [
        Failed("a", body, "FromHeader"),
        Failed("b", body, "FromBody"),
        Failed("c", b"not json", "Runtime.Unknown"),
    ]


def test_init_error_before_the_first_next_only(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    path = "/2018-06-01/runtime/init/error"
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.X"}
    assert client.post(path, b"{}", headers)[0] == 202
    assert events.get(timeout=WAIT_S) == InitFailed(b"{}", "Runtime.X")
    taken(api, client, invocation())
    assert client.post(path, b"{}", headers)[0] == 403


def test_answer_over_the_limit_is_413_and_an_event(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    taken(api, client, invocation())
    status, error = client.post("/2018-06-01/runtime/invocation/id-1/response", b"x" * (LIMIT_BYTES + 1))
    assert (status, error["errorType"]) == (413, "RequestEntityTooLarge")
    assert events.get(timeout=WAIT_S) == Ready()
    assert events.get(timeout=WAIT_S) == TooLarge("id-1")


def test_answer_to_another_invocation_or_twice_is_refused(api: RuntimeApi, client: Client) -> None:
    taken(api, client, invocation())
    assert client.post("/2018-06-01/runtime/invocation/other/response", b"1")[0] == 400
    assert client.post("/2018-06-01/runtime/invocation/id-1/response", b"1")[0] == 202
    assert client.post("/2018-06-01/runtime/invocation/id-1/response", b"1")[0] == 400


def test_next_before_the_answer_is_refused(api: RuntimeApi, client: Client) -> None:
    taken(api, client, invocation())
    assert client.get(NEXT).status == 403


def test_what_is_not_served_is_404(client: Client) -> None:
    assert client.post("/2020-01-01/extension/register", b"{}")[0] == 404


def test_client_that_waits_to_be_told_to_go_on_is_told(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    taken(api, client, invocation())
    host, _, port = api.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as raw:
        raw.sendall(
            b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: it\r\n"
            b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert raw.recv(1000).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"{}")
        assert raw.recv(1000).startswith(b"HTTP/1.1 202 ")
    assert events.get(timeout=WAIT_S) == Ready()
    assert events.get(timeout=WAIT_S) == Responded("id-1", b"{}")


def test_answer_in_chunks_is_put_together(
    api: RuntimeApi, client: Client, events: SimpleQueue[Event]
) -> None:
    taken(api, client, invocation())
    connection = http.client.HTTPConnection(api.address, timeout=WAIT_S)
    path = "/2018-06-01/runtime/invocation/id-1/response"
    connection.request(
        "POST", path, iter([b"[1", b",2]"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert connection.getresponse().status == 202
    connection.close()
    assert events.get(timeout=WAIT_S) == Ready()
    assert events.get(timeout=WAIT_S) == Responded("id-1", b"[1,2]")


def test_rubbish_ends_its_connection_only(api: RuntimeApi, client: Client) -> None:
    host, _, port = api.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as raw:
        raw.sendall(b"\x00\x01 rubbish\r\n\r\n")
        assert raw.recv(100) == b""
    taken(api, client, invocation())


def test_close_ends_a_wait_for_the_next_event(api: RuntimeApi, events: SimpleQueue[Event]) -> None:
    ended: SimpleQueue[str] = SimpleQueue()

    def wait() -> None:
        client = Client(api.address)
        try:
            client.get(NEXT)
        except (http.client.HTTPException, OSError) as error:
            ended.put(type(error).__name__)
        finally:
            client.close()

    Thread(target=wait).start()
    assert events.get(timeout=WAIT_S) == Ready()
    api.close()
    assert ended.get(timeout=WAIT_S)


def test_other_user_is_refused(events: SimpleQueue[Event]) -> None:
    api = RuntimeApi(events.put, allowed_uid=4_000_000)
    client = Client(api.address)
    with pytest.raises((http.client.HTTPException, OSError)):
        client.get(NEXT)
    client.close()
    api.close()
    assert events.empty()
