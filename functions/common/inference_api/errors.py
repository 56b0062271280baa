"""What a function may refuse or fail at; `problems.py` says which HTTP answer each becomes."""

from collections.abc import Mapping

from inference_contract.errors import InferenceError


class ApiError(InferenceError):
    """The request could not be answered."""

    def __init__(
        self,
        message: str | None = None,
        members: Mapping[str, object] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """Carry what the problem document shall say.

        Args:
            message: what was wrong and what would be right; the class docstring where none is given.
            members: further members of the problem document, JSON values only.
            retry_after_s: when to ask again, where this error knows better than its kind.
        """
        super().__init__(message)
        self.members = dict(members or {})
        self.retry_after_s = retry_after_s


class SettingsError(InferenceError):
    """An environment variable that the function needs is missing or wrong."""


class BodyTooLargeError(ApiError):
    """The body is larger than a submit may be."""


class MalformedBodyError(ApiError):
    """The body is not JSON."""


class InvalidInputError(ApiError):
    """The body is JSON, but no submit."""


class InvalidQueryError(ApiError):
    """A query parameter has a value that it cannot have."""


class InvalidHeaderError(ApiError):
    """A header has a value that it cannot have."""


class IdempotencyKeyReusedError(ApiError):
    """This idempotency key was used for another submit: choose a new key for a new one."""


class CallerFullError(ApiError):
    """This caller has as many unfinished jobs as it may have."""


class SystemFullError(ApiError):
    """The platform has as many unfinished jobs as it can hold."""


class TooLateError(ApiError):
    """The request waited too long for its turn; nothing was accepted. Try again in a moment."""


class UnknownModelError(ApiError):
    """No worker has registered this model."""


class NoModelError(ApiError):
    """No worker has registered a model yet: start a worker, then submit again."""


class UnknownTaskError(ApiError):
    """No job has this task id."""


class ExpiredTaskError(ApiError):
    """The job was kept for its time and is deleted."""


class AlreadyFinishedError(ApiError):
    """The job has ended already."""


class NotFailedError(ApiError):
    """Only a failed job can be queued again."""


class NotReadyError(ApiError):
    """A part that jobs need is down."""


class DatabaseUnavailableError(ApiError):
    """The database did not answer in time; try again."""


class BrokerUnavailableError(ApiError):
    """The broker did not answer in time."""
