-- Every statement of the command line. Names stand after `name:`, the line below says what for.

-- name: list
-- The newest tasks that fit; a filter that is null lets everything through.
SELECT task_id::text, status, model_name, model_version, caller, attempts, submitted_at, started_at, finished_at, error
FROM predictions
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(model)s::text IS NULL OR model_name = %(model)s)
  AND (%(caller)s::text IS NULL OR caller = %(caller)s)
  AND (%(since_s)s::float8 IS NULL OR submitted_at >= now() - make_interval(secs => %(since_s)s))
ORDER BY submitted_at DESC, task_id DESC
LIMIT %(limit)s;

-- name: show
-- One task with all that a person may want to know.
SELECT task_id::text, status, model_name, model_version, caller, attempts, submitted_at, started_at, finished_at, error,
       attempt_limit, sent_at, lease_until, worker, correlation_id, features, prediction
FROM predictions WHERE task_id = %(task_id)s;

-- name: story
-- What happened to a task, in order.
SELECT at, from_status, to_status, attempt, who FROM transitions WHERE task_id = %(task_id)s ORDER BY id;

-- name: state
-- Why a requeue or a cancellation changed nothing: the task's status, `expired`, or no row.
SELECT status FROM predictions WHERE task_id = %(task_id)s
UNION ALL
SELECT 'expired' FROM expired WHERE task_id = %(task_id)s
LIMIT 1;

-- name: requeue
-- Queues a failed task again, with as many attempts as a new one has; the next sweep wakes it up.
UPDATE predictions
SET status = 'queued', error = NULL, started_at = NULL, finished_at = NULL, sent_at = NULL,
    attempt_limit = attempts + %(max_attempts)s
WHERE task_id = %(task_id)s AND status = 'failed'
RETURNING task_id::text;

-- name: clock
-- What time it is in the database.
SELECT now();

-- name: requeue_failed
-- The same for the oldest tasks that had failed by then, a step of them: those that fail anew meanwhile stay as they are.
WITH failed AS (
    SELECT task_id FROM predictions
    WHERE status = 'failed' AND finished_at <= %(failed_by)s
      AND (%(model)s::text IS NULL OR model_name = %(model)s)
    ORDER BY finished_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE predictions p
SET status = 'queued', error = NULL, started_at = NULL, finished_at = NULL, sent_at = NULL,
    attempt_limit = p.attempts + %(max_attempts)s
FROM failed
WHERE p.task_id = failed.task_id
RETURNING p.task_id::text;

-- name: cancel
-- Ends a task that has not ended, and tells those who wait; a worker that runs it can write nothing any more.
WITH cancelled AS (
    UPDATE predictions
    SET status = 'cancelled', finished_at = now(), lease_until = NULL
    WHERE task_id = %(task_id)s AND status IN ('queued', 'running')
    RETURNING task_id::text
)
SELECT task_id, pg_notify(%(channel)s, task_id) FROM cancelled;
