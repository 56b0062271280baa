"""What can happen to one run of a function, as the Runtime API and the guard tell it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for the function, with what its context object is made from."""

    request_id: str
    payload: bytes
    invoked_arn: str
    deadline_epoch_ms: int
    trace_id: str | None = None
    client_context: str | None = None
    cognito_identity: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The runtime asked for its first event: the init phase is over."""


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The runtime reported an error of its init phase."""

    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class Responded:
    """The function returned."""

    request_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised."""

    request_id: str
    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The function returned more than AWS passes on."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The function's process and all of its descendants are gone."""

    exit_code: int | None = None
    signal: int | None = None
    over_memory: bool = False
    exec_error: str | None = None


type Event = Ready | InitFailed | Responded | Failed | TooLarge | Exited
