"""How often an operator's programs may ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_OPERATORS = 1000  # whose rate is kept in mind


@dataclass
class Rates:
    """How often each operator may ask: so many times a second, and as many at once as were saved up."""

    per_second: float = 50.0
    at_once: float = 100.0
    clock: Callable[[], float] = time.monotonic
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)  # by operator: requests, as of when
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, operator: int) -> float:
        """Count a request; 0 when it may be answered, else the seconds until one may."""
        with self._lock:
            now = self.clock()
            left, since = self._left.pop(operator, (self.at_once, now))
            left = min(self.at_once, left + (now - since) * self.per_second)
            allowed = left >= 1
            if len(self._left) >= _OPERATORS:  # the one who has not asked for longest has saved up most
                del self._left[next(iter(self._left))]
            self._left[operator] = (left - 1 if allowed else left, now)
            return 0.0 if allowed else (1 - left) / self.per_second
