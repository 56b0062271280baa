"""What this package refuses, each with the text its user needs to set it right."""


class ProcessExecutorError(Exception):
    """The process executor cannot do what was asked."""


class SettingsError(ProcessExecutorError):
    """A LAMBDA_PROCESS_ setting has a value that cannot be used."""


class UnsupportedRuntimeError(ProcessExecutorError):
    """The process executor does not support this runtime."""


class RuntimeNotProvidedError(ProcessExecutorError):
    """The interpreter or the runtime folder of a supported runtime is missing."""


class UidsExhaustedError(ProcessExecutorError):
    """Every user id of LAMBDA_PROCESS_UID_RANGE is in use."""
