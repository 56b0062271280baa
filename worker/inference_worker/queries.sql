-- Every statement of the worker. Names stand after `name:`, the line below says what for (ADR 0003).

-- name: claim
-- Takes the woken row, and mates of its model that nobody has tried yet, as far as they fit the batch.
-- The woken row's lock is waited for: whoever holds it (a sweep, the sender's note of the send) is done in a moment,
-- and skipping it would leave the row without a wake-up. Mates are skipped when locked: each has its own.
-- Mates are the newest, because the oldest rows' wake-ups are next in the queue and would find nothing: so the first
-- wake-ups of a backlog clear it, and no row waits longer than its own wake-up does.
WITH woken AS (
    SELECT task_id, model_name, model_version, attempts, jsonb_array_length(features) AS feature_rows
    FROM predictions
    WHERE task_id = %(task_id)s AND status = 'queued'
    FOR UPDATE
), mates AS (
    SELECT p.task_id, p.submitted_at, jsonb_array_length(p.features) AS feature_rows
    FROM predictions p
    JOIN woken w ON p.model_name = w.model_name AND p.model_version = w.model_version
    WHERE p.status = 'queued' AND p.attempts = 0 AND w.attempts = 0 AND p.task_id <> w.task_id
    ORDER BY p.submitted_at DESC
    LIMIT %(mates)s
    FOR UPDATE OF p SKIP LOCKED
), sized AS (
    SELECT task_id, sum(feature_rows) OVER (ORDER BY submitted_at DESC, task_id) AS rows_so_far FROM mates
), chosen AS (
    SELECT task_id, 0 AS place FROM woken
    UNION ALL
    SELECT s.task_id, 1 FROM sized s, woken w WHERE s.rows_so_far + w.feature_rows <= %(rows_max)s
), claimed AS (
    UPDATE predictions p
    SET status = 'running', attempts = p.attempts + 1, started_at = now(), worker = %(worker)s,
        lease_until = now() + make_interval(secs => %(lease_s)s)
    FROM chosen c
    WHERE p.task_id = c.task_id AND p.status = 'queued'
    RETURNING p.task_id::text, p.attempts, p.features, p.correlation_id, p.model_name, p.model_version,
              extract(epoch FROM now() - p.submitted_at)::float8 AS queued_s, c.place, p.submitted_at
)
SELECT task_id, attempts, features, correlation_id, model_name, model_version, queued_s
FROM claimed ORDER BY place, submitted_at;

-- name: finish
-- Writes results where the claim still holds, and tells those who wait; returns what was written.
WITH written AS (
    UPDATE predictions p
    SET status = r.status, prediction = nullif(r.prediction, 'null'::jsonb), error = r.error, finished_at = now(), lease_until = NULL
    FROM jsonb_to_recordset(%(outcomes)s::jsonb)
         AS r (task_id uuid, attempt integer, status text, prediction jsonb, error text)
    WHERE p.task_id = r.task_id AND p.attempts = r.attempt AND p.status = 'running'
    RETURNING p.task_id::text
)
SELECT task_id, pg_notify(%(channel)s, task_id) FROM written;

-- name: renew
-- Puts the end of held leases off, by the database's clock.
UPDATE predictions p
SET lease_until = now() + make_interval(secs => %(lease_s)s)
FROM unnest(%(task_ids)s::uuid[], %(attempts)s::integer[]) AS held (task_id, attempt)
WHERE p.task_id = held.task_id AND p.attempts = held.attempt AND p.status = 'running'
RETURNING p.task_id::text;

-- name: give_back
-- Ends held leases at once, so that the next sweep queues the rows again or fails those at the attempt limit.
UPDATE predictions p
SET lease_until = now()
FROM unnest(%(task_ids)s::uuid[], %(attempts)s::integer[]) AS held (task_id, attempt)
WHERE p.task_id = held.task_id AND p.attempts = held.attempt AND p.status = 'running'
RETURNING p.task_id::text;

-- name: take_back
-- Queues rows again whose lease has run out, or fails those that have no attempt left; two sweeps never share a row.
WITH lost AS (
    SELECT task_id FROM predictions
    WHERE status = 'running' AND lease_until <= now()
    ORDER BY lease_until
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE predictions p
    SET status = CASE WHEN p.attempts < %(max_attempts)s THEN 'queued' ELSE 'failed' END,
        started_at = CASE WHEN p.attempts < %(max_attempts)s THEN NULL ELSE p.started_at END,
        finished_at = CASE WHEN p.attempts < %(max_attempts)s THEN NULL ELSE now() END,
        error = CASE WHEN p.attempts < %(max_attempts)s THEN NULL ELSE %(reason)s END,
        sent_at = NULL, lease_until = NULL
    FROM lost
    WHERE p.task_id = lost.task_id
    RETURNING p.task_id::text, p.status, p.attempts, p.correlation_id
)
SELECT task_id, status, attempts, correlation_id,
       CASE WHEN status = 'failed' THEN pg_notify(%(channel)s, task_id) END
FROM taken;

-- name: due_wake_ups
-- Notes a send for queued rows whose wake-up never left or is long gone, and returns them to be sent.
WITH due AS (
    SELECT task_id FROM predictions
    WHERE status = 'queued'
      AND coalesce(sent_at + make_interval(secs => %(resend_after_s)s),
                   submitted_at + make_interval(secs => %(send_grace_s)s)) <= now()
    ORDER BY sent_at NULLS FIRST, submitted_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE predictions p SET sent_at = now() FROM due WHERE p.task_id = due.task_id
RETURNING p.task_id::text, p.correlation_id;

-- name: not_sent
-- Takes the note of a send back that failed after all.
UPDATE predictions SET sent_at = NULL WHERE task_id = ANY(%(task_ids)s::uuid[]) AND status = 'queued'
RETURNING task_id::text;

-- name: register_model
-- Makes a served model known to the functions; the first registration's time stays, it orders the versions.
INSERT INTO models (name, version, feature_names, classes, digest, accuracy)
VALUES (%(name)s, %(version)s, %(feature_names)s::jsonb, %(classes)s::jsonb, %(digest)s, %(accuracy)s)
ON CONFLICT (name, version) DO UPDATE
SET feature_names = excluded.feature_names, classes = excluded.classes,
    digest = excluded.digest, accuracy = excluded.accuracy
RETURNING name;

-- name: beat
-- Says that this worker is alive; a worker of the same name that starts anew takes the row over.
INSERT INTO workers (name) VALUES (%(name)s)
ON CONFLICT (name) DO UPDATE
SET seen_at = now(), started_at = CASE WHEN %(first)s THEN now() ELSE workers.started_at END
RETURNING name;

-- name: forget_worker
-- Removes a worker that stopped cleanly, and those that have been silent for a day.
DELETE FROM workers WHERE name = %(name)s OR seen_at < now() - interval '1 day' RETURNING name;
