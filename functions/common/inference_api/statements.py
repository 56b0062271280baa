"""Every SQL statement of the functions, named, with what it is for. Tables: infra/postgres/migrations."""

from typing import Final

from inference_contract.names import CHANNEL_FINISHED

INSERT_JOB: Final = """
INSERT INTO predictions (task_id, model_name, model_version, features, correlation_id)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (task_id) DO NOTHING
"""
"""Accept a job. The conflict clause lets it run again when the connection died before its answer came."""

MARK_SENT: Final = """
SET LOCAL synchronous_commit TO off;
UPDATE predictions SET sent_at = now() WHERE task_id = %s
"""
"""Note that a wake-up was sent. Not waiting for the disk is honest: losing this only sends it once more."""

SELECT_JOB: Final = """
SELECT task_id::text, status, model_name, model_version, prediction, error, attempts,
       submitted_at, started_at, finished_at
FROM predictions WHERE task_id = %s
"""
"""Read a job as a client may see it."""

SELECT_MODELS: Final = """
SELECT name, version, feature_names, classes FROM models ORDER BY name, registered_at DESC, version DESC
"""
"""List what the workers serve, each name's default version first."""

COUNT_LIVE_WORKERS: Final = """
SELECT count(*) FROM workers WHERE seen_at > now() - make_interval(secs => %s)
"""
"""Count workers by their heartbeats, on the database's clock."""

LISTEN_FINISHED: Final = f"LISTEN {CHANNEL_FINISHED}"
"""Hear of each job that reaches a final state from here on."""

UNLISTEN_ALL: Final = "UNLISTEN *"
"""Stop hearing, so that an idle connection piles up no notices on the server."""
