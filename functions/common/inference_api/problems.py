"""Errors become HTTP here and nowhere else: RFC 9457 problem documents, with one extra `error` member."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from chalice.app import Response

from inference_api import errors

PROBLEM_JSON: Final = "application/problem+json"
RETRY_SOON_S: Final = 2
"""A dead part is back within seconds or not for long; a client that waits less only adds load."""
UNEXPECTED_DETAIL: Final = "Something went wrong here. The request id finds it in the logs."


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of error is answered; `slug` ends the problem's type, `retry_after_s` is in seconds."""

    status: HTTPStatus
    slug: str
    title: str
    retry_after_s: int | None = None


KINDS: Final[Mapping[type[Exception], Kind]] = {
    errors.MalformedBodyError: Kind(HTTPStatus.BAD_REQUEST, "malformed-body", "The body is not JSON"),
    errors.InvalidQueryError: Kind(HTTPStatus.BAD_REQUEST, "invalid-query", "A query parameter is not valid"),
    errors.InvalidHeaderError: Kind(HTTPStatus.BAD_REQUEST, "invalid-header", "A header is not valid"),
    errors.UnknownTaskError: Kind(HTTPStatus.NOT_FOUND, "unknown-task", "No such task"),
    errors.AlreadyFinishedError: Kind(HTTPStatus.CONFLICT, "already-finished", "The task has ended"),
    errors.NotFailedError: Kind(HTTPStatus.CONFLICT, "not-failed", "The task has not failed"),
    errors.ExpiredTaskError: Kind(HTTPStatus.GONE, "expired-task", "The task has expired"),
    errors.BodyTooLargeError: Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "The body is too large"
    ),
    errors.InvalidInputError: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", "The input is not valid"
    ),
    errors.IdempotencyKeyReusedError: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The idempotency key is taken"
    ),
    errors.UnknownModelError: Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-model", "No such model"),
    errors.CallerFullError: Kind(
        HTTPStatus.TOO_MANY_REQUESTS, "caller-full", "Too many unfinished tasks", RETRY_SOON_S
    ),
    errors.SystemFullError: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "system-full", "The platform is full", RETRY_SOON_S
    ),
    errors.TooLateError: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "too-late", "Too much is going on", RETRY_SOON_S
    ),
    errors.NoModelError: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "no-model", "No model is registered yet", RETRY_SOON_S
    ),
    errors.NotReadyError: Kind(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "Not ready", RETRY_SOON_S),
    errors.DatabaseUnavailableError: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "database-unavailable", "The database is unavailable", RETRY_SOON_S
    ),
}
UNEXPECTED: Final = Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "An unexpected error")


def kind_of(error: Exception) -> Kind:
    """Find how an error is answered; one that no row names is unexpected, hence a 500."""
    return next((KINDS[base] for base in type(error).__mro__ if base in KINDS), UNEXPECTED)


def from_error(error: Exception, instance: str) -> Response:
    """Answer an error that our own code raised.

    Args:
        error: an `ApiError` speaks for itself; of any other nothing is shown.
        instance: the path that was asked.
    """
    kind = kind_of(error)
    if not isinstance(error, errors.ApiError):
        return _document(kind, UNEXPECTED_DETAIL, instance, {})
    if error.retry_after_s is not None:
        kind = replace(kind, retry_after_s=error.retry_after_s)
    return _document(kind, str(error), instance, error.members)


def from_status(status: int, detail: str, instance: str) -> Response:
    """Answer an error that Chalice found before our own code ran, such as a method that a route lacks."""
    known = HTTPStatus(status)
    kind = Kind(known, known.phrase.lower().replace(" ", "-"), known.phrase)
    return _document(kind, detail, instance, {})


def _document(kind: Kind, detail: str, instance: str, members: Mapping[str, object]) -> Response:
    body = {
        **members,
        "type": f"urn:inference:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status.value,
        "detail": detail,
        "instance": instance,
        "error": detail,
    }
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM_JSON}
    if kind.retry_after_s is not None:
        headers["Retry-After"] = str(kind.retry_after_s)
    return Response(body=json.dumps(body, allow_nan=False), status_code=kind.status.value, headers=headers)
