"""The one root of the project's own exceptions."""


class InferenceError(Exception):
    """The inference platform could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        """Use the class docstring where no message is given.

        Args:
            message: what was wrong and what would be right.
        """
        super().__init__(message or (self.__doc__ or "").strip())
