"""The functions: how often and how long they run, what they need, what they say themselves."""

from boards.board import Board, Content
from boards.panels import bad_from, figure, lines
from boards.queries import Query, choice, now, over_time, quantiles

CHOSEN = '{function=~"$function"}'


def board() -> Board:
    """Describe it."""
    return Board(
        uid="functions",
        title="Functions",
        description="How often and how long do functions run, what do they need, what do they say?",
        choices=[choice("function", "Function", "label_values(lambda_environments, function)")],
        content=[
            "Now",
            *_figures(),
            "Calls",
            *_calls(),
            "Environments",
            *_environments(),
            "What functions push themselves",
            *_pushed(),
        ],
    )


def _of(outcome: str) -> str:
    selector = f'{{function=~"$function",outcome{outcome}}}'
    return f"sum(increase(lambda_invocations_total{selector}[$__range])) or vector(0)"


def _figures() -> list[Content]:
    return [
        figure("Calls", "In the time shown.", "short", now(_of('=~".+"'))),
        figure(
            "Errors",
            "Calls in the time shown that ended with an error, or ended their process.",
            "short",
            now(_of('=~"error|exit"')),
            steps=bad_from(1),
        ),
        figure(
            "Timeouts",
            "Calls in the time shown at the time limit.",
            "short",
            now(_of('="timeout"')),
            steps=bad_from(1),
        ),
        figure(
            "Out of memory",
            "Calls in the time shown at the memory limit.",
            "short",
            now(_of('="out_of_memory"')),
            steps=bad_from(1),
        ),
        figure(
            "Throttled",
            "Calls in the time shown beyond the reserved concurrency. Nginx should let none through.",
            "short",
            now(_of('="throttled"')),
            steps=bad_from(1),
        ),
        figure(
            "Cold starts",
            "Environments started in the time shown.",
            "short",
            now(f"sum(increase(lambda_environments_started_total{CHOSEN}[$__range]))"),
        ),
    ]


def _calls() -> list[Content]:
    return [
        lines(
            "Calls by outcome",
            "As the Lambda service saw them.",
            "reqps",
            over_time(
                f"sum by (function, outcome) (rate(lambda_invocations_total{CHOSEN}[$__rate_interval]))",
                "{{function}} {{outcome}}",
            ),
        ),
        lines(
            "Duration",
            "Quantiles of one call, without the wait for an environment. The limit is the template's.",
            "s",
            *quantiles("lambda_duration_seconds", CHOSEN, by="function", of=(0.5, 0.95)),
        ),
    ]


def _environments() -> list[Content]:
    return [
        lines(
            "Concurrency",
            "Environments at work, and how many are reserved. Beyond that, calls are throttled.",
            "short",
            over_time(f"sum by (function) (lambda_busy_environments{CHOSEN})", "{{function}} busy"),
            over_time(f"max by (function) (lambda_reserved_concurrency{CHOSEN})", "{{function}} reserved"),
        ),
        lines(
            "Memory",
            "Resident size of the largest environment, and the limit at which one is ended.",
            "bytes",
            over_time(f"max by (function) (lambda_memory_bytes{CHOSEN})", "{{function}} largest"),
            over_time(f"max by (function) (lambda_memory_limit_bytes{CHOSEN})", "{{function}} limit"),
        ),
        lines(
            "Environments by state",
            "Processes that functions run in.",
            "short",
            over_time(f"sum by (function, state) (lambda_environments{CHOSEN})", "{{function}} {{state}}"),
            stacked=True,
        ),
        lines(
            "Cold starts and ends",
            "Environments that started, and that ended, by why.",
            "short",
            over_time(
                f"sum by (function) (increase(lambda_environments_started_total{CHOSEN}[$__rate_interval]))",
                "{{function}} started",
            ),
            over_time(
                "sum by (function, reason)"
                f" (increase(lambda_environments_ended_total{CHOSEN}[$__rate_interval]))",
                "{{function}} ended: {{reason}}",
            ),
        ),
        lines(
            "Time of a cold start",
            "Quantiles since LocalStack's start: they are too rare for a rate. AWS allows 10 s.",
            "s",
            *(
                over_time(
                    f"histogram_quantile({q}, sum by (le, function) (lambda_init_seconds_bucket{CHOSEN}))",
                    f"{{{{function}}}} p{q * 100:g}",
                )
                for q in (0.5, 0.95)
            ),
            limit=10,
        ),
    ]


def _pushed() -> list[Content]:
    def rate_of(metric: str, legend: str) -> Query:
        return over_time(f"sum(rate({metric}[$__rate_interval]))", legend)

    return [
        lines(
            "Answers by route and status",
            "Summed over environments. What an environment that was killed had not pushed yet is missing.",
            "reqps",
            over_time(
                "sum by (route, status) (rate(inference_http_requests_total[$__rate_interval]))",
                "{{route}} {{status}}",
            ),
        ),
        lines(
            "Time in the function",
            "95 of 100 requests took no longer, by route.",
            "s",
            *quantiles("inference_http_request_seconds", "", by="route", of=(0.95,)),
        ),
        lines(
            "Submits",
            "Accepted, answered again for an Idempotency-Key, and left to the sweeper to wake a worker.",
            "reqps",
            rate_of("inference_predictions_accepted_total", "accepted"),
            rate_of("inference_submits_replayed_total", "replayed"),
            rate_of("inference_wakeups_failed_total", "wake-up failed"),
        ),
        lines(
            "Cold starts as pushed, failed pushes, refused samples",
            "A failed push is made good by the next. A refused sample is a mistake in the code.",
            "short",
            over_time(
                "sum by (job) (increase(inference_cold_start_total[$__rate_interval]))", "{{job}} cold starts"
            ),
            over_time(
                "sum by (job) (increase(powertools_pushgateway_failed_pushes_total[$__rate_interval]))",
                "{{job}} pushes failed",
            ),
            over_time(
                "sum by (job) (increase(powertools_pushgateway_refusals_total[$__rate_interval]))",
                "{{job}} samples refused",
            ),
        ),
    ]
