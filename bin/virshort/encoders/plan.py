"""What a run needs of encoders, from its arms: which to load, what each embeds, and which weights to fetch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from virshort.arm_record import Arm
from virshort.arms import WINDOW_SETS
from virshort.encoders.catalogue import Catalogue, by_modality, choose_encoder, entry_of
from virshort.encoders.revisions import PlannedWeights, planned_weights
from virshort.errors import InputError, nearest
from virshort.modalities import ENCODED, FINETUNED


@dataclass(frozen=True)
class PlannedEncoder:
    """process: the Nextflow process that computes it; module: the library module that loads it; model: the language model whose
    weights it needs, None if it needs none; reading: how that reads sequences, None where its family knows that itself."""

    process: str
    module: str
    model: str | None
    reading: dict[str, Any] | None


@dataclass(frozen=True)
class Plan:
    """plan.json. fastas: the files of the samplesheet; arms: as in arms.json; encoders: by name; needed: which of them embed
    each window set, where `test` stands for all test sets; weights: of each language model; width: numbers in a row of the
    baseline's features; note: on k-mers that stand in for language models; train_sets: the window sets to draw for training;
    left_out: the arms of the file that would train an encoder, and run only on a GPU or if they are named."""

    fastas: list[str]
    arms: list[Arm]
    encoders: dict[str, PlannedEncoder]
    needed: dict[str, list[str]]
    weights: dict[str, PlannedWeights]
    width: int
    note: str | None
    train_sets: list[str]
    left_out: list[str]


def encoders_of_run(
    asked: Mapping[str, Sequence[str]], weights_given: bool, device: str, catalogue: Catalogue
) -> dict[str, list[str]]:
    """The run's encoders for each modality; arms read the first, and are compared with variants that read the others. asked:
    encoders or `auto` by modality; other modalities have one encoder each.

    Raises InputError for an encoder that is unknown, that reads another modality, or that is named twice."""
    known = by_modality(catalogue)
    only = {modality: list(names) for modality, names in known.items() if modality not in asked}
    chosen = {m: [choose_encoder(m, name, weights_given, device) for name in names] for m, names in asked.items()}
    for modality, names in chosen.items():
        for name in names:
            if name not in known[modality]:
                raise InputError(
                    f"--{modality}_encoder {name}: {nearest(name, known[modality])}; --encoders_file can describe others"
                )
            if names.count(name) > 1:
                raise InputError(f"--{modality}_encoder names {name} twice: an encoder is compared with others")
    return chosen | only


def stand_in_note(asked: Mapping[str, Sequence[str]], chosen: Mapping[str, Sequence[str]], catalogue: Catalogue) -> str | None:
    """A sentence on the k-mers that `auto` chose in place of language models; None if it chose none."""
    pairs = [(word, name) for m in asked for word, name in zip(asked[m], chosen[m], strict=True)]
    names = [name for word, name in pairs if word == "auto" and entry_of(name, catalogue).row is None]
    if not names:
        return None
    return (
        f"{' and '.join(names)} stand in for the language models, which need a GPU (-profile gpu) or a folder with "
        "their weights (--weights DIR): docs/language-models.md"
    )


def encoders_by_window_set(arms: Sequence[Arm]) -> dict[str, list[str]]:
    """The encoders that embed each window set: those of the arms that use it. All arms use the test sets, and the validation
    windows of `short` (which also is the first part of `scratch`)."""
    users = {"test": arms} | {name: [a for a in arms if name in (a["windows"], "short")] for name in WINDOW_SETS}
    return {name: sorted({e for a in using for e in a["encoders"].values()}) for name, using in users.items()}


def planned(encoder: str, catalogue: Catalogue) -> PlannedEncoder:
    """What a run needs to know of an encoder."""
    entry = entry_of(encoder, catalogue)
    reading = asdict(entry.row.reading) if entry.row and entry.row.reading else None
    return PlannedEncoder(entry.process, entry.module, entry.row.name if entry.row else None, reading)


def arms_by_default(arms: Sequence[Arm], device: str, catalogue: Catalogue) -> list[str]:
    """The names of the arms that run unless others are asked for: without those that train an encoder, or combine an arm that
    does, where no GPU is requested or the encoder is no language model."""
    left_out = {
        arm["name"]
        for arm in arms
        if "finetune" in arm and (device != "cuda" or entry_of(arm["finetune"]["encoder"], catalogue).row is None)
    }
    return [arm["name"] for arm in arms if not left_out & {arm["name"], *arm["combine"]}]


def planned_end_to_end(arm: Arm, catalogue: Catalogue) -> PlannedEncoder:
    """The same of an encoder that an arm trains. Raises InputError where it is no language model."""
    encoder = arm["finetune"]["encoder"]
    base = planned(encoder, catalogue)
    if base.model is None:
        raise InputError(
            f"arm {arm['name']}: trains its encoder, and {encoder} is no language model: give the weights of one with "
            "--weights, or use -profile gpu, or leave the arm out with --arms"
        )
    return replace(base, process="SCORE_FINETUNED")


def make_plan(
    fastas: Sequence[str],
    arms: Sequence[Arm],
    note: str | None,
    catalogue: Catalogue,
    revisions: str | None = None,
    left_out: Sequence[str] = (),
) -> Plan:
    """The plan for some arms. revisions: as for `planned_weights`; left_out: as in a plan.

    Raises InputError for an arm that trains an encoder that is no language model."""
    needed = encoders_by_window_set(arms)
    baseline = next(arm for arm in arms if arm["role"] == "baseline")
    trained = {arm["encoders"][FINETUNED]: arm for arm in arms if "finetune" in arm}
    published = {trained[name]["finetune"]["encoder"] if name in trained else name for name in needed["test"]}
    return Plan(
        list(fastas),
        list(arms),
        {
            name: planned_end_to_end(trained[name], catalogue) if name in trained else planned(name, catalogue)
            for name in needed["test"]
        },
        needed,
        planned_weights(published, catalogue, revisions),
        sum(entry_of(baseline["encoders"][m], catalogue).dim if m in ENCODED else 1 for m in baseline["modalities"]),
        note,
        sorted({arm["windows"] or "short" for arm in arms}),
        list(left_out),
    )
