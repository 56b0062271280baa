"""One task: its row, its story, where its time went. Features and callers are nobody's business here."""

from boards.board import Board
from boards.panels import listing
from boards.queries import blank, sql

# A word that is no id finds nothing, instead of an error: the cast is only made where it can be.
WANTED = """task_id = CASE WHEN ${task:sqlstring} ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                  THEN (${task:sqlstring}::text)::uuid END"""
ROW = f"""
SELECT task_id::text, status, model_name, model_version, jsonb_array_length(features) AS feature_rows,
       attempts, error, worker, correlation_id
FROM predictions
WHERE {WANTED}
"""  # noqa: S608 - Grafana quotes its own variable
TIMES = f"""
SELECT submitted_at, sent_at, started_at, finished_at, lease_until,
       extract(epoch FROM started_at - submitted_at)::float8 AS waited,
       extract(epoch FROM finished_at - started_at)::float8 AS ran,
       extract(epoch FROM coalesce(finished_at, now()) - submitted_at)::float8 AS in_all
FROM predictions
WHERE {WANTED}
"""  # noqa: S608 - Grafana quotes its own variable
STORY = f"""
SELECT at, coalesce(from_status, 'none') AS "from", to_status AS "to", attempt, who,
       extract(epoch FROM at - lag(at) OVER (ORDER BY id))::float8 AS after
FROM transitions
WHERE {WANTED}
ORDER BY id
"""  # noqa: S608 - Grafana quotes its own variable
NEWEST = """
SELECT submitted_at, task_id::text, status, model_name, model_version, attempts,
       extract(epoch FROM coalesce(finished_at, now()) - submitted_at)::float8 AS in_all, error
FROM predictions
WHERE $__timeFilter(submitted_at)
ORDER BY submitted_at DESC
LIMIT 50
"""
SELF = "/d/task?var-task=${__data.fields.task_id}"


def board() -> Board:
    """Describe it."""
    return Board(
        uid="task",
        title="One task",
        description="What happened to one task, and where did its time go?",
        choices=[blank("task", "Task id", "As POST /predict answered it, or from the list below.")],
        content=[
            listing("Row", "The job as it stands in Postgres.", sql(ROW), height=4),
            listing(
                "Times",
                "All by the database's clock. Waited is submit to claim, ran is claim to result.",
                sql(TIMES),
                units={"waited": "s", "ran": "s", "in_all": "s"},
                height=4,
            ),
            listing(
                "Story",
                "Every change of its status, by whom, and how long after the one before.",
                sql(STORY),
                units={"after": "s"},
            ),
            listing(
                "Newest tasks",
                "Of the time shown; an id opens it here.",
                sql(NEWEST),
                units={"in_all": "s"},
                links={"task_id": SELF},
                height=10,
            ),
        ],
    )
