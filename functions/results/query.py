"""Query parameters: each at most once, and of the form that it needs."""

import re
from typing import Protocol

from inference_api.errors import InvalidQueryError


class Parameters(Protocol):
    """What was given, each name with a list of values."""

    def __contains__(self, name: str) -> bool:
        """Whether a parameter is given."""

    def getlist(self, k: str) -> list[str]:
        """List a parameter's values."""


def parameter(given: Parameters | None, name: str, form: re.Pattern[str], expected: str) -> str | None:
    """Take a parameter, `None` where it is not given.

    Args:
        given: all parameters of the request, `None` where it has none.
        name: of the parameter.
        form: what it must match as a whole.
        expected: the same in words.

    Raises:
        InvalidQueryError: it is given twice, or is of another form.
    """
    if given is None or name not in given:
        return None
    values = given.getlist(name)
    if len(values) != 1 or not form.fullmatch(values[0]):
        raise InvalidQueryError(f"`{name}` must be {expected}.")
    return values[0]
