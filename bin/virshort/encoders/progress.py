"""Progress that a person can read in a task's log."""

import time
from collections.abc import Callable

Log = Callable[[str], None]
"""Takes a line."""


class Progress:
    """A line now and then, and one at the end: how far, how fast, how long still."""

    def __init__(self, total: int, log: Log, every: float = 30.0, clock: Callable[[], float] = time.monotonic):
        """total: sequences of the whole task; every: seconds between lines."""
        self._total, self._log, self._every, self._clock = total, log, every, clock
        self._start: float | None = None
        self._sequences = self._done_tokens = 0

    def start(self) -> None:
        """Start the clock, if it does not run: loading a model is no part of the rate."""
        if self._start is None:
            self._start = self._last = self._clock()

    def __call__(self, sequences: int, tokens: int) -> None:
        """Count a batch that is done."""
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
