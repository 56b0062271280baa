"""Who pushes: a function by its name, an execution environment by its id."""

import os
from collections.abc import Mapping
from typing import Final

ID_BYTES: Final = 16
UNNAMED: Final = "service_undefined"
"""What Powertools itself calls a service that was given no name."""


def job_of(environ: Mapping[str, str]) -> str:
    """Name the function: label `job`."""
    return environ.get("POWERTOOLS_SERVICE_NAME") or environ.get("AWS_LAMBDA_FUNCTION_NAME") or UNNAMED


def instance_of(environ: Mapping[str, str]) -> str:
    """Name the environment: label `instance`.

    Lambda gives each environment a log stream of its own, `2026/01/31/[$LATEST]<id>`, and so the id also
    finds the log; elsewhere a random one does.
    """
    stream = environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
    return stream.rpartition("]")[2] or os.urandom(ID_BYTES).hex()
