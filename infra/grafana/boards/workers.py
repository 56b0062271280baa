"""Workers and the queue: do jobs move, where does their time go, what does the sweeper mend."""

from boards.board import Board, Content
from boards.panels import bad_from, figure, good_from, lines
from boards.queries import choice, now, over_time, quantiles

CHOSEN = '{model=~"$model",version=~"$version"}'


def board() -> Board:
    """Describe it."""
    return Board(
        uid="workers",
        title="Workers and queue",
        description="Do jobs move, where does their time go, what does the sweeper mend?",
        choices=[
            choice("model", "Model", "label_values(inference_open_jobs, model)"),
            choice("version", "Version", 'label_values(inference_open_jobs{model=~"$model"}, version)'),
        ],
        content=[
            "Now",
            *_figures(),
            "The queue",
            *_queue(),
            "The work",
            *_work(),
            "What went wrong and was mended",
            *_mending(),
            "Celery, as Flower sees it",
            *_celery(),
        ],
    )


def _figures() -> list[Content]:
    open_jobs = 'sum(inference_open_jobs{model=~"$model",version=~"$version",status='
    return [
        figure(
            "Workers alive",
            "Workers that reported to Postgres within 15 s.",
            "short",
            now("max(inference_workers_alive)"),
            steps=good_from(1),
        ),
        figure("Queued", "Jobs that no worker has taken.", "short", now(f'{open_jobs}"queued"}})')),
        figure("Running", "Jobs that a worker holds.", "short", now(f'{open_jobs}"running"}})')),
        figure(
            "Oldest queued",
            "Since its submit.",
            "s",
            now('max(inference_oldest_open_age_seconds{status="queued"})'),
            steps=bad_from(30, 60),
        ),
        figure(
            "Due for the sweeper",
            "How long ago the sweeper should have acted on the oldest row; it runs every 5 s.",
            "s",
            now("max(inference_oldest_unswept_age_seconds)"),
            steps=bad_from(30, 60),
        ),
        figure(
            "Sweeper's last run",
            "How long ago.",
            "s",
            now("time() - max(inference_sweeper_last_run_timestamp_seconds)"),
            steps=bad_from(15, 60),
        ),
    ]


def _queue() -> list[Content]:
    return [
        lines(
            "Open jobs",
            "Rows in Postgres, by status.",
            "short",
            over_time(f"sum by (status) (inference_open_jobs{CHOSEN})", "{{status}}"),
            stacked=True,
        ),
        lines(
            "Wake-ups in Redis",
            "Messages in the queue. Fewer than queued jobs is normal: batches take several, and the sweeper "
            "sends what is missing.",
            "short",
            over_time('sum(redis_key_size{key="predictions"}) or vector(0)', "wake-ups"),
        ),
        lines(
            "Time from submit to claim",
            "Quantiles of the time that jobs waited.",
            "s",
            *quantiles("inference_worker_queue_seconds", CHOSEN),
        ),
        lines(
            "Time from submit to stored result",
            "Quantiles; the line is the objective's 30 s.",
            "s",
            *quantiles("inference_worker_completion_seconds", CHOSEN),
            limit=30,
        ),
    ]


def _work() -> list[Content]:
    batch = "inference_worker_batch"
    return [
        lines(
            "Time of one batch in the model",
            "Quantiles by model; at the line the soft time limit ends it.",
            "s",
            *quantiles("inference_worker_run_seconds", CHOSEN, by="model", of=(0.5, 0.95)),
            limit=25,
        ),
        lines(
            "Size of a batch",
            "Means. Load makes batches: one job at rest, up to 32 under load.",
            "short",
            *(
                over_time(
                    f"sum(rate({batch}_{what}_sum{CHOSEN}[$__rate_interval]))"
                    f" / sum(rate({batch}_{what}_count{CHOSEN}[$__rate_interval]))",
                    what,
                )
                for what in ("jobs", "rows")
            ),
        ),
        lines(
            "Rows of features",
            "By outcome; dropped are those whose claim was lost meanwhile.",
            "ops",
            over_time(
                f"sum by (outcome) (rate(inference_worker_rows_total{CHOSEN}[$__rate_interval]))",
                "{{outcome}}",
            ),
        ),
        lines(
            "Attempts of a job",
            "Mean over the jobs that ended. Above 1, attempts were lost.",
            "short",
            over_time(
                f"sum(rate(inference_worker_attempts_sum{CHOSEN}[$__rate_interval]))"
                f" / sum(rate(inference_worker_attempts_count{CHOSEN}[$__rate_interval]))",
                "attempts",
            ),
        ),
    ]


def _mending() -> list[Content]:
    return [
        lines(
            "What the sweeper did",
            "Wake-ups sent again, rows taken back from lost workers, jobs given up.",
            "short",
            over_time(
                "sum by (action) (increase(inference_sweeper_actions_total[$__rate_interval]))", "{{action}}"
            ),
        ),
        lines(
            "Workers that ended themselves, and rubbish in the queue",
            "A worker ends itself when it finds that it no longer moves. Rubbish is refused and counted.",
            "short",
            over_time(
                "sum by (reason) (increase(inference_worker_ends_total[$__rate_interval]))",
                "ended: {{reason}}",
            ),
            over_time(
                "sum(increase(inference_messages_refused_total[$__rate_interval]))", "messages refused"
            ),
        ),
        lines(
            "Failed jobs that are kept",
            "Dead letters, by model.",
            "short",
            over_time(f"sum by (model) (inference_dead_letters{CHOSEN})", "{{model}}"),
        ),
        lines(
            "Jobs in and out",
            "Submits, and ends of any kind. Apart for long means that the queue grows.",
            "ops",
            over_time(
                'sum(rate(inference_job_transitions_total{model=~"$model",version=~"$version",from="none"}'
                "[$__rate_interval]))",
                "in",
            ),
            over_time(
                'sum(rate(inference_job_transitions_total{model=~"$model",version=~"$version",'
                'to=~"succeeded|failed|cancelled"}[$__rate_interval]))',
                "out",
            ),
        ),
    ]


def _celery() -> list[Content]:
    return [
        lines(
            "Tasks by end",
            "Wake-ups, sweeps and expiries. More wake-ups than jobs is normal: a batch takes several.",
            "ops",
            over_time(
                'sum by (task, type) (rate(flower_events_total{type=~"task-(succeeded|failed|retried)"}'
                "[$__rate_interval]))",
                "{{task}} {{type}}",
            ),
        ),
        lines(
            "Time of a task",
            "Means by task, with all that goes before and after the model.",
            "s",
            over_time(
                "sum by (task) (rate(flower_task_runtime_seconds_sum[$__rate_interval]))"
                " / sum by (task) (rate(flower_task_runtime_seconds_count[$__rate_interval]))",
                "{{task}}",
            ),
        ),
    ]
