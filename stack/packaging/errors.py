"""The packaging's own error."""

from inference_contract.errors import InferenceError


class PackagingError(InferenceError):
    """A function could not be packaged."""
