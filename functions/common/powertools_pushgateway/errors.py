"""What can go wrong in here; none of it ever leaves the package, all of it is counted."""


class PushgatewayError(Exception):
    """Metrics could not be kept or pushed."""


class PushError(PushgatewayError):
    """The gateway did not take a push."""


class RefusedError(PushgatewayError):
    """A sample cannot be kept.

    Args:
        reason: value of label `reason`, one of a few constants.
        subject: what was refused, for the one warning.
    """

    def __init__(self, reason: str, subject: str) -> None:
        super().__init__(f"{reason}: {subject}")
        self.reason = reason
        self.subject = subject
