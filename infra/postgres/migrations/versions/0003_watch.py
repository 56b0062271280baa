"""What keeps a pool moving: models known to be slow, and workers that ended themselves to be restarted."""

from alembic import op

revision = "0003"
down_revision = "0002"

SLOW_MODELS = """
ALTER TABLE models ADD COLUMN slow_until timestamptz;
COMMENT ON COLUMN models.slow_until IS 'Until then each pool keeps a process free of it; null: never timed.';

CREATE FUNCTION has_room_for_slow(pool text, processes integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = public AS $$
BEGIN
    -- Claims of slow models take turns within a pool; each statement here sees what the last one committed.
    PERFORM pg_advisory_xact_lock(hashtext(pool));
    RETURN (
        SELECT count(DISTINCT p.worker)
        FROM predictions p
        JOIN models m ON m.name = p.model_name AND m.version = p.model_version
        WHERE p.status = 'running' AND p.lease_until > now() AND starts_with(p.worker, pool || '/')
          AND coalesce(m.slow_until, 'infinity') > now()
    ) < greatest(processes - 1, 1);
END $$;
"""

WORKER_ENDS = """
CREATE TABLE worker_ends (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker text        NOT NULL,
    reason text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE worker_ends IS 'Append-only: each time a worker ended itself to be started anew.';
"""

INDEXES = """
CREATE INDEX expired_by_age ON expired (expired_at);
"""

GRANTS = """
GRANT SELECT ON worker_ends TO functions_user, worker_user, readonly_user;
GRANT INSERT ON worker_ends TO worker_user;
"""


def upgrade() -> None:
    """Add the column with its question, the log of ends, an index for old tombstones, and the rights."""
    for statements in (SLOW_MODELS, WORKER_ENDS, INDEXES, GRANTS):
        op.execute(statements)
