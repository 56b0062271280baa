"""The job row, the models that may be asked, and the workers that are alive."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE models (
    name          text        NOT NULL,
    version       text        NOT NULL,
    feature_names jsonb       NOT NULL,
    classes       jsonb       NOT NULL,
    digest        text        NOT NULL,
    accuracy      double precision,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE models IS 'What the workers serve; the latest registered version of a name is its default.';

CREATE TABLE predictions (
    task_id        uuid        PRIMARY KEY,
    model_name     text        NOT NULL,
    model_version  text        NOT NULL,
    status         text        NOT NULL DEFAULT 'queued'
                   CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    features       jsonb       NOT NULL,
    prediction     jsonb,
    error          text,
    attempts       integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    submitted_at   timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz,
    started_at     timestamptz,
    finished_at    timestamptz,
    lease_until    timestamptz,
    worker         text,
    correlation_id text,
    FOREIGN KEY (model_name, model_version) REFERENCES models (name, version),
    CONSTRAINT features_are_rows_of_numbers CHECK (
        jsonb_typeof(features) = 'array'
        AND NOT jsonb_path_exists(features, 'strict $[*] ? (@.type() != "array")')
        AND NOT jsonb_path_exists(features, 'strict $[*][*] ? (@.type() != "number")')
    ),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status = 'succeeded') = (prediction IS NOT NULL)),
    CHECK ((status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
COMMENT ON TABLE predictions IS 'One row a job: the truth about it. A Celery message is only a wake-up.';
COMMENT ON COLUMN predictions.features IS 'Rows of features, oldest first: [[5.1, 3.5, 1.4, 0.2], ...]';
COMMENT ON COLUMN predictions.prediction IS 'One object a row: [{"label": ..., "probabilities": {...}}, ...]';
COMMENT ON COLUMN predictions.sent_at IS 'When a wake-up was last handed to the broker; null: not yet.';
COMMENT ON COLUMN predictions.attempts IS 'Claims so far: the fence that a late worker cannot write past.';

CREATE INDEX predictions_queued ON predictions (model_name, model_version, submitted_at)
    WHERE status = 'queued';
CREATE INDEX predictions_running ON predictions (lease_until) WHERE status = 'running';

CREATE TABLE workers (
    name       text        PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE workers IS 'Heartbeats of worker processes; GET /ready counts the recent ones.';
"""

GRANTS = """
GRANT SELECT ON models, workers TO functions_user, worker_user, readonly_user;
GRANT SELECT ON predictions TO functions_user, worker_user, readonly_user;
GRANT INSERT ON predictions TO functions_user;
GRANT UPDATE (sent_at) ON predictions TO functions_user;
GRANT UPDATE ON predictions TO worker_user;
GRANT INSERT, UPDATE ON models TO worker_user;
GRANT INSERT, UPDATE, DELETE ON workers TO worker_user;
"""


def upgrade() -> None:
    """Create the tables and give each role what its process needs, no more."""
    op.execute(TABLES)
    op.execute(GRANTS)
