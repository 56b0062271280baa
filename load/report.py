"""What a person sees of a load: a line now and then, and a table at the end."""

from rich.console import Console
from rich.table import Table

from load.arrivals import Plan
from load.tally import QUANTILES, Tally, quantile

OUTCOMES = ("accepted", "refused", "broken", "completed", "failed", "lost")
MEANINGS = {
    "accepted": "202: the row is stored",
    "refused": "429 or 503, with Retry-After",
    "broken": "any other answer to a submit, or none",
    "completed": "ended with a result",
    "failed": "ended without one: failed or cancelled",
    "lost": "accepted, and no end seen in time",
}


def show_progress(console: Console, tally: Tally, elapsed_s: float) -> None:
    """Print where the load is."""
    ended = tally.completed + tally.failed
    console.print(
        f"  {elapsed_s:4.0f} s  sent {tally.begun}, accepted {tally.accepted}, refused {tally.refused}, "
        f"ended {ended}, open {tally.open}"
    )


def show_table(console: Console, plan: Plan, tally: Tally) -> None:
    """Print what became of all, and how long it took."""
    console.print(
        f"\n  {tally.begun} of {plan.arrivals} arrivals: {plan.rate_per_s:g} a second for "
        f"{plan.seconds:g} s, {plan.batch:.0%} batches"
    )
    counts = Table("submits", "count", "meaning", box=None)
    counts.columns[1].justify = "right"
    for name in OUTCOMES:
        is_bad = name in {"broken", "lost"} and getattr(tally, name)
        counts.add_row(name, str(getattr(tally, name)), MEANINGS[name], style="red" if is_bad else "")
    times = Table("time from due", *(f"p{q * 100:g}" for q in QUANTILES), box=None)
    for column in times.columns[1:]:
        column.justify = "right"
    for name, seconds in (("submit to 202", tally.submit_s), ("submit to result", tally.end_to_end_s)):
        times.add_row(name, *(_shown(seconds, q) for q in QUANTILES))
    console.print(counts)
    console.print(times)
    if tally.was_late:
        late_ms = quantile(tally.lateness_s, QUANTILES[-1]) * 1000
        console.print(
            f"  [yellow]the rate was not kept here: one arrival in a hundred was {late_ms:.0f} ms late[/]"
        )


def _shown(seconds: list[float], q: float) -> str:
    return f"{quantile(seconds, q) * 1000:.0f} ms" if seconds else "-"
