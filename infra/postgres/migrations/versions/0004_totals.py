"""Every transition counted in the transaction that makes it: totals that no crash and no expiry can lower."""

from alembic import op

revision = "0004"
down_revision = "0003"

TOTALS = """
-- Half-filled pages: a total that grows stays on its page, and vacuum, which comes often, is soon done.
CREATE TABLE job_totals (
    slot          integer NOT NULL,
    model_name    text    NOT NULL,
    model_version text    NOT NULL,
    from_status   text    NOT NULL,
    to_status     text    NOT NULL,
    total         bigint  NOT NULL,
    PRIMARY KEY (slot, model_name, model_version, from_status, to_status)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE job_totals IS 'Transitions so far: sum over the slots. Triggers write them.';
COMMENT ON COLUMN job_totals.slot IS
    'Process id of the connection that counts, so that none waits for another; 0: of those that are gone.';
COMMENT ON COLUMN job_totals.from_status IS 'none: a submit.';

CREATE INDEX predictions_failed ON predictions (model_name, model_version) WHERE status = 'failed';
"""

# A trigger a statement, not a row: a batch of 64 is one insert into the log and one total to raise.
TRIGGERS = """
DROP TRIGGER story_begins ON predictions;
DROP TRIGGER story_goes_on ON predictions;
DROP FUNCTION record_transition();

CREATE FUNCTION refuse_transition() RETURNS trigger
LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    RAISE EXCEPTION 'task % has ended as %: it cannot become %', NEW.task_id, OLD.status, NEW.status;
END $$;

CREATE FUNCTION record_submits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    WITH logged AS (
        INSERT INTO transitions (task_id, to_status, attempt, who)
        SELECT task_id, status, attempts,
               coalesce(nullif(current_setting('application_name'), ''), session_user)
        FROM new_rows
    )
    INSERT INTO job_totals
    SELECT pg_backend_pid(), model_name, model_version, 'none', status, count(*)
    FROM new_rows GROUP BY model_name, model_version, status
    ON CONFLICT (slot, model_name, model_version, from_status, to_status)
    DO UPDATE SET total = job_totals.total + excluded.total;
    RETURN NULL;
END $$;

CREATE FUNCTION record_transitions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT n.task_id, n.model_name, n.model_version, n.attempts,
               o.status AS from_status, n.status AS to_status
        FROM new_rows n JOIN old_rows o USING (task_id)
        WHERE o.status <> n.status
    ), logged AS (
        INSERT INTO transitions (task_id, from_status, to_status, attempt, who)
        SELECT task_id, from_status, to_status, attempts,
               coalesce(nullif(current_setting('application_name'), ''), session_user)
        FROM changed
    )
    INSERT INTO job_totals
    SELECT pg_backend_pid(), model_name, model_version, from_status, to_status, count(*)
    FROM changed GROUP BY model_name, model_version, from_status, to_status
    ON CONFLICT (slot, model_name, model_version, from_status, to_status)
    DO UPDATE SET total = job_totals.total + excluded.total;
    RETURN NULL;
END $$;

CREATE TRIGGER story_has_ended AFTER UPDATE OF status ON predictions
    FOR EACH ROW WHEN (
        OLD.status IN ('succeeded', 'failed', 'cancelled') AND OLD.status <> NEW.status
        AND NOT (OLD.status = 'failed' AND NEW.status = 'queued')
    ) EXECUTE FUNCTION refuse_transition();
CREATE TRIGGER story_begins AFTER INSERT ON predictions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_submits();
CREATE TRIGGER story_goes_on AFTER UPDATE ON predictions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION record_transitions();
"""

# In the order of the key, as two folds at once would wait for each other; what one holds the other skips.
# A new connection of the same process id that counts meanwhile waits for the fold and then begins anew.
FOLD = """
CREATE FUNCTION fold_job_totals(at_most integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    WITH left_over AS (
        SELECT slot, model_name, model_version, from_status, to_status
        FROM job_totals t
        WHERE slot <> 0 AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = t.slot)
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM job_totals t USING left_over l
        WHERE (t.slot, t.model_name, t.model_version, t.from_status, t.to_status)
            = (l.slot, l.model_name, l.model_version, l.from_status, l.to_status)
        RETURNING t.*
    ), folded AS (
        INSERT INTO job_totals
        SELECT 0, model_name, model_version, from_status, to_status, sum(total)
        FROM gone GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
        ON CONFLICT (slot, model_name, model_version, from_status, to_status)
        DO UPDATE SET total = job_totals.total + excluded.total
    )
    SELECT count(*)::integer FROM gone
$$;
REVOKE EXECUTE ON FUNCTION fold_job_totals FROM PUBLIC;
COMMENT ON FUNCTION fold_job_totals IS 'Adds what connections that are gone counted to slot 0.';
"""

# The triggers' lock keeps writers out until this is committed: nothing is counted twice or left out.
SO_FAR = """
INSERT INTO job_totals
SELECT 0, p.model_name, p.model_version, coalesce(t.from_status, 'none'), t.to_status, count(*)
FROM transitions t JOIN predictions p USING (task_id)
GROUP BY 2, 3, 4, 5;
"""

GRANTS = """
GRANT SELECT ON job_totals TO functions_user, worker_user, readonly_user, exporter_user;
GRANT EXECUTE ON FUNCTION fold_job_totals TO worker_user;
GRANT SELECT ON models, workers, worker_ends TO exporter_user;
GRANT SELECT (model_name, model_version, status, submitted_at, sent_at, lease_until) ON predictions
    TO exporter_user;
"""


def upgrade() -> None:
    """Add the totals with what counts and folds them, take over what the log knows, and give the rights."""
    for statements in (TOTALS, TRIGGERS, FOLD, SO_FAR, GRANTS):
        op.execute(statements)
