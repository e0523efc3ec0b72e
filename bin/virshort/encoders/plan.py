"""What a run needs of encoders, from its arms: which to load, what each embeds, and which weights to fetch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from virshort.arm_record import Arm
from virshort.arms import WINDOW_SETS
from virshort.encoders.catalogue import ENCODERS, choose_encoder, entry_of, model_of
from virshort.encoders.published import choose_revisions
from virshort.errors import InputError
from virshort.modalities import FINETUNED


@dataclass(frozen=True)
class PlannedEncoder:
    """process: the Nextflow process that computes it; module: the library module that loads it; model: the language model whose
    weights it needs, None if it needs none."""

    process: str
    module: str
    model: str | None


@dataclass(frozen=True)
class Plan:
    """plan.json. fastas: the files of the samplesheet; arms: as in arms.json; encoders: by name; needed: which of them embed
    each window set, where `test` stands for all test sets; weights: the revision of each language model; note: on k-mers that
    stand in for language models; train_sets: the window sets to draw for training."""

    fastas: list[str]
    arms: list[Arm]
    encoders: dict[str, PlannedEncoder]
    needed: dict[str, list[str]]
    weights: dict[str, str]
    note: str | None
    train_sets: list[str]


def encoders_of_run(asked: Mapping[str, str], weights_given: bool, device: str) -> dict[str, str]:
    """The run's encoder for each modality. asked: encoder or `auto` by modality; others have one encoder each."""
    only = {modality: name for modality, names in ENCODERS.items() if modality not in asked for name in names}
    return {modality: choose_encoder(modality, name, weights_given, device) for modality, name in asked.items()} | only


def stand_in_note(asked: Mapping[str, str], chosen: Mapping[str, str]) -> str | None:
    """A sentence on the k-mers that `auto` chose in place of language models; None if it chose none."""
    names = [chosen[modality] for modality in asked if asked[modality] == "auto" and not model_of(chosen[modality])]
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


def arms_by_default(arms: Sequence[Arm], device: str) -> list[str]:
    """The names of the arms that run unless others are asked for: without those that train an encoder, or combine an arm that
    does, where no GPU is requested or the encoder is no language model."""
    left_out = {
        arm["name"] for arm in arms if "finetune" in arm and (device != "cuda" or not model_of(arm["finetune"]["encoder"]))
    }
    return [arm["name"] for arm in arms if not left_out & {arm["name"], *arm["combine"]}]


def _planned(name: str, arms: Sequence[Arm]) -> PlannedEncoder:
    """What computes the features of an encoder; SCORE_FINETUNED where it is one that an arm of the run trains."""
    arm = next((a for a in arms if "finetune" in a and a["encoders"][FINETUNED] == name), None)
    base = arm["finetune"]["encoder"] if arm else name
    entry, model = entry_of(base), model_of(base)
    if arm and not model:
        raise InputError(
            f"arm {arm['name']}: trains its encoder, and {base} is no language model: give the weights of one with --weights, "
            "or use -profile gpu, or leave the arm out with --arms"
        )
    return PlannedEncoder("SCORE_FINETUNED" if arm else entry.process, entry.module, model)


def make_plan(fastas: Sequence[str], arms: Sequence[Arm], note: str | None, revisions: str | None = None) -> Plan:
    """The plan for some arms. revisions: `local`, or ENCODER=REVISION, comma-separated; None for the pinned ones.

    Raises InputError for revisions that do not fit the language models of the arms, and for an arm that trains an encoder that
    is none."""
    needed = encoders_by_window_set(arms)
    encoders = {name: _planned(name, arms) for name in needed["test"]}
    models = {encoder.model for encoder in encoders.values() if encoder.model}
    train_sets = sorted({arm["windows"] or "short" for arm in arms})
    return Plan(list(fastas), list(arms), encoders, needed, choose_revisions(models, revisions), note, train_sets)
