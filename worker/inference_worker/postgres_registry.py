"""Tables `models` and `workers` in Postgres, as the heartbeat sees them."""

import json
from dataclasses import dataclass

from inference_worker.database import Database
from inference_worker.model_metadata import ModelMetadata


@dataclass(frozen=True, slots=True)
class PostgresRegistry:
    """Implements `Registry`."""

    database: Database

    def register(self, model: ModelMetadata) -> None:
        """Insert the model, or renew all but the time of its first registration."""
        self.database.rows(
            "register_model",
            {
                "name": model.name,
                "version": model.version,
                "feature_names": json.dumps(model.feature_names),
                "classes": json.dumps(model.classes),
                "digest": model.sha256,
                "accuracy": model.accuracy,
            },
        )

    def beat(self, worker: str, *, first: bool) -> None:
        """Insert the worker, or renew when it was seen."""
        self.database.rows("beat", {"name": worker, "first": first})

    def forget(self, worker: str) -> None:
        """Delete the worker's row."""
        self.database.rows("forget_worker", {"name": worker})
