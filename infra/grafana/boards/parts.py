"""The parts: who is up, and what each says of itself."""

from boards.board import Board, Content
from boards.panels import WHOLE, figure, lines
from boards.queries import PARTS, now, over_time


def board() -> Board:
    """Describe it."""
    return Board(
        uid="parts",
        title="Parts",
        description="Who is up, and what does each part say of itself?",
        content=[
            "Who is up",
            figure(
                "Parts",
                "Whether Prometheus reaches each part or its exporter, and the exporter its part.",
                "none",
                now(PARTS, "{{job}}"),
                names={"0": ("down", "red"), "1": ("up", "green")},
                span=WHOLE,
            ),
            "Redis",
            *_redis(),
            "Postgres",
            *_postgres(),
            "Nginx and LocalStack",
            *_front(),
            "Pushgateway, Prometheus, Alertmanager and the disk",
            *_watchers(),
        ],
    )


def _redis() -> list[Content]:
    return [
        lines(
            "Memory of Redis",
            "It holds wake-ups only: megabytes. At the line, an alert.",
            "bytes",
            over_time("max(redis_memory_used_bytes)", "used"),
            limit=268435456,
        ),
        lines(
            "Connections and commands of Redis",
            "Clients now, connections refused, and commands a second.",
            "short",
            over_time("max(redis_connected_clients)", "clients"),
            over_time("sum(increase(redis_rejected_connections_total[$__rate_interval]))", "refused"),
            over_time("sum(rate(redis_commands_processed_total[$__rate_interval]))", "commands/s"),
        ),
    ]


def _postgres() -> list[Content]:
    ours = '{datname="celery_db"}'
    return [
        lines(
            "Connections to Postgres",
            "By state, and how many there may be.",
            "short",
            over_time("sum by (state) (pg_stat_activity_count)", "{{state}}"),
            over_time("max(pg_settings_max_connections)", "limit"),
        ),
        lines(
            "Transactions",
            "Committed, and rolled back. Many rollbacks are refused submits, or errors.",
            "ops",
            over_time(f"sum(rate(pg_stat_database_xact_commit{ours}[$__rate_interval]))", "committed"),
            over_time(f"sum(rate(pg_stat_database_xact_rollback{ours}[$__rate_interval]))", "rolled back"),
        ),
        lines(
            "Size of the database",
            "Results expire; growth beyond that is more traffic.",
            "bytes",
            over_time(f"sum(pg_database_size_bytes{ours})", "celery_db"),
        ),
        lines(
            "Deadlocks and rows read",
            "Deadlocks are mistakes. Rows read far beyond the traffic are a missing index.",
            "short",
            over_time(f"sum(increase(pg_stat_database_deadlocks{ours}[$__rate_interval]))", "deadlocks"),
            over_time(f"sum(rate(pg_stat_database_tup_fetched{ours}[$__rate_interval]))", "rows read/s"),
        ),
    ]


def _front() -> list[Content]:
    return [
        lines(
            "Connections at Nginx",
            "Reading a request, writing an answer, waiting for the next request.",
            "short",
            over_time("sum(nginx_connections_reading)", "reading"),
            over_time("sum(nginx_connections_writing)", "writing"),
            over_time("sum(nginx_connections_waiting)", "waiting"),
        ),
        lines(
            "Work of LocalStack",
            "Calls of functions, and environments that it keeps.",
            "short",
            over_time("sum(rate(lambda_invocations_total[$__rate_interval]))", "calls/s"),
            over_time("sum(lambda_environments)", "environments"),
        ),
    ]


def _watchers() -> list[Content]:
    return [
        lines(
            "Age of pushed groups",
            "Since the last push of each environment. A living one pushes every 20 s. Alert at the line.",
            "s",
            over_time("max by (job) (time() - push_time_seconds)", "{{job}} oldest"),
            limit=300,
        ),
        lines(
            "Free on disk",
            "Share that is free, by device. Below 10 %, an alert.",
            "percentunit",
            over_time(
                "min by (device) (node_filesystem_avail_bytes / node_filesystem_size_bytes"
                " and node_filesystem_readonly == 0)",
                "{{device}}",
            ),
        ),
        lines(
            "Prometheus",
            "Samples taken a second, and series it keeps.",
            "short",
            over_time(
                "sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))", "samples/s"
            ),
            over_time("sum(prometheus_tsdb_head_series)", "series"),
        ),
        lines(
            "Alerts on their way",
            "Notifications sent, and those that failed.",
            "short",
            over_time("sum(increase(alertmanager_notifications_total[$__rate_interval]))", "sent"),
            over_time("sum(increase(alertmanager_notifications_failed_total[$__rate_interval]))", "failed"),
        ),
    ]
