"""Faults at random, one to three at a time, for as long as is asked for; a seed repeats their order."""

import time
from random import Random

import pytest

from tests.faults.conftest import UnderLoad
from tests.faults.harms import HARMS
from tests.faults.ledger import Ledger
from tests.faults.limits import ATTEMPTS_MAX, LEASE_S, RECOVERY_S, SWEEP_EVERY_S

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.timeout(0)]

SEEDS = 1_000_000
AT_ONCE_MAX = 3
LONGEST_PAUSE_S = 5.0
POISON_S = ATTEMPTS_MAX * (LEASE_S + 2 * SWEEP_EVERY_S)


def test_random_faults_lose_nothing(
    under_load: UnderLoad, ledger: Ledger, pytestconfig: pytest.Config
) -> None:
    chosen = pytestconfig.getoption("seed", default=None)
    seed = Random().randrange(SEEDS) if chosen is None else chosen  # noqa: S311 - no secret
    end = time.monotonic() + 60 * pytestconfig.getoption("minutes", default=5.0)
    random = Random(seed)  # noqa: S311 - to be repeated
    ledger.remarks.append(f"random faults: repeat with --seed {seed}")
    while time.monotonic() < end:
        names = random.sample(sorted(HARMS), random.randint(1, AT_ONCE_MAX))
        try:
            with under_load(
                ", ".join(names), recovery_s=RECOVERY_S + POISON_S, functions_die=True
            ) as episode:
                for name in names:
                    HARMS[name](episode, random)
                    episode.keep_up(random.uniform(0, LONGEST_PAUSE_S))
                episode.over()
        except BaseException as error:
            error.add_note(f"repeat with --seed {seed}; it was: {', '.join(names)}")
            raise
