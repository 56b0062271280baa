"""What workers have told Postgres about themselves: the models they serve, and that they live."""

from inference_api import statements
from inference_api.postgres import Database
from inference_contract.job import Model, ModelId


class ModelRegistry:
    """Reads the models that may be asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> tuple[Model, ...]:
        """List all models, each name's default version first.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        return tuple(
            Model(ModelId(name, version), tuple(feature_names), tuple(classes))
            for name, version, feature_names, classes in self._database.rows(statements.SELECT_MODELS)
        )


class WorkerHeartbeats:
    """Reads which workers live."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_live(self, within_s: float) -> int:
        """Count the workers that were seen in the last `within_s` seconds.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        return int(self._database.rows(statements.COUNT_LIVE_WORKERS, (within_s,))[0][0])
