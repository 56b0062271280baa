"""Names and limits that two processes must agree on: a change here is a change of contract."""

from typing import Final

TASK_RUN_PREDICTION: Final = "inference.run_prediction"
"""Celery task that wakes a worker up; its one argument is the task id as a string (ADR 0002)."""

QUEUE_PREDICTIONS: Final = "predictions"
"""Celery queue (a Redis list of the same name) that `TASK_RUN_PREDICTION` is sent to."""

CHANNEL_FINISHED: Final = "prediction_finished"
"""Postgres NOTIFY channel; the payload is the task id of a row that reached a final state."""

HEADER_REQUEST_ID: Final = "X-Request-Id"
"""HTTP header with the id that follows one request through Nginx, function, worker and row."""

HEADER_API_KEY: Final = "X-Api-Key"
"""HTTP header with the caller's key; only a digest of it is ever stored (ADR 0006)."""

HEADER_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""HTTP header of a submit: the caller's name for it, under which it is accepted once."""

HEADER_IDEMPOTENCY_REPLAYED: Final = "Idempotency-Replayed"
"""HTTP header of an answer: `true` where an earlier submit of the same key is answered again."""

HEADER_RECEIVED_AT: Final = "X-Received-At"
"""HTTP header in which Nginx says when a request came: seconds since the epoch. It overwrites a client's."""

MESSAGE_CORRELATION_ID: Final = "correlation_id"
"""Property of the Celery message that carries the request id on."""

DEFAULT_MODEL: Final = "iris"
"""Model that answers when a submit names none."""

MAX_INSTANCES: Final = 1000
"""Rows of features that one submit may hold."""

MAX_BODY_BYTES: Final = 1_000_000
"""Size of a submit's body; Nginx refuses at the same size before a function runs."""

MAX_WAIT_S: Final = 20
"""Longest long poll of `GET /results/{task_id}?wait=`, in seconds."""

MODEL_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A model's name or version: nothing that a log line, a metric or a column would stumble over."""

REQUEUE_ATTEMPTS: Final = 3
"""Further attempts that a requeue of a failed job allows; attempts themselves only grow."""

PAGE_DEFAULT: Final = 20
"""Jobs on one page of `GET /results`, where the caller asks for no number."""

PAGE_MAX: Final = 100
"""Most jobs on one page of `GET /results`."""
