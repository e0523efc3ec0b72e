"""Whatever the numbers are, what is said about them is whole sentences, and claims nothing without an interval."""

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from compared import arm_row, between
from virshort.verdict.comparison import Options, SetComparison, conclude, empty_row
from virshort.verdict.schema import ArmNovelty, ArmRow, Comparison, Contrast
from virshort.verdict.training import best_arm, training_summary

ARMS = ("baseline", "finetune", "scratch", "multilength", "both", "dna_only", "protein_only", "kmer", "gc")
SETS = ("short", "full", "length_100", "length_1000")
# `baseline`, `both`, `short` and `full` are ordinary words as well, which sentences use without quotes.
NAMES = [name for name in (*ARMS, *SETS) if name not in ("baseline", "both", "short", "full")]
CLAIMS = ("beyond chance", "Use ", "fixes", "more accurate", "less accurate", "overfits", "add nothing", "do harm", "It takes")
GROUPS = [("relative", "relative"), ("relative", "no relative"), *(("family", g) for g in ("known", "new", "unknown"))]
ends = some.tuples(some.floats(-100, 100), some.floats(-100, 100)).map(sorted).map(tuple)
share = some.floats(0, 1)


@some.composite
def results(draw: Any, intervals: bool = True) -> Comparison:
    """A comparison of some arms with wild numbers; without any interval if asked."""
    names = draw(some.lists(some.sampled_from(ARMS), min_size=1, unique=True))
    interval = some.none() | ends if intervals else some.none()
    viral, effective = draw(share), draw(some.floats(1, 200))
    rows: list[ArmRow] = []
    contrasts: list[Contrast] = []
    for test_set in draw(some.lists(some.sampled_from(SETS), min_size=1, unique=True)):
        if draw(some.integers(0, 9)) == 0:
            rows += [empty_row(n, test_set, "remedy") for n in names]
            continue
        for name in names:
            ci = draw(interval)
            points = (
                None if name == "baseline" or "baseline" not in names else sum(ci) / 2 if ci else draw(some.floats(-100, 100))
            )
            rates = (draw(share), draw(share))
            rows.append(
                arm_row(name, draw(share), points, ci, test_set, viral, effective, rates, intervals and draw(some.booleans()))
            )
        for pair in (("both", "dna_only"), ("both", "protein_only"), ("scratch", "kmer"), ("scratch", "gc")):
            ci = draw(interval)
            contrasts.append(between(*pair, sum(ci) / 2 if ci else draw(some.floats(-100, 100)), ci, test_set))
    training = []
    for name in names:
        model = {"selection": draw(some.none() | some.just({"accuracy": draw(share)})), "best_epoch": 1, "epochs_run": 4}
        history = [{"epoch": e, "train": {"accuracy": draw(share)}} for e in (1, 2)]
        entry = {
            "name": name,
            "role": "control" if name == "gc" else "remedy",
            "windows": "full" if name == "baseline" else "short",
        }
        training.append(training_summary(entry, [(model, history)]))
    shuffled: Any = {"auroc": draw(share), "ci95": [0.4, 0.6] if intervals else None}
    best = best_arm(training)
    votes = [{"windows": k, "accuracy": draw(share), "ci95": [0.5, 0.6] if intervals else None} for k in (1, 5)]
    details = {name: {"short": {"voting": {"votes": votes}}} for name in names}
    novelty = [
        draw(novel(name, by, group, intervals)) for name in names for by, group in draw(some.sets(some.sampled_from(GROUPS)))
    ]
    compared = [SetComparison(rows, contrasts, shuffled)]
    return conclude(compared, [], None, novelty, details, training, best, [], None, [], {}, Options())


@some.composite
def novel(draw: Any, arm: str, by: str, group: str, intervals: bool) -> ArmNovelty:
    """A row of the results by novelty."""
    rates: list[Any] = [
        {"share": draw(share), "ci95": [0.1, 0.2] if intervals and draw(some.booleans()) else None} for _ in "12"
    ]
    return {
        "arm": arm,
        "by": by,
        "group": group,
        "label": "viral",
        "windows": draw(some.integers(1, 9999)),
        "clusters": 9,
        "units": draw(some.integers(1, 9)),
        "effective": 9.0,
        "called": rates[0],
        "called_strictly": draw(some.sampled_from([rates[1], None])),
    }


def sentences(c: Comparison) -> Iterator[str]:
    """Everything that a person reads, but for headlines."""
    yield from (
        c["answer"],
        c["recommendation"],
        c["verdict"]["reason"],
        c["leakage"]["sentence"],
        *c["warnings"],
        *c["by_length"],
    )
    yield from (o["sentence"] for o in c["overfitting"])
    yield from (c["scenario"]["next_steps"] if c["scenario"] else [])
    yield from [c["votes"]] if c["votes"] else []
    yield from [c["novelty"]["sentence"]] if c["novelty"]["sentence"] else []
    yield from [c["cost"]["sentence"]] if c["cost"] else []
    for control in c["controls"].values():
        if control:
            yield control["sentence"]


@settings(max_examples=100)
@given(results())
def test_everything_said_is_whole_sentences(c: Comparison) -> None:
    for text in sentences(c):
        assert re.fullmatch(rf"(LEAK\? )?([A-Z]|'({'|'.join(ARMS)})' ).*\.", text), text
        assert not re.search(rf"(?<!')\b({'|'.join(NAMES)})\b|\b({'|'.join(NAMES)})\b(?!')", text), text
        assert not re.search(r"\bNone\b|\bnan\b|\binf\b|  |\.\.|,,| ,| \.|\bunknown\b", text), text
        assert not re.search(r"(?<![\d.,])1 (windows|clusters|points)\b", text), text
        assert not re.search(r"(gains|by|with) -", text) or "differs from" in text, text


@settings(max_examples=100)
@given(results(intervals=False))
def test_without_any_interval_nothing_is_claimed(c: Comparison) -> None:
    for text in sentences(c):
        assert not any(claim in text for claim in CLAIMS), text
    assert not c["verdict"]["certain"]
    if c["scenario"]:
        assert c["scenario"]["name"] == "undecided"
