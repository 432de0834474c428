"""How fast a stage advances, by what it did lately."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 30.0


class RecentRate:
    """Seconds left from the rate over the last ``WINDOW_SECONDS`` (or since the counting began)."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def restart(self) -> None:
        self._points.clear()

    def eta_seconds(self, now: float, done: int, total: int) -> float:
        """-1 when unknown."""
        if self._points and done < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, done))
        while len(self._points) > 2 and self._points[1][0] <= now - WINDOW_SECONDS:
            self._points.popleft()
        if done >= total:
            return 0.0
        (start, first), (end, last) = self._points[0], self._points[-1]
        if end <= start or last <= first:
            return -1.0
        return (total - done) * (end - start) / (last - first)
