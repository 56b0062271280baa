"""Every SQL statement of the functions, named, with what it is for. Tables: infra/postgres/migrations."""

from typing import Final

from inference_contract.names import CHANNEL_FINISHED

_JOB: Final = """task_id::text, status, model_name, model_version, prediction, error, attempts,
       submitted_at, started_at, finished_at"""

_OPEN_ROWS: Final = """
    SELECT count(*) AS in_all, count(*) FILTER (WHERE caller = %(caller)s) AS of_caller
    FROM (SELECT caller FROM predictions WHERE status IN ('queued', 'running') LIMIT %(max_in_all)s)
         AS counted
"""
"""Count what is unfinished, up to the limit in all: below it, the caller's own count is exact."""

_FINISHED_PER_S: Final = """
    SELECT (count(*) / CASE WHEN count(*) < 600 THEN 60.0
                            ELSE greatest(extract(epoch FROM now() - min(finished_at)), 1.0) END)::float8
    FROM (SELECT finished_at FROM predictions WHERE finished_at > now() - interval '60 s'
          ORDER BY finished_at DESC LIMIT 600) AS recent
"""
"""How many jobs end in a second: those of the last minute, or the newest 600 where there are more."""

INSERT_JOB: Final = f"""
WITH earlier AS (
    SELECT task_id, request_digest FROM predictions WHERE task_id = %(task_id)s
    UNION
    SELECT task_id, request_digest FROM predictions WHERE caller = %(caller)s AND idempotency_key = %(key)s
), open_rows AS ({_OPEN_ROWS}), stored AS (
    INSERT INTO predictions (task_id, model_name, model_version, features, correlation_id,
                             caller, idempotency_key, request_digest)
    SELECT %(task_id)s, %(model_name)s, %(model_version)s, %(features)s, %(correlation_id)s,
           %(caller)s, %(key)s, %(digest)s
    FROM open_rows
    WHERE in_all < %(max_in_all)s AND of_caller < %(max_of_caller)s AND NOT EXISTS (SELECT FROM earlier)
    ON CONFLICT DO NOTHING
    RETURNING task_id
), judged AS (
    SELECT CASE
        WHEN EXISTS (SELECT FROM stored) THEN 'stored'
        WHEN EXISTS (SELECT FROM earlier WHERE task_id = %(task_id)s) THEN 'stored'
        WHEN EXISTS (SELECT FROM earlier WHERE request_digest IS DISTINCT FROM %(digest)s) THEN 'key_reused'
        WHEN EXISTS (SELECT FROM earlier) THEN 'replayed'
        WHEN in_all >= %(max_in_all)s OR of_caller >= %(max_of_caller)s THEN 'full'
    END AS verdict, in_all, of_caller
    FROM open_rows
)
SELECT verdict, coalesce((SELECT task_id FROM earlier), %(task_id)s)::text, of_caller, in_all,
       CASE WHEN verdict = 'full' THEN ({_FINISHED_PER_S}) ELSE 0.0 END
FROM judged
"""  # noqa: S608 - of constants above
"""Accept a job, unless its key was there before or there is no room; a refusal looks up the rate.

It may run again when the connection died before its answer came: it then finds its own row. No verdict means
that another submit of the same key was committed while this one ran: run it again, and it is seen.
"""

MARK_SENT: Final = """
SET LOCAL synchronous_commit TO off;
UPDATE predictions SET sent_at = now() WHERE task_id = %s
"""
"""Note that a wake-up was sent. Not waiting for the disk is honest: losing this only sends it once more."""

SELECT_JOB: Final = f"""
SELECT {_JOB} FROM predictions WHERE task_id = %(task_id)s AND caller = %(caller)s
"""  # noqa: S608 - of constants above
"""Read a job as its caller may see it."""

SELECT_EXPIRED: Final = """
SELECT task_id FROM expired WHERE task_id = %(task_id)s AND caller = %(caller)s
"""
"""Tell a job that was deleted after its time from one that never was."""

SELECT_PAGE: Final = f"""
WITH page AS (
    SELECT {_JOB}, row_number() OVER newest_first AS place, count(*) OVER () AS found,
           sum(coalesce(octet_length(prediction::text), 0)) OVER newest_first AS bytes_so_far
    FROM (
        SELECT * FROM predictions
        WHERE caller = %(caller)s
          AND (%(status)s::text IS NULL OR status = %(status)s)
          AND (%(model_name)s::text IS NULL OR model_name = %(model_name)s)
          AND (%(submitted_at)s::timestamptz IS NULL
               OR (submitted_at, predictions.task_id) < (%(submitted_at)s, %(after_id)s::uuid))
        ORDER BY submitted_at DESC, predictions.task_id DESC
        LIMIT %(limit)s + 1
    ) AS matching
    WINDOW newest_first AS (ORDER BY submitted_at DESC, matching.task_id DESC)
)
SELECT {_JOB}, found FROM page
WHERE place <= %(limit)s AND (place = 1 OR bytes_so_far <= %(max_bytes)s)
ORDER BY place
"""  # noqa: S608 - of constants above
"""Read one page of a caller's jobs, newest first; shorter than asked where the answers would be too large."""

CANCEL_JOB: Final = f"""
WITH cancelled AS (
    UPDATE predictions SET status = 'cancelled', finished_at = now(), lease_until = NULL
    WHERE task_id = %(task_id)s AND caller = %(caller)s AND status IN ('queued', 'running')
    RETURNING *
), told AS MATERIALIZED (SELECT pg_notify('{CHANNEL_FINISHED}', task_id::text) FROM cancelled)
SELECT {_JOB} FROM cancelled, told
"""  # noqa: S608 - of constants above
"""Cancel what has not ended, and tell those who wait. A worker that has it is stopped by its fence."""

REQUEUE_JOB: Final = f"""
WITH open_rows AS ({_OPEN_ROWS})
UPDATE predictions
SET status = 'queued', attempt_limit = attempts + %(attempts)s, error = NULL,
    finished_at = NULL, started_at = NULL, sent_at = NULL
FROM open_rows
WHERE task_id = %(task_id)s AND caller = %(caller)s AND status = 'failed'
  AND in_all < %(max_in_all)s AND of_caller < %(max_of_caller)s
RETURNING {_JOB}
"""  # noqa: S608 - of constants above
"""Queue a failed job again, with further attempts, where there is room; the sweeper sends its wake-up."""

SELECT_LOAD: Final = f"""
SELECT of_caller, in_all, ({_FINISHED_PER_S}) FROM ({_OPEN_ROWS}) AS open_rows
"""  # noqa: S608 - of constants above
"""Count what is unfinished and how fast jobs end, to say when there will be room."""

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
