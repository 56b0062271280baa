"""The first look: is anything wrong, are the promises kept, how much is going on."""

from boards.board import Board, Content
from boards.panels import WHOLE, bad_from, figure, good_from, heat, lines
from boards.queries import PARTS, now, over_time, quantiles
from boards.runbooks import firing_alerts

SUBMITS = 'http_requests_total{job="door",route="/predict"'
ACCEPTED = '{job="door",route="/predict",class="2xx"}'
FAST_BURN = 6.72
EXACT = "locale"
"""All digits: a thousand and one is not 1 K."""


def board() -> Board:
    """Describe it."""
    return Board(
        uid="overview",
        title="Overview",
        description="Is anything wrong, are the promises kept, how much is going on?",
        content=[
            "What to look at first",
            *_health(),
            "Jobs, as Postgres counts them: all since the beginning",
            *_totals(),
            "Objectives",
            *_objectives(),
            "Requests, as clients see them",
            *_requests(),
            "Jobs on their way",
            *_jobs(),
        ],
    )


def _health() -> list[Content]:
    return [
        figure(
            "Alerts firing",
            "How many alerts fire now; they are listed below.",
            "short",
            now('count(ALERTS{alertstate="firing"}) or vector(0)'),
            steps=bad_from(1),
        ),
        figure(
            "Parts down",
            "Parts that do not answer Prometheus, or of which their exporters say that they do not answer.",
            "short",
            now(f"count({PARTS} == 0) or vector(0)"),
            steps=bad_from(1),
        ),
        figure(
            "Workers alive",
            "Workers that reported to Postgres within 15 s.",
            "short",
            now("max(inference_workers_alive)"),
            steps=good_from(1),
        ),
        figure(
            "Oldest queued job",
            "How long the oldest job that no worker has taken has been waiting.",
            "s",
            now('max(inference_oldest_open_age_seconds{status="queued"})'),
            steps=bad_from(30, 60),
        ),
        figure(
            "Submits answered well",
            "Of the submits in the time shown, those without a 5xx; 429s left out. The objective is 99.5 %.",
            "percentunit",
            now(
                f'1 - (sum(increase({SUBMITS},status=~"5.."}}[$__range])) or vector(0))'
                f' / (sum(increase({SUBMITS},status!="429"}}[$__range])) > 0)'
            ),
            steps=good_from(0.995),
        ),
        figure(
            "Results within 30 s",
            "Of the results in the time shown, those within 30 s of the submit. The objective is 95 %.",
            "percentunit",
            now(
                'sum(increase(inference_worker_completion_seconds_bucket{le=~"30([.]0)?"}[$__range]))'
                " / (sum(increase(inference_worker_completion_seconds_count[$__range])) > 0)"
            ),
            steps=good_from(0.95),
        ),
        firing_alerts(),
    ]


def _totals() -> list[Content]:
    moved = "inference_job_transitions_total"
    return [
        figure(
            "Accepted",
            "Jobs that were ever answered with a 202.",
            EXACT,
            now(f'sum({moved}{{from="none"}})'),
        ),
        figure("Succeeded", "Jobs whose result was stored.", EXACT, now(f'sum({moved}{{to="succeeded"}})')),
        figure(
            "Failed",
            "Times that a job was given up; a requeued one may fail again.",
            EXACT,
            now(f'sum({moved}{{to="failed"}})'),
            steps=bad_from(1, 100),
        ),
        figure(
            "Cancelled", "Jobs that their caller cancelled.", EXACT, now(f'sum({moved}{{to="cancelled"}})')
        ),
        figure("Open", "Jobs that are queued or run now.", EXACT, now("sum(inference_open_jobs)")),
        figure(
            "Dead letters",
            "Failed jobs that are kept, and can be requeued.",
            EXACT,
            now("sum(inference_dead_letters)"),
            steps=bad_from(1, 100),
        ),
    ]


def _objectives() -> list[Content]:
    burns = {
        "submits with 5xx (0.5 % may)": "inference:submit_errors:ratio1h / 0.005",
        "accepted submits over 2 s (5 % may)": "inference:submits_slow:ratio1h / 0.05",
        "jobs that fail (1 % may)": "inference:job_failures:ratio1h / 0.01",
        "results over 30 s (5 % may)": "inference:jobs_slow:ratio1h / 0.05",
    }
    return [
        lines(
            "How fast the budgets burn",
            "Share of bad ones in the last hour, as a multiple of what may be. At 1 the budget of 14 days "
            "lasts 14 days; at the line an hour takes 2 % of it, and an alert fires.",
            "none",
            *(over_time(promql, legend) for legend, promql in burns.items()),
            limit=FAST_BURN,
            span=WHOLE,
        )
    ]


def _requests() -> list[Content]:
    every = 'http_requests_total{job="door"'
    bad = f'{every},status=~"[45].."}}'
    return [
        lines(
            "Requests",
            "Requests at the door, by route.",
            "reqps",
            over_time(f"sum by (route) (rate({every}}}[$__rate_interval]))", "{{route}}"),
            stacked=True,
        ),
        lines(
            "Answers that are no success",
            "By status: 4xx are the caller's, 429 and 503 refuse overload, other 5xx are ours.",
            "reqps",
            over_time(
                f"sum by (status) (rate({bad}[$__rate_interval]))"
                f" and on (status) sum by (status) ({bad}) > 0",
                "{{status}}",
            ),
        ),
        heat(
            "Accepted submits by time to answer",
            "How many submits took how long to be accepted. The objective is 2 s for 95 %.",
            "s",
            over_time(
                f"sum by (le) (increase(http_request_seconds_bucket{ACCEPTED}[$__rate_interval]))",
            ),
        ),
        lines(
            "Time to accept a submit",
            "Quantiles, as clients see them; refusals left out. The line is the objective.",
            "s",
            *quantiles("http_request_seconds", ACCEPTED),
            limit=2,
        ),
    ]


def _jobs() -> list[Content]:
    return [
        lines(
            "Jobs by what became of them",
            "Changes of a status, by the one after: queued are submits and those queued again.",
            "ops",
            over_time("sum by (to) (rate(inference_job_transitions_total[$__rate_interval]))", "{{to}}"),
        ),
        lines(
            "Time from submit to stored result",
            "Quantiles, as the worker sees them. The line is the objective's 30 s.",
            "s",
            *quantiles("inference_worker_completion_seconds", ""),
            limit=30,
        ),
    ]
