"""What a run that classifies reads needs, from the sheet of reads and the model."""

from collections.abc import Sequence
from dataclasses import dataclass

from virshort.encoders.catalogue import entry_of
from virshort.encoders.revisions import PlannedWeights, planned_weights
from virshort.model.checking import Checked
from virshort.model.language_models import ENSEMBLE, catalogue_of_model, loaded_encoders
from virshort.model.record import ModelRecord
from virshort.reads.sheet import Sample


@dataclass(frozen=True)
class ReadsPlan:
    """plan.json of a run on reads. samples: of the sheet; modules: the library modules that load the model's encoders; weights:
    what to fetch of each language model that the model needs; arm: the arm that it was made of; checked: its files, as they
    were when they were compared with their digests."""

    samples: list[Sample]
    modules: list[str]
    weights: dict[str, PlannedWeights]
    arm: str
    checked: Checked


def make_plan(samples: Sequence[Sample], model: ModelRecord, checked: Checked, revisions: str | None) -> ReadsPlan:
    """The plan for some samples. revisions: `local`, or ENCODER=REVISION, comma-separated; None for the pinned ones.

    Raises InputError for revisions that do not fit the language models."""
    catalogue = catalogue_of_model(model)
    names = loaded_encoders(model)
    trained = {ENSEMBLE} if "finetuned" in model else set()
    modules = sorted({entry_of(name, catalogue).module for name in names} - {""} | trained)
    return ReadsPlan(list(samples), modules, planned_weights(names, catalogue, revisions), model["arm"], checked)
