"""Whether records are the two mates of one fragment, by their names."""

import numba
import numpy as np

from virshort.reads.records import Records

_SAME, _OTHER_NAME, _SAME_MATE = 0, 1, 2


def first_stranger(one: Records, other: Records) -> tuple[int, str] | None:
    """The first row in which two files of mates are out of step, and why; None if they never are. Both have n records.

    A name is a header up to the first white space. The names of mates are equal, or differ only in that the first ends with
    `/1` or `.1` and the second with `/2` or `.2`. If both say which mate they are (` 1:N:0:...` and ` 2:N:0:...` after the
    name, or /1 and /2), the first must be mate 1 and the second mate 2."""
    found = _agreement(
        one.text, one.first + 1, one.name_last, other.text, other.first + 1, other.name_last
    )  # [n] _SAME, _OTHER_NAME or _SAME_MATE
    if not found.any():
        return None
    row = int(np.argmax(found != _SAME))
    if found[row] == _OTHER_NAME:
        return row, f"{other.name(row)} is not the mate of {one.name(row)}"
    return row, f"the header of {other.name(row)} or that of its mate says that they are not mates 2 and 1"


def are_interleaved(records: Records) -> bool:
    """Whether the first records of a file are mates, each directly followed by its own."""
    pairs = len(records) // 2
    if not pairs or first_stranger(*interleaved_mates(records.part(0, 2 * pairs))) is not None:
        return False
    # The reads of one run are called RUN.1, RUN.2, RUN.3, ...: the first two alone would look like mates.
    return pairs > 1 or records.name(0)[-2:] != ".1" or records.name(1)[-2:] != ".2"


def interleaved_mates(records: Records) -> tuple[Records, Records]:
    """The first and the second mates of an even number of records."""
    return records.every_other(odd=False), records.every_other(odd=True)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _agreement(
    one: np.ndarray,
    one_first: np.ndarray,
    one_last: np.ndarray,
    other: np.ndarray,
    other_first: np.ndarray,
    other_last: np.ndarray,
) -> np.ndarray:
    found = np.zeros(len(one_first), np.uint8)
    for row in range(len(one_first)):
        a, b = one_first[row], other_first[row]
        a_end, b_end = a, b
        while a_end < one_last[row] and one[a_end] not in (32, 9, 11, 12, 13):
            a_end += 1
        while b_end < other_last[row] and other[b_end] not in (32, 9, 11, 12, 13):
            b_end += 1
        size = a_end - a
        if size != b_end - b:
            found[row] = _OTHER_NAME
            continue
        same = 0  # letters from the start on
        while same < size and one[a + same] == other[b + same]:
            same += 1
        if same < size:  # /1 and /2, or .1 and .2
            ends_as_mates = size > 2 and one[a_end - 1] == 49 and other[b_end - 1] == 50 and one[a_end - 2] in (46, 47)
            if same < size - 1 or not ends_as_mates:
                found[row] = _OTHER_NAME
            continue
        if size > 2 and one[a_end - 2] == 47 and one[a_end - 1] in (49, 50):  # both /1, or both /2
            found[row] = _SAME_MATE
        elif a_end + 2 < one_last[row] and b_end + 2 < other_last[row]:  # 1:N:0: and 2:N:0:
            said = one[a_end + 2] == 58 and other[b_end + 2] == 58
            digits = 49 <= one[a_end + 1] <= 57 and 49 <= other[b_end + 1] <= 57
            if said and digits and not (one[a_end + 1] == 49 and other[b_end + 1] == 50):
                found[row] = _SAME_MATE
    return found
