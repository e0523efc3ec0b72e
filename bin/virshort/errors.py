"""What a user reads when something is wrong: one line that names the culprit and the remedy."""

import errno
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Something the user gave is wrong. The message is one line: what, where, and what to do."""

    exit_code = 1


class RowError(InputError):
    """Something is wrong with one sequence. `row`: its number in what was given; `why`: the rest of the message."""

    def __init__(self, row: int, why: str):
        super().__init__(f"row {row}: {why}")
        self.row, self.why = row, why


class NetworkError(InputError):
    """What is not here could not be fetched. A retry may mend it."""

    exit_code = 104  # ECONNRESET


def nearest(name: str, known: Iterable[str]) -> str:
    """What a word that is not known may have been meant to be, and what it can be."""
    known = list(known)
    near = get_close_matches(name.lower(), known, 1)
    return f"did you mean {near[0]}? It can be {', '.join(known)}" if near else f"it can be {', '.join(known)}"


def run(main: Callable[[], None]) -> None:
    """Call a script's `main` and turn what a user can mend into one line and an exit code.

    Exit codes: 1 wrong input or a broken artifact (a retry cannot mend it), 74 disk full, 104 no network, 137 out of
    memory (a retry, with more memory, can mend the last two). Anything else is a bug and keeps its traceback.
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
