"""The thread that pushes: at once after the first invocation, then once an interval, and at the end.

Invocations reach it through a SimpleQueue, whose `put` waits for nothing and may be called inside a signal
handler; everything else belongs to the thread, so there is no lock that an interrupted invocation could hold.
"""

import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from powertools_pushgateway.exposition import exposition
from powertools_pushgateway.gateway import Gateway
from powertools_pushgateway.registry import Registry
from powertools_pushgateway.samples import Batch

logger = logging.getLogger(__name__)

END: Final = None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When to push, in seconds.

    Args:
        push_every_s: least time between two pushes, failed ones too.
        heartbeat_s: with nothing new, push again after so long: it tells the cleaner that the environment
            lives, and fills a gateway that was started anew.
    """

    push_every_s: float = 2.0
    heartbeat_s: float = 20.0


class Pusher:
    """Owns the registry of one environment.

    Args:
        gateway: where to push.
        registry: what to push.
        rhythm: how often.
    """

    def __init__(self, gateway: Gateway, registry: Registry, rhythm: Rhythm) -> None:
        self._gateway = gateway
        self._registry = registry
        self._rhythm = rhythm
        self._inbox: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._end: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._failed_pushes = 0

    def submit(self, batch: Batch) -> None:
        """Hand over an invocation's samples; starts the thread where none runs."""
        if self._thread is not None and self._thread.is_alive():
            self._inbox.put(batch)
            return
        thread = threading.Thread(target=self._run, args=(batch,), name="pushgateway", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._registry.refusals.add("thread", str(error), len(batch.samples))
        else:
            self._thread = thread

    def finish(self, wait_s: float) -> None:
        """Push once more, marked as the last, and wait so long at most; may be called in a signal handler."""
        if self._thread is not None and self._thread.is_alive():
            self._inbox.put(END)
            self._end.put(END)
            self._thread.join(wait_s)

    def _run(self, first: Batch) -> None:
        self._registry.absorb(first)
        goes_on = True
        while goes_on:
            self._push()
            self._pause()
            goes_on = self._absorb()
        self._push(ended=True)

    def _absorb(self) -> bool:
        """Take what is new, waiting for it unless a push must be made up for; tell whether it goes on."""
        quiet_s = 0.0 if self._failing else max(self._rhythm.heartbeat_s - self._rhythm.push_every_s, 0)
        try:
            batch = self._inbox.get(timeout=quiet_s)
            while batch is not END:
                self._registry.absorb(batch)
                batch = self._inbox.get_nowait()
        except queue.Empty:
            return True
        return False

    def _pause(self) -> None:
        """Sleep the interval out, or until the end.

        Not at the inbox: to be woken by each invocation would cost it more than all that it has to say.
        """
        with suppress(queue.Empty):
            self._end.get(timeout=self._rhythm.push_every_s)

    def _push(self, *, ended: bool = False) -> None:
        registry = self._registry
        try:
            self._gateway.put(
                exposition(registry.families.values(), registry.refusals, self._failed_pushes, ended=ended)
            )
        except Exception as error:  # noqa: BLE001 - the thread must go on: its next push brings everything
            self._failed_pushes += 1
            if not self._failing:
                logger.warning("metrics cannot be pushed; values are kept", extra={"reason": str(error)})
            self._failing = True
        else:
            if self._failing:
                logger.warning("metrics are pushed again", extra={"failed_pushes": self._failed_pushes})
            self._failing = False
