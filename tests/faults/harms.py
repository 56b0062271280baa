"""Everything that the random mode may do to a stack under load; each returns once its harm is over."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random

from inference_contract.names import QUEUE_PREDICTIONS

from tests.faults.episode import Episode
from tests.faults.pure_model import HOSTILE, Action

LONGEST_S = 10.0
SOMEBODY_RUNS = "SELECT worker FROM predictions WHERE status = 'running' LIMIT 1"

type Harm = Callable[[Episode, Random], None]


def _kill_child(episode: Episode, _: Random) -> None:
    episode.client.submit(Action.SLEEP, 2.0, model=HOSTILE)
    for (worker,) in episode.stack.rows(SOMEBODY_RUNS):
        with suppress(ProcessLookupError):
            os.kill(int(str(worker).rpartition("/")[2]), signal.SIGKILL)


def _kill_worker(episode: Episode, _: Random) -> None:
    episode.stack.kill("worker", group=True)


def _stop_worker(episode: Episode, _: Random) -> None:
    episode.stack.process_of("worker").send_signal(signal.SIGTERM)


def _wipe_redis(episode: Episode, _: Random) -> None:
    with episode.stack.redis() as client:
        client.flushall()


def _down(part: str) -> Harm:
    def harm(episode: Episode, random: Random) -> None:
        episode.stack.stop(part)
        episode.keep_up(random.uniform(1, LONGEST_S))
        episode.stack.start(part)

    return harm


def _freeze(part: str) -> Harm:
    def harm(episode: Episode, random: Random) -> None:
        with episode.stack.frozen(part):
            episode.keep_up(random.uniform(1, LONGEST_S))

    return harm


def _kill(part: str) -> Harm:
    def harm(episode: Episode, _: Random) -> None:
        episode.stack.kill(part)

    return harm


def _rubbish(episode: Episode, random: Random) -> None:
    with episode.stack.redis() as client:
        client.lpush(QUEUE_PREDICTIONS, random.randbytes(random.randint(1, 10_000)))


def _poison(episode: Episode, random: Random) -> None:
    actions = (Action.CRASH, Action.KILLED_AS_OUT_OF_MEMORY, Action.MEMORY_ERROR, Action.SYS_EXIT)
    episode.client.submit(random.choice(actions), model=HOSTILE)


HARMS: Mapping[str, Harm] = {
    "kill a worker's child": _kill_child,
    "kill the worker": _kill_worker,
    "stop the worker": _stop_worker,
    "wipe Redis": _wipe_redis,
    "Redis down": _down("redis"),
    "Redis frozen": _freeze("redis"),
    "kill Redis": _kill("redis"),
    "Postgres down": _down("postgres"),
    "Postgres frozen": _freeze("postgres"),
    "kill Postgres": _kill("postgres"),
    "kill LocalStack": _kill("localstack"),
    "kill the sweeper": _kill("beat"),
    "monitoring down": _down("pushgateway"),
    "rubbish in Redis": _rubbish,
    "poison": _poison,
}
