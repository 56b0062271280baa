-- Every statement of the worker. Names stand after `name:`, the line below says what for (ADR 0003).

-- name: claim
-- Takes the woken row, and mates of its model that nobody has tried yet, as far as they fit the batch.
-- The woken row's lock is waited for: whoever holds it (a sweep, the sender's note of the send) is done in a moment,
-- and skipping it would leave the row without a wake-up. Mates are skipped when locked: each has its own.
-- Mates are the newest, because the oldest rows' wake-ups are next in the queue and would find nothing: so the first
-- wake-ups of a backlog clear it, and no row waits longer than its own wake-up does. Only those few are opened: to read
-- the length of each queued row's features would take seconds where a backlog's jobs are large.
-- A model that is slow, or was never timed, leaves one process of the pool to the others: its row is deferred, which
-- takes the note of its send back, so that the next sweep wakes it up again.
WITH woken AS MATERIALIZED (
    SELECT task_id, model_name, model_version, attempts, jsonb_array_length(features) AS feature_rows
    FROM predictions
    WHERE task_id = %(task_id)s AND status = 'queued'
    FOR UPDATE
), admitted AS MATERIALIZED (
    SELECT w.*
    FROM woken w
    JOIN models m ON m.name = w.model_name AND m.version = w.model_version
    WHERE CASE WHEN coalesce(m.slow_until, 'infinity') > now() THEN has_room_for_slow(%(pool)s, %(processes)s)
               ELSE true END
), deferred AS (
    UPDATE predictions p SET sent_at = NULL
    FROM woken w
    WHERE p.task_id = w.task_id AND NOT EXISTS (SELECT FROM admitted)
), mates AS (
    SELECT m.task_id, m.submitted_at, jsonb_array_length(m.features) AS feature_rows
    FROM admitted w
    CROSS JOIN LATERAL (
        SELECT p.task_id, p.submitted_at, p.features
        FROM predictions p
        WHERE p.model_name = w.model_name AND p.model_version = w.model_version
          AND p.status = 'queued' AND p.attempts = 0 AND p.task_id <> w.task_id
        ORDER BY p.submitted_at DESC
        LIMIT %(mates)s
        FOR UPDATE SKIP LOCKED
    ) AS m
    WHERE w.attempts = 0
), sized AS (
    SELECT task_id, sum(feature_rows) OVER (ORDER BY submitted_at DESC, task_id) AS rows_so_far FROM mates
), chosen AS (
    SELECT task_id, 0 AS place FROM admitted
    UNION ALL
    SELECT s.task_id, 1 FROM sized s, admitted w WHERE s.rows_so_far + w.feature_rows <= %(rows_max)s
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
-- A model that answers for the first time before its lease is renewed counts as timed, and as not slow.
WITH written AS (
    UPDATE predictions p
    SET status = r.status, prediction = nullif(r.prediction, 'null'::jsonb), error = r.error,
        finished_at = now(), lease_until = NULL
    FROM jsonb_to_recordset(%(outcomes)s::jsonb)
         AS r (task_id uuid, attempt integer, status text, prediction jsonb, error text)
    WHERE p.task_id = r.task_id AND p.attempts = r.attempt AND p.status = 'running'
    RETURNING p.task_id::text, p.status, p.model_name, p.model_version
), timed AS (
    UPDATE models m SET slow_until = '-infinity'
    FROM (SELECT DISTINCT model_name, model_version FROM written WHERE status = 'succeeded') w
    WHERE m.name = w.model_name AND m.version = w.model_version AND m.slow_until IS NULL
)
SELECT task_id, pg_notify(%(channel)s, task_id) FROM written;

-- name: renew
-- Puts the end of held leases off, by the database's clock; a model that needs this is slow for a while.
WITH renewed AS (
    UPDATE predictions p
    SET lease_until = now() + make_interval(secs => %(lease_s)s)
    FROM unnest(%(task_ids)s::uuid[], %(attempts)s::integer[]) AS held (task_id, attempt)
    WHERE p.task_id = held.task_id AND p.attempts = held.attempt AND p.status = 'running'
    RETURNING p.task_id::text, p.model_name, p.model_version
), slow AS (
    UPDATE models m SET slow_until = now() + make_interval(secs => %(slow_for_s)s)
    FROM (SELECT DISTINCT model_name, model_version FROM renewed) r
    WHERE m.name = r.model_name AND m.version = r.model_version
)
SELECT task_id FROM renewed;

-- name: make_way
-- Gives a batch back that took the last process of its pool, where all of them have run for longer than the patience
-- and a row waits of a model that none of them runs. The attempt cut short is granted anew; the model counts as slow.
WITH busy AS (
    SELECT worker, model_name, model_version, max(started_at) AS since
    FROM predictions
    WHERE status = 'running' AND lease_until > now() AND starts_with(worker, %(pool)s || '/')
    GROUP BY worker, model_name, model_version
), given_back AS (
    UPDATE predictions p
    SET status = 'queued', sent_at = NULL, started_at = NULL, lease_until = NULL,
        attempt_limit = coalesce(p.attempt_limit, %(max_attempts)s) + 1
    FROM unnest(%(task_ids)s::uuid[], %(attempts)s::integer[]) AS held (task_id, attempt)
    WHERE p.task_id = held.task_id AND p.attempts = held.attempt AND p.status = 'running'
      AND p.worker = (SELECT worker FROM busy ORDER BY since DESC, worker LIMIT 1)
      AND %(processes)s <= (
          SELECT count(DISTINCT worker) FROM busy WHERE since <= now() - make_interval(secs => %(patience_s)s)
      )
      AND EXISTS (
          SELECT FROM models m
          WHERE m.slow_until <= now()
            AND (m.name, m.version) NOT IN (SELECT model_name, model_version FROM busy)
            AND EXISTS (
                SELECT FROM predictions w
                WHERE w.model_name = m.name AND w.model_version = m.version AND w.status = 'queued'
                  AND w.sent_at <= now() - make_interval(secs => %(patience_s)s)
            )
      )
    RETURNING p.task_id::text, p.model_name, p.model_version
), slow AS (
    UPDATE models m SET slow_until = now() + make_interval(secs => %(slow_for_s)s)
    FROM (SELECT DISTINCT model_name, model_version FROM given_back) g
    WHERE m.name = g.model_name AND m.version = g.model_version
)
SELECT task_id FROM given_back;

-- name: give_back
-- Ends held leases at once, so that the next sweep queues the rows again or fails those at the attempt limit.
UPDATE predictions p
SET lease_until = now()
FROM unnest(%(task_ids)s::uuid[], %(attempts)s::integer[]) AS held (task_id, attempt)
WHERE p.task_id = held.task_id AND p.attempts = held.attempt AND p.status = 'running'
RETURNING p.task_id::text;

-- name: hand_over
-- Queues at once what the processes of a worker that stops still held; the attempt cut short is granted anew.
-- Nobody counts on the worker any more, also where it had no time to say so itself.
WITH gone AS (DELETE FROM workers WHERE name = %(pool)s)
UPDATE predictions
SET status = 'queued', sent_at = NULL, started_at = NULL, lease_until = NULL,
    attempt_limit = coalesce(attempt_limit, %(max_attempts)s) + 1
WHERE status = 'running' AND starts_with(worker, %(pool)s || '/')
RETURNING task_id::text;

-- name: take_back
-- Queues rows again whose lease has run out, or fails those that have no attempt left; two sweeps never share a row.
WITH lost AS (
    SELECT task_id, attempts < coalesce(attempt_limit, %(max_attempts)s) AS again
    FROM predictions
    WHERE status = 'running' AND lease_until <= now()
    ORDER BY lease_until
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE predictions p
    SET status = CASE WHEN lost.again THEN 'queued' ELSE 'failed' END,
        started_at = CASE WHEN lost.again THEN NULL ELSE p.started_at END,
        finished_at = CASE WHEN lost.again THEN NULL ELSE now() END,
        error = CASE WHEN lost.again THEN NULL ELSE %(reason)s END,
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
-- Of a slow model only a few: nearly all would be deferred again, and keep the process busy that others are to find free.
WITH due AS (
    SELECT q.task_id
    FROM models m
    CROSS JOIN LATERAL (
        SELECT p.task_id, p.sent_at, p.submitted_at
        FROM predictions p
        WHERE p.model_name = m.name AND p.model_version = m.version AND p.status = 'queued'
          AND coalesce(p.sent_at + make_interval(secs => %(resend_after_s)s),
                       p.submitted_at + make_interval(secs => %(send_grace_s)s)) <= now()
        ORDER BY p.sent_at NULLS FIRST, p.submitted_at
        LIMIT CASE WHEN coalesce(m.slow_until, 'infinity') > now() THEN %(slow_limit)s ELSE %(limit)s END
        FOR UPDATE SKIP LOCKED
    ) AS q
    ORDER BY q.sent_at NULLS FIRST, q.submitted_at
    LIMIT %(limit)s
)
UPDATE predictions p SET sent_at = now() FROM due WHERE p.task_id = due.task_id
RETURNING p.task_id::text, p.correlation_id;

-- name: not_sent
-- Takes the note of a send back that failed after all.
UPDATE predictions SET sent_at = NULL WHERE task_id = ANY(%(task_ids)s::uuid[]) AND status = 'queued'
RETURNING task_id::text;

-- name: expire
-- Deletes jobs that ended long ago, oldest first, and keeps their ids; their stories go with them.
WITH old AS (
    SELECT task_id FROM predictions
    WHERE finished_at < now() - make_interval(secs => %(keep_s)s)
    ORDER BY finished_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM predictions p USING old
    WHERE p.task_id = old.task_id AND p.finished_at IS NOT NULL
    RETURNING p.task_id, p.caller
)
INSERT INTO expired (task_id, caller) SELECT task_id, caller FROM gone
ON CONFLICT (task_id) DO NOTHING
RETURNING task_id::text;

-- name: forget_expired
-- Deletes the oldest ids that have been gone for so long that nobody asks for them.
DELETE FROM expired
WHERE task_id IN (
    SELECT task_id FROM expired
    WHERE expired_at < now() - make_interval(secs => %(keep_s)s)
    ORDER BY expired_at
    LIMIT %(limit)s
)
RETURNING task_id::text;

-- name: movement
-- Whether rows wait whose wake-ups were sent since the worker last moved, and whether it holds leases.
SELECT EXISTS (
           SELECT FROM predictions
           WHERE status = 'queued' AND sent_at > now() - make_interval(secs => %(still_s)s)
             AND sent_at < now() - make_interval(secs => %(patience_s)s)
       ),
       EXISTS (
           SELECT FROM predictions
           WHERE status = 'running' AND lease_until > now() AND starts_with(worker, %(pool)s || '/')
       );

-- name: note_end
-- Keeps that a worker ends itself, and why.
INSERT INTO worker_ends (worker, reason) VALUES (%(worker)s, %(reason)s) RETURNING id;

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

-- name: fold_totals
-- Adds the totals of connections that are gone to slot 0; only the schema's owner may touch them (migration 0004).
SELECT fold_job_totals(%(limit)s);
