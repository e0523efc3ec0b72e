"""Progress messages for a task's log."""

import time
from collections.abc import Callable

Log = Callable[[str], None]
"""Takes a line for the user."""


class Progress:
    """Logs a line from time to time and one at the end: how much is done, how fast, and the time left."""

    def __init__(self, total: int, log: Log, every: float = 30.0, clock: Callable[[], float] = time.monotonic):
        """total: number of sequences in the whole task; every: seconds between lines."""
        self._total, self._log, self._every, self._clock = total, log, every, clock
        self._start: float | None = None
        self._sequences = self._done_tokens = 0

    def start(self) -> None:
        """Start the clock unless it runs already. Loading a model does not count for the rate."""
        if self._start is None:
            self._start = self._last = self._clock()

    def __call__(self, sequences: int, tokens: int) -> None:
        """Count a finished batch."""
        self.start()
        self._sequences += sequences
        self._done_tokens += tokens
        now = self._clock()
        if now - self._last >= self._every or self._sequences == self._total:
            self._last = now
            self._log(self.line())

    def line(self) -> str:
        """The state in one line."""
        seconds = max(self._clock() - (self._start or 0), 1e-9)
        rate = self._sequences / seconds
        left = (self._total - self._sequences) / rate if rate else 0
        return (
            f"{self._sequences} of {self._total} windows, {rate:.3g} windows/s, "
            f"{self._done_tokens / seconds:.3g} tokens/s, {_duration(left)} left"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
