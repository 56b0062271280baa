"""The settings of the executor: read once from LAMBDA_PROCESS_ variables, refused with their name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_process_executor.errors import SettingsError

PREFIX = "LAMBDA_PROCESS_"
INTERPRETER_PREFIX = f"{PREFIX}PYTHON_"

# AWS ends the init phase after this many seconds.
AWS_INIT_TIMEOUT_S = 10.0
DEFAULT_STOP_GRACE_MS = 500
DEFAULT_MAX_ENVIRONMENTS = 50
# Above the ids that Debian's adduser and systemd hand out, below the "nobody" of 32-bit systems.
DEFAULT_UID_RANGE = "2100000-2100999"

KNOWN = frozenset(
    {
        "RUNTIME_DIR",
        "LOG_FILE",
        "MAX_ENVIRONMENTS",
        "STOP_GRACE_MS",
        "UID_RANGE",
        "GATEWAY_DIRECT",
        "INIT_TIMEOUT_S",
    },
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One value for each LAMBDA_PROCESS_ variable, see the README."""

    runtime_dir: Path | None = None
    interpreters: Mapping[str, Path] | None = None
    log_file: Path | None = None
    max_environments: int = DEFAULT_MAX_ENVIRONMENTS
    stop_grace_ms: int = DEFAULT_STOP_GRACE_MS
    uid_range: range | None = None
    gateway_direct: bool = True
    init_timeout_s: float = AWS_INIT_TIMEOUT_S


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every LAMBDA_PROCESS_ variable of `environ`; an empty value counts as absent.

    Raises:
        SettingsError: naming the variable and what it should be.
    """
    given = {
        name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX) and text
    }
    interpreters = {name for name in given if name.startswith("PYTHON_")}
    if unknown := set(given) - KNOWN - interpreters:
        raise SettingsError(
            f"unknown setting {PREFIX}{min(unknown)}; known are {', '.join(sorted(KNOWN))}, PYTHON_3_N"
        )
    runtime_dir = given.get("RUNTIME_DIR")
    log_file = given.get("LOG_FILE")
    return Settings(
        runtime_dir=_folder("RUNTIME_DIR", runtime_dir) if runtime_dir else None,
        interpreters={_runtime_of(name): _program(name, given[name]) for name in interpreters},
        log_file=_absolute("LOG_FILE", log_file) if log_file else None,
        max_environments=_number(given, "MAX_ENVIRONMENTS", int, DEFAULT_MAX_ENVIRONMENTS, minimum=1),
        stop_grace_ms=_number(given, "STOP_GRACE_MS", int, DEFAULT_STOP_GRACE_MS, minimum=0),
        uid_range=_uid_range(given.get("UID_RANGE", DEFAULT_UID_RANGE)),
        gateway_direct=_switch("GATEWAY_DIRECT", given.get("GATEWAY_DIRECT", "1")),
        init_timeout_s=_number(given, "INIT_TIMEOUT_S", float, AWS_INIT_TIMEOUT_S, minimum=0.1),
    )


def _runtime_of(name: str) -> str:
    return name.lower().replace("python_", "python", 1).replace("_", ".")


def _absolute(name: str, text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise SettingsError(f"{PREFIX}{name} must be an absolute path, not {text!r}")
    return path


def _folder(name: str, text: str) -> Path:
    path = _absolute(name, text)
    if not path.is_dir():
        raise SettingsError(f"{PREFIX}{name} is no folder: {text}")
    return path


def _program(name: str, text: str) -> Path:
    path = _absolute(name, text)
    if not path.is_file():
        raise SettingsError(f"{PREFIX}{name} is no program: {text}")
    return path


def _number[N: (int, float)](
    given: Mapping[str, str], name: str, kind: Callable[[str], N], default: N, *, minimum: float
) -> N:
    text = given.get(name)
    if text is None:
        return default
    try:
        number = kind(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name} must be a number, not {text!r}") from error
    if not minimum <= number < float("inf"):
        raise SettingsError(f"{PREFIX}{name} must be at least {minimum}, not {text}")
    return number


def _switch(name: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise SettingsError(f"{PREFIX}{name} must be 0 or 1, not {text!r}")
    return text == "1"


def _uid_range(text: str) -> range | None:
    """`first-last`, or `off` for the same user."""
    if text == "off":
        return None
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last)):
        raise SettingsError(
            f"{PREFIX}UID_RANGE must look like 2100000-2100999 (root's 0 not in it) or be off, not {text!r}"
        )
    return range(int(first), int(last) + 1)
