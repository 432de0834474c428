"""Programs that take turns: each runs in a thread of its own, but only while it is asked to go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Turns:
    """``program`` calls the function it is given to end its turn; ``go_on`` gives it the next one and times it, in seconds."""

    def __init__(self, program: Callable[[Callable[[], None]], None]) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None
        self.ended = False
        threading.Thread(target=self._run, args=(program,), daemon=True).start()

    def go_on(self) -> float:
        start = time.perf_counter()
        self._go.release()
        self._done.acquire()
        if self._error is not None:
            raise self._error
        return time.perf_counter() - start

    def _run(self, program: Callable[[Callable[[], None]], None]) -> None:
        self._go.acquire()
        try:
            program(self._pause)
        except BaseException as error:
            self._error = error
        self.ended = True
        self._done.release()

    def _pause(self) -> None:
        self._done.release()
        self._go.acquire()
