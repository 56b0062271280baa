"""`python -m load`: load a stack that runs, and print what became of it. Exit code 1: something is lost.

Locust patches the standard library when it is imported: only this process may do so.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import gevent
import locust.html
import locust.stats
from locust.env import Environment
from rich.console import Console

from load.arrivals import Plan
from load.locust_user import Arrivals
from load.report import show_progress, show_table
from load.tally import Tally
from stack.context import load_context
from stack.settings import load_settings

LOOPBACK = "127.0.0.1"
PROGRESS_EVERY_S = 2.0
HEALTHY = 200
CALLERS_DOOR_PER_S = 200
"""What Nginx lets one address ask in a second; beyond it, refusals measure the door alone."""
INTERRUPTED = 130
USER = Path(__file__).with_name("locust_user.py")

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the verb; return its exit code."""
    options = _options()
    settings = load_settings()
    address = f"http://{LOOPBACK}:{settings.http_port}"
    if not _answers(address):
        console.print(f"\n  [red]✗ load[/]: nothing answers at {address}\n    [bold]what to do[/]: make up")
        return 1
    if options.web:
        return _open_page(options, address)
    plan = Plan(options.rate, options.seconds, options.batch, options.patience)
    options.tally = tally = Tally()
    environment = Environment(user_classes=[Arrivals], host=address, parsed_options=options)
    try:
        _run(environment, plan, options)
    except KeyboardInterrupt:
        show_table(console, plan, tally)
        console.print("  stopped before the end")
        return INTERRUPTED
    show_table(console, plan, tally)
    console.print(f"  report  {_write_report(environment)}")
    if not tally.is_well:
        reason = f"{tally.lost} accepted jobs did not end" if tally.accepted else "nothing was accepted"
        console.print(
            f"\n  [red]✗ load[/]: {reason}\n    [bold]what to do[/]: make status; make tasks; make logs"
        )
    return 0 if tally.is_well else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--rate", type=_above_zero, default=20, help="submits a second")
    parser.add_argument("--seconds", type=_above_zero, default=60)
    parser.add_argument("--batch", type=_share, default=0.1, help="share of submits with several rows")
    parser.add_argument("--patience", type=_above_zero, default=60, help="seconds to wait for a job's end")
    parser.add_argument("--web", action="store_true", help="open Locust's own page instead")
    parser.add_argument("--web-port", type=int, default=8089)
    options = parser.parse_args()
    if options.rate > CALLERS_DOOR_PER_S:
        parser.error(
            f"rate={options.rate:g}: one address may ask {CALLERS_DOOR_PER_S} times a second at most"
        )
    if not Plan(options.rate, options.seconds, options.batch).arrivals:
        parser.error(f"rate={options.rate:g} and seconds={options.seconds:g}: that is not one submit")
    return options


def _above_zero(text: str) -> float:
    if not 0 < (value := _number(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def _share(text: str) -> float:
    if not 0 <= (value := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no number") from error


def _answers(address: str) -> bool:
    import urllib3  # noqa: PLC0415 - after Locust has patched what it stands on

    try:
        with urllib3.PoolManager(retries=False, timeout=10) as http:
            return http.request("GET", f"{address}/health").status == HEALTHY
    except urllib3.exceptions.HTTPError:
        return False


def _run(environment: Environment, plan: Plan, options: argparse.Namespace) -> None:
    console.print(
        f"  {plan.rate_per_s:g} submits a second for {plan.seconds:g} s at {environment.host}, "
        "each at its time, however slow the answers are"
    )
    done = gevent.event.Event()
    options.finished = done.set
    runner = environment.create_local_runner()
    history = gevent.spawn(locust.stats.stats_history, runner)
    runner.start(user_count=1, spawn_rate=1)
    elapsed_s = 0.0
    while not done.wait(PROGRESS_EVERY_S):
        elapsed_s += PROGRESS_EVERY_S
        show_progress(console, options.tally, elapsed_s)
    history.kill()
    runner.quit()


def _write_report(environment: Environment) -> Path:
    # The stack may be another checkout's: then this one has no folder yet.
    folder = load_context().paths.state / "reports"
    folder.mkdir(exist_ok=True)
    report = folder / f"load-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.html"
    report.write_text(locust.html.get_html_report(environment, show_download_link=False))  # type: ignore[no-untyped-call]
    return report


def _open_page(options: argparse.Namespace, address: str) -> int:
    """Become Locust itself, whose page asks for the plan; it listens on this machine alone."""
    console.print(f"  Locust's page: http://localhost:{options.web_port} (Ctrl-C ends it)")
    words = [
        "locust",
        "-f",
        str(USER),
        "--host",
        address,
        "--web-host",
        LOOPBACK,
        "--web-port",
        str(options.web_port),
    ]
    for name in ("rate", "seconds", "batch", "patience"):
        words += [f"--{name}", str(getattr(options, name))]
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606 - no shell in between


if __name__ == "__main__":
    sys.exit(main())
