"""Deletes the groups of environments that have ended: their last values are shown once and not for ever.

    python -m powertools_pushgateway.cleaner --url http://127.0.0.1:9091 [--every-s 5]

An environment that ends marks its last push, and its group stays just long enough to be scraped once more:
deleted at once, its last values would never be seen. One that was killed marks nothing and is known by its
silence, since one that lives pushes at least every 20 s (see pusher.Rhythm); deleting a living one's group by
mistake loses nothing, for its next push brings all values back.
"""

import argparse
import http.client
import itertools
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from powertools_pushgateway.errors import PushgatewayError
from powertools_pushgateway.exposition import ENDED, FAILED_PUSHES
from powertools_pushgateway.gateway import group_path
from powertools_pushgateway.names import GATEWAY_METRICS, GROUP_LABELS

TIMEOUT_S: Final = 5.0
MOST_DELETED: Final = 1000
_NOT_METRICS: Final = GATEWAY_METRICS | {"labels", "last_push_successful"}

type Group = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a group stays after its last push, in seconds.

    Args:
        ended_s: where the environment said that it was its last: two scrapes and a little.
        silent_s: where it said nothing: well above the heartbeat, or the living are deleted too.
    """

    ended_s: float = 30.0
    silent_s: float = 60.0


class CleanerError(PushgatewayError):
    """The gateway did not answer as a Pushgateway does."""


def clean(url: str, patience: Patience | None = None, limit: int = MOST_DELETED) -> int:
    """Delete the groups of ended environments that this package's provider pushed.

    Ages are by the gateway's own clock. Groups of anything else stay as they are.

    Returns:
        how many were deleted, at most `limit`.

    Raises:
        CleanerError: the gateway did not answer, or not as expected.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    prefix = parts.path.rstrip("/")
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        groups, now = _groups(connection, prefix)
        ended = list(itertools.islice(_ended(groups, now, patience or Patience()), limit))
        for labels in ended:
            _delete(connection, f"{prefix}{group_path(labels)}")
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CleanerError(f"the Pushgateway did not answer as expected: {error!r}") from error
    finally:
        connection.close()
    return len(ended)


def _groups(connection: http.client.HTTPConnection, prefix: str) -> tuple[list[Group], float]:
    connection.request("GET", f"{prefix}/api/v1/metrics")
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != http.client.OK:
        raise CleanerError(f"the Pushgateway answered {answer.status}")
    return json.loads(text)["data"], parsedate_to_datetime(answer.headers["Date"]).timestamp()


def _ended(groups: Sequence[Group], now: float, patience: Patience) -> Iterator[dict[str, str]]:
    for group in groups:
        metrics = group.keys() - _NOT_METRICS
        # A group whose every push was refused holds no metric: no mark, and nothing to lose.
        ours = FAILED_PUSHES in metrics or not metrics
        labels = group["labels"]
        stays_s = patience.ended_s if _said_so(group) else patience.silent_s
        if ours and labels.keys() == GROUP_LABELS and now - _last_heard(group) > stays_s:
            yield {"job": labels["job"], "instance": labels["instance"]}


def _said_so(group: Group) -> bool:
    return ENDED in group and float(group[ENDED]["metrics"][0]["value"]) == 1


def _last_heard(group: Group) -> float:
    """Give the time of the last push, taken or refused; 0 stands for never."""
    return max(float(group[metric]["metrics"][0]["value"]) for metric in GATEWAY_METRICS)


def _delete(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("DELETE", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.ACCEPTED:
        raise CleanerError(f"the Pushgateway answered {answer.status} to DELETE {path}")


def main(arguments: Sequence[str] | None = None, pause: Callable[[float], object] | None = None) -> int:
    """Run once, with exit code 1 when the gateway did not answer; with `--every-s` until SIGTERM.

    Args:
        arguments: of the command line.
        pause: waits that many seconds between two rounds; for tests.
    """
    given = _parser().parse_args(arguments)

    def run() -> int:
        return clean(given.url, Patience(given.ended_s, given.silent_s), given.limit)

    if given.every_s is not None:
        return _run_every(given.every_s, run, pause or time.sleep)
    try:
        deleted = run()
    except CleanerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"deleted {deleted} groups\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m powertools_pushgateway.cleaner", description=clean.__doc__
    )
    parser.add_argument("--url", required=True)
    stays = Patience()
    parser.add_argument("--ended-s", type=float, default=stays.ended_s, help="stay after a last push")
    parser.add_argument("--silent-s", type=float, default=stays.silent_s, help="stay after any other push")
    parser.add_argument("--limit", type=int, default=MOST_DELETED)
    parser.add_argument("--every-s", type=_positive, default=None, help="go on, this often, until SIGTERM")
    return parser


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return seconds


def _run_every(every_s: float, run: Callable[[], int], pause: Callable[[float], object]) -> int:
    """Say only what was done and what went wrong: a gateway that is down comes back."""
    # Raised wherever it is, in the middle of an answer too: nothing is lost by a round cut short.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            if deleted := run():
                sys.stdout.write(f"deleted {deleted} groups\n")
                sys.stdout.flush()
        except CleanerError as error:
            sys.stderr.write(f"{error}\n")
        pause(every_s)


if __name__ == "__main__":
    sys.exit(main())
