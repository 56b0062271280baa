"""What can go wrong in the worker, by what is to be done about it."""

from inference_contract.errors import InferenceError


class SettingsError(InferenceError):
    """The environment does not describe a worker."""


class ModelUnavailableError(InferenceError):
    """The model cannot be served: there is no artifact, or it is not the one that its metadata describes."""


class ModelCallError(InferenceError):
    """The model did not answer this input."""


class StoreUnavailableError(InferenceError):
    """Postgres did not answer: the row stays as it is until its lease runs out."""


class SendFailedError(InferenceError):
    """The broker did not take the wake-up: a later sweep sends it."""


class TimeLimitError(InferenceError):
    """The task took longer than its soft time limit."""
