"""How long a stage still takes."""

from __future__ import annotations

from collections import deque
from math import exp

MIN_ADVANCES = 3
"""No estimate before the count has advanced so often: the first batch also pays for warming up."""
MIN_SECONDS = 3.0
DAMPING_SECONDS = 15.0
"""The estimate follows a change with this time constant."""


class RemainingTime:
    """Seconds left, from the pace of the latest half of the time since the counting began.

    Work comes in lumps, because a batch ends as a whole: the pace is taken between moments at which the count advanced. The half
    grows with the time, so that lumps matter less and less; between two looks the estimate runs down as a clock does, and it moves
    to what the pace says gradually.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._advances: deque[tuple[float, float]] = deque()
        self._began = self._estimated_at = 0.0
        self._num_advances = 0
        self._estimate = -1.0

    def eta_seconds(self, now: float, done: float, total: float) -> float:
        """-1 when unknown. ``done`` and ``total`` are amounts of work in any unit."""
        if self._advances and done < self._advances[-1][1]:
            self.restart()
        if not self._advances:
            self._began = now
            self._advances.append((now, done))
        elif done > self._advances[-1][1]:
            self._num_advances += 1
            self._advances.append((now, done))
        if done >= total:
            return 0.0
        pace = self._seconds_per_unit()
        if pace < 0:
            return -1.0
        self._follow(now, (total - done) * pace)
        return self._estimate

    def _seconds_per_unit(self) -> float:
        """Over the latest half of the time; -1 when too little is known."""
        last, done = self._advances[-1]
        if self._num_advances < MIN_ADVANCES or last - self._began < MIN_SECONDS:
            return -1.0
        middle = (self._began + last) / 2
        while self._advances[1][0] <= middle:
            self._advances.popleft()
        start, first = self._advances[0]
        return (last - start) / (done - first)

    def _follow(self, now: float, target: float) -> None:
        passed, self._estimated_at = now - self._estimated_at, now
        if self._estimate < 0:
            self._estimate = target
            return
        expected = max(0.0, self._estimate - passed)
        self._estimate = expected + (target - expected) * (1 - exp(-passed / DAMPING_SECONDS))
