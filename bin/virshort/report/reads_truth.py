"""The calls of a sample beside the truth, in rows for the page and in lines for the terminal."""

from virshort.calls.sample_record import SampleSummary, TruthRow
from virshort.calls.summary import kind_of_fragments, percent

HEADS = ("", "viral found", "others called viral", "viral calls that are right")


def truth_rows(sample: SampleSummary) -> list[tuple[str, TruthRow]]:
    """Rows for all fragments, for those with each kind of evidence, and for each group, unless they are empty."""
    truth = sample["truth"]
    if truth is None:
        return []
    parts = {"all": truth["all"], **truth["by_evidence"], **truth["by_group"]}
    return [(name, row) for name, row in parts.items() if row["viral"]["all"] + row["nonviral"]["all"]]


def truth_notes(sample: SampleSummary) -> list[str]:
    """A sentence each on what has a label but no score, and on what only the table or only the sample has."""
    truth = sample["truth"]
    if truth is None:
        return []
    what = kind_of_fragments(sample["layout"])
    unscored = truth["all"]["viral"]["unscored"], truth["all"]["nonviral"]["unscored"]
    notes = []
    if sum(unscored):
        notes.append(f"{unscored[0]:,} viral and {unscored[1]:,} nonviral {what} have no score and are left out.")
    if truth["not_in_truth"]:
        notes.append(f"{what.capitalize()} without a label: {truth['not_in_truth']:,}.")
    if truth["not_in_reads"]:
        notes.append(f"Labels of {what} that are not in this sample: {truth['not_in_reads']:,}.")
    return notes


def share_of(part: int, rest: int) -> str:
    """A number, of how many, and its share in percent; empty where there are none."""
    return f"{part:,} of {part + rest:,} ({percent(part / (part + rest))})" if part + rest else ""


def cells(row: TruthRow) -> tuple[str, str, str]:
    """The three figures of a row: viral fragments found, others called viral, and viral calls that are right."""
    viral, nonviral = row["viral"], row["nonviral"]
    return (
        share_of(viral["viral"], viral["nonviral"]),
        share_of(nonviral["viral"], nonviral["nonviral"]),
        share_of(viral["viral"], nonviral["viral"]),
    )


def truth_text(sample: SampleSummary) -> str:
    """A table for the terminal, and the notes below it."""
    table = [HEADS, *((name, *cells(row)) for name, row in truth_rows(sample))]
    width = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, width, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, *truth_notes(sample)])
