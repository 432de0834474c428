"""The stop signal: SIGTERM (or Ctrl-C) asks, the stage answers when its work is resumable."""

from __future__ import annotations

import signal


class StopSignal:
    def __init__(self) -> None:
        self.requested = False

    def install(self) -> None:
        """From now on SIGTERM and SIGINT ask for a stop. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request())

    def request(self) -> None:
        self.requested = True
