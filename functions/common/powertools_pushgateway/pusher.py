"""The thread that pushes: at once after the first invocation, then once an interval, and at the end.

Invocations reach it through a SimpleQueue, whose `put` waits for nothing and may be called inside a signal
handler; everything else belongs to the thread, so there is no lock that an interrupted invocation could hold.
"""

import logging
import queue
import threading
import time
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
        self._thread: threading.Thread | None = None
        self._push_after = 0.0
        self._unpushed = False
        self._failing = False
        self._failed_pushes = 0

    def submit(self, batch: Batch) -> None:
        """Hand over an invocation's samples; starts the thread where none runs."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name="pushgateway", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self._registry.refusals.add("thread", str(error), len(batch.samples))
                return
            self._thread = thread
        self._inbox.put(batch)

    def finish(self, wait_s: float) -> None:
        """Push what is left and wait so long at most; may be called twice, or in a signal handler."""
        if self._thread is not None and self._thread.is_alive():
            self._inbox.put(END)
            self._thread.join(wait_s)

    def _run(self) -> None:
        heartbeat_at = time.monotonic() + self._rhythm.heartbeat_s
        while True:
            due = self._push_after if self._unpushed else heartbeat_at
            try:
                batch = self._inbox.get(timeout=max(due - time.monotonic(), 0))
            except queue.Empty:
                pass
            else:
                if batch is END:
                    break
                self._registry.absorb(batch)
                self._unpushed = True
                if time.monotonic() < self._push_after:
                    continue
            self._push()
            heartbeat_at = time.monotonic() + self._rhythm.heartbeat_s
        if self._unpushed:
            self._push()

    def _push(self) -> None:
        try:
            registry = self._registry
            self._gateway.put(exposition(registry.families.values(), registry.refusals, self._failed_pushes))
        except Exception as error:  # noqa: BLE001 - the thread must go on: its next push brings everything
            self._failed_pushes += 1
            # A heartbeat too must be made up for: the gateway may hold nothing of ours.
            self._unpushed = True
            if not self._failing:
                logger.warning("metrics cannot be pushed; values are kept", extra={"reason": str(error)})
            self._failing = True
        else:
            if self._failing:
                logger.warning("metrics are pushed again", extra={"failed_pushes": self._failed_pushes})
            self._unpushed = self._failing = False
        self._push_after = time.monotonic() + self._rhythm.push_every_s
