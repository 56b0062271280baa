"""What a function may refuse or fail at; `problems.py` says which HTTP answer each becomes."""

from collections.abc import Mapping

from inference_contract.errors import InferenceError


class ApiError(InferenceError):
    """The request could not be answered."""

    def __init__(self, message: str | None = None, members: Mapping[str, object] | None = None) -> None:
        """Carry what the problem document shall say.

        Args:
            message: what was wrong and what would be right; the class docstring where none is given.
            members: further members of the problem document, JSON values only.
        """
        super().__init__(message)
        self.members = dict(members or {})


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


class UnknownModelError(ApiError):
    """No worker has registered this model."""


class NoModelError(ApiError):
    """No worker has registered a model yet: start a worker, then submit again."""


class UnknownTaskError(ApiError):
    """No job has this task id."""


class NotReadyError(ApiError):
    """A part that jobs need is down."""


class DatabaseUnavailableError(ApiError):
    """The database did not answer in time; try again."""


class BrokerUnavailableError(ApiError):
    """The broker did not answer in time."""
