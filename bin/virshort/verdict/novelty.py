"""What the results by novelty say: how an arm does on viruses with relatives in training, and on those of new families."""

from collections.abc import Sequence

import numpy as np

from virshort.heads.calibration import LENGTHS, for_bin, in_bin
from virshort.inference.novelty_rates import Cuts, NoveltyRate, Rate
from virshort.verdict.schema import ArmNovelty
from virshort.verdict.training import ModelFiles
from virshort.verdict.wording import counted, percent, quoted, with_interval


def strict_cuts(models: Sequence[ModelFiles], window_length: int) -> Cuts:
    """By fold and replicate, the log-odds from which 1 % of the nonviral validation windows of this length are called viral."""
    lengths = next(bounds for bounds in LENGTHS if in_bin(np.array([window_length]), bounds)[0])
    return {
        (m["fold"], m["replicate"]): for_bin(m["calibration"], lengths)["thresholds"]["fpr_1e-2"]
        if "calibration" in m
        else None
        for m, _ in models
    }


def find(rows: Sequence[ArmNovelty], arm: str | None, by: str, group: str, label: str = "viral") -> ArmNovelty | None:
    """The row of an arm and a group of windows, if there are such windows."""
    wanted = (arm, by, group, label)
    return next((r for r in rows if (r["arm"], r["by"], r["group"], r["label"]) == wanted), None)


def novelty_in_words(rows: Sequence[ArmNovelty], best: str | None) -> str | None:
    """How the best arm (or else `finetune`) does on viruses with relatives in training and on new ones; None if unknown."""
    arm = best or "finetune"
    mine = [r for r in rows if r["arm"] == arm and r["label"] == "viral"]
    if not mine:
        return None
    strict = all(r["called_strictly"] for r in mine)
    at = "at its threshold for 1 % false positives" if strict else "at its threshold from validation"
    known, new = (find(rows, arm, "family", group) for group in ("known", "new"))
    text = []
    if related := find(rows, arm, "relative", "relative"):
        unrelated = find(rows, arm, "relative", "no relative")
        rest = f", and of the others {_found(unrelated, strict)}" if unrelated else ""
        text.append(
            f"Relatives known: {at}, {quoted(arm)} finds {_found(related, strict)} of the viral windows that match a virus in "
            f"training (35 bits or more){rest}."
        )
    elif known:
        text.append(f"Family known: {at}, {quoted(arm)} finds {_found(known, strict)} of the viral windows.")
    if new:
        of = counted(new["units"], "family").replace("familys", "families")
        finds = "it finds" if text else f"{at}, {quoted(arm)} finds"
        text.append(f"Family new: {finds} {_found(new, strict)} of the viral windows of {of} without a member in training.")
    elif known:
        text.append("Family new: no tested family was absent from training, as it is in a run of its own (--hold_out family).")
    else:
        text.append("Family new: this is not known, because no family is given (column family).")
    return " ".join(text)


def _found(row: NoveltyRate, strict: bool) -> str:
    rate: Rate | None = row["called_strictly"] if strict else row["called"]
    assert rate is not None, "asked for only where every row has it"
    return with_interval(percent(rate["share"]), rate["ci95"], 100)
