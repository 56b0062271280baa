"""Who asked, what happened to each job, and what has expired: the promise of a 202 becomes checkable."""

from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = """
ALTER TABLE predictions
    ADD COLUMN caller          text NOT NULL DEFAULT 'unknown',
    ADD COLUMN idempotency_key text,
    ADD COLUMN request_digest  text,
    ADD COLUMN attempt_limit   integer;
COMMENT ON COLUMN predictions.caller IS 'Who submitted, as the functions name callers; no other sees it.';
COMMENT ON COLUMN predictions.request_digest IS 'SHA-256 of what was asked: a key with another is refused.';
COMMENT ON COLUMN predictions.attempt_limit IS 'Raised by a requeue; null: the limit of the worker.';

CREATE UNIQUE INDEX predictions_idempotency ON predictions (caller, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX predictions_of_caller ON predictions (caller, submitted_at DESC, task_id DESC);
CREATE INDEX predictions_open ON predictions (caller) WHERE status IN ('queued', 'running');
CREATE INDEX predictions_finished ON predictions (finished_at) WHERE finished_at IS NOT NULL;
"""

TRANSITIONS = """
CREATE TABLE transitions (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id     uuid        NOT NULL REFERENCES predictions ON DELETE CASCADE,
    from_status text,
    to_status   text        NOT NULL,
    attempt     integer     NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    who         text        NOT NULL
);
CREATE INDEX transitions_of_task ON transitions (task_id, id);
COMMENT ON TABLE transitions IS 'Append-only: each change of a status, written by a trigger alone.';

CREATE FUNCTION record_transition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status IN ('succeeded', 'failed', 'cancelled')
       AND NOT (OLD.status = 'failed' AND NEW.status = 'queued') THEN
        RAISE EXCEPTION 'task % has ended as %: it cannot become %', NEW.task_id, OLD.status, NEW.status;
    END IF;
    INSERT INTO transitions (task_id, from_status, to_status, attempt, who)
    VALUES (NEW.task_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status, NEW.attempts,
            coalesce(nullif(current_setting('application_name'), ''), session_user));
    RETURN NULL;
END $$;

CREATE TRIGGER story_begins AFTER INSERT ON predictions
    FOR EACH ROW EXECUTE FUNCTION record_transition();
CREATE TRIGGER story_goes_on AFTER UPDATE OF status ON predictions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION record_transition();
"""

EXPIRED = """
CREATE TABLE expired (
    task_id    uuid        PRIMARY KEY,
    caller     text        NOT NULL,
    expired_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE expired IS 'Ids of jobs that were kept for their time and then deleted: they answer 410.';
"""

GRANTS = """
GRANT SELECT ON transitions, expired TO functions_user, worker_user, readonly_user;
GRANT UPDATE (status, sent_at, started_at, finished_at, lease_until, error, prediction, attempt_limit)
    ON predictions TO functions_user;
GRANT DELETE ON predictions TO worker_user;
GRANT INSERT, DELETE ON expired TO worker_user;
"""


def upgrade() -> None:
    """Add the columns, the log with its triggers, the tombstones, and the rights on them."""
    for statements in (COLUMNS, TRANSITIONS, EXPIRED, GRANTS):
        op.execute(statements)
