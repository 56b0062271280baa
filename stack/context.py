"""One stack, as every step of the launcher sees it."""

from dataclasses import dataclass

from stack.credentials import Credentials, load_or_create
from stack.paths import Paths, paths_of
from stack.settings import Settings, load_settings

LOOPBACK = "127.0.0.1"
DATABASE = "celery_db"
OWNER = "celery_user"


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, folders and passwords of one stack."""

    settings: Settings
    paths: Paths
    credentials: Credentials
    only_looks: bool = False
    """Whether files are left as the running parts have them, whatever the settings say now."""

    def database_url(self, role: str) -> str:
        """Return the libpq URL of the project's database for one of its roles."""
        password = getattr(self.credentials, role)
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.settings.postgres_port}/{DATABASE}"

    @property
    def broker_url(self) -> str:
        """Return the URL of Redis as Celery reads it."""
        return f"redis://:{self.credentials.redis}@{LOOPBACK}:{self.settings.redis_port}/0"

    @property
    def localstack_url(self) -> str:
        """Return the address of LocalStack's one port."""
        return f"http://{LOOPBACK}:{self.settings.localstack_port}"

    @property
    def public_url(self) -> str:
        """Return the address that clients use."""
        return f"http://localhost:{self.settings.http_port}"


def load_context(*, only_looks: bool = False) -> Context:
    """Read the settings and open the stack's folder, creating what is missing.

    Args:
        only_looks: as in `Context`.

    Raises:
        StackError: a setting is not usable.
    """
    settings = load_settings()
    paths = paths_of(settings)
    paths.make()
    return Context(settings, paths, load_or_create(paths.credentials), only_looks)
