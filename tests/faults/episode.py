"""One fault under load.

Stages: well → load → fault (the test's part) → load goes on → load ends → drained → invariants → ledger.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults import invariants
from tests.faults.counters import Counters
from tests.faults.fault_stack import FaultStack
from tests.faults.invariants import FINAL, StoredJob
from tests.faults.ledger import Entry, Ledger
from tests.faults.limits import RATE_PER_S, RECOVERY_S
from tests.faults.load import Client, client_of, steady_load
from tests.faults.recorder import ACCEPTED, Recorder, percentile
from tests.whole_stack import eventually

WELL_WITHIN_S = 90
BEFORE_S, AFTER_S = 2.0, 4.0
POLL_S = 0.25
WARM, WARM_S = 12, 3.0


@dataclass(slots=True)
class Episode:
    """What a test needs of its own fault; times are seconds since the epoch."""

    stack: FaultStack
    counters: Counters
    client: Client
    began_at: float
    over_at: float = 0.0

    @property
    def recorder(self) -> Recorder:
        """Every answer so far."""
        return self.client.recorder

    def over(self) -> float:
        """Say that the fault has ended; recovery counts from here."""
        self.over_at = time.time()
        return self.over_at

    def keep_up(self, seconds: float) -> None:
        """Let the load go on as it is."""
        threading.Event().wait(seconds)

    def jobs(self) -> dict[str, StoredJob]:
        """All jobs of this episode as they are stored now."""
        accepted = [each.task_id for each in self.recorder.accepted() if each.task_id]
        return invariants.stored_jobs(self.stack, self.began_at, accepted)

    def job(self, task_id: str | None) -> StoredJob:
        """One job as it is stored now."""
        return invariants.stored_jobs(self.stack, time.time(), [str(task_id)])[str(task_id)]


def warm_up(stack: FaultStack) -> None:
    """Have as many environments of the function as the load needs: cold starts take all of two cores."""
    with client_of(stack.base) as client, ThreadPoolExecutor(WARM) as pool:
        end = time.monotonic() + WARM_S
        while time.monotonic() < end:
            list(pool.map(lambda _: client.submit(), range(WARM)))


def wait_until_well(stack: FaultStack) -> None:
    """Return when a submit is accepted and its job done: what the last test broke has healed."""
    with client_of(stack.base) as client:
        accepted = eventually(lambda: _accepted(client), WELL_WITHIN_S)
        eventually(lambda: _ended(stack, accepted) or None, WELL_WITHIN_S)


def _accepted(client: Client) -> str | None:
    return client.submit().task_id


def _ended(stack: FaultStack, task_id: str) -> bool:
    return invariants.stored_jobs(stack, time.time(), [task_id])[task_id].status in FINAL


@contextmanager
def under_load(  # noqa: PLR0913 - what is shared by all faults comes first
    stack: FaultStack,
    counters: Counters,
    ledger: Ledger,
    fault: str,
    *,
    recovery_s: float = RECOVERY_S,
    rate_per_s: float = RATE_PER_S,
    functions_die: bool = False,
) -> Iterator[Episode]:
    """Keep a load on while a test does its fault, then wait for every job's end and check it.

    A function that is killed takes along what it had not pushed: `functions_die` leaves that count out.
    """
    wait_until_well(stack)
    counters.begin()
    with client_of(stack.base) as client:
        episode = Episode(stack, counters, client, time.time())
        with steady_load(client, rate_per_s):
            episode.keep_up(BEFORE_S)
            yield episode
            if not episode.over_at:
                episode.over()
            episode.keep_up(AFTER_S)
        _wait_until_drained(episode, recovery_s)
        _judge(episode, ledger, fault, functions_die=functions_die)


def _wait_until_drained(episode: Episode, recovery_s: float) -> None:
    end = episode.over_at + recovery_s
    pause = threading.Event()
    while invariants.not_ended(episode.jobs()) and time.time() < end:
        pause.wait(POLL_S)


def _judge(episode: Episode, ledger: Ledger, fault: str, *, functions_die: bool) -> None:
    accepted, jobs = episode.recorder.accepted(), episode.jobs()
    told = invariants.stories(episode.stack, list(jobs))
    lost = invariants.lost(accepted, jobs)
    twice = invariants.ended_twice(told)
    violations = [
        *lost,
        *invariants.not_ended(jobs),
        *invariants.wrong_results(jobs),
        *twice,
        *invariants.wrong_attempts(told, jobs),
        *invariants.seen_by_strangers(episode.stack, accepted),
        *invariants.leaseless(episode.stack),
        *episode.counters.miscounted(functions_die=functions_die),
    ]
    latencies = [each.latency_s for each in accepted]
    promised = {each.task_id for each in accepted}
    ledger.entries.append(
        Entry(
            fault=fault,
            accepted=len(accepted),
            ended=sum(job.status in FINAL for job in jobs.values() if job.task_id in promised),
            lost=len(lost),
            stored_twice=len(twice),
            refused=sum(each.status != ACCEPTED for each in episode.recorder.all()),
            longest_recovery_s=max((_recovery_s(job, episode.over_at) for job in jobs.values()), default=0.0),
            slowest_accepted_s=max(latencies, default=0.0),
            p99_accepted_s=percentile(latencies, 99),
            violations=len(violations),
        )
    )
    assert violations == []


def _recovery_s(job: StoredJob, over_at: float) -> float:
    if job.finished_at is None:
        return time.time() - over_at
    return max(0.0, job.finished_at - max(over_at, job.submitted_at))
