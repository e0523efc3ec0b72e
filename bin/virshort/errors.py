"""Errors that a user can act on: one line that names what is wrong and how to fix it."""

import errno
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches


class InputError(Exception):
    """The user's input is wrong. The message is one line that says what is wrong, where, and what to do about it."""

    exit_code = 1


class RowError(InputError):
    """One sequence is wrong. `row` is its position in the sequences that were passed; `why` is the message without it."""

    def __init__(self, row: int, why: str):
        super().__init__(f"row {row}: {why}")
        self.row, self.why = row, why


class NetworkError(InputError):
    """A download failed. Trying again may help."""

    exit_code = 104  # ECONNRESET


def first_line(e: Exception) -> str:
    """The first line of another library's message, or the kind of error where it has none."""
    return (str(e).strip().splitlines() or [type(e).__name__])[0][:200]


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known word that `name` most resembles, whatever its case; None if it resembles none."""
    return next(iter(get_close_matches(name.lower(), list(known), 1)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known word that it resembles, if there is one, and all known words."""
    known = list(known)
    near, choices = closest(name, known), ", ".join(known)
    return f"did you mean {near}? It can be {choices}" if near else f"it can be {choices}"


def run(main: Callable[[], None]) -> None:
    """Call a script's `main`, and report errors that the user can act on in one line and by the exit code.

    The exit codes are 1 for wrong input or a damaged file, which a retry cannot fix, 74 for a full disk, 104 for a failed
    download and 137 for too little memory; Nextflow retries after the last two. Any other error is a bug, so its traceback
    is shown.
    """
    try:
        main()
    except InputError as e:
        print(f"virshort: {' '.join(str(e).split())}", file=sys.stderr)
        sys.exit(e.exit_code)
    except MemoryError:
        print("virshort: out of memory: give the process more (see docs/usage.md, resources)", file=sys.stderr)
        sys.exit(137)
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(
            f"virshort: no space left on the disk that holds {e.filename or 'the work folder'}: "
            "free some, then run again with -resume",
            file=sys.stderr,
        )
        sys.exit(74)
