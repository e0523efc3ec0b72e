"""What the second mate of a fragment adds to the first."""

from collections.abc import Sequence

from virshort.verdict.rows import row_of
from virshort.verdict.schema import ArmRow, PairGain
from virshort.verdict.wording import percent, percent_in_words, points_in_words, quoted


def pairs_in_words(gains: Sequence[PairGain], rows: Sequence[ArmRow], best: str | None) -> str | None:
    """How accurate the best arm (or else `finetune`) is with two mates; None where it has no result on pairs."""
    arm = best or "finetune"
    gain = next((g for g in gains if g["arm"] == arm), None)
    mate, pair = row_of(rows, arm, "mate"), row_of(rows, arm, "pair")
    if gain is None or mate is None or pair is None:
        return None
    one, both = mate["metrics"]["accuracy"], pair["metrics"]["accuracy"]
    return (
        f"Two mates of a fragment: {quoted(arm)} calls {percent_in_words(both)} correctly instead of {percent(one['mean'])} "
        f"with one mate, a difference of {points_in_words(gain)}."
    )
