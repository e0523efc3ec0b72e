"""The encoders of a model: those that count, and the language models whose rows its record holds."""

from virshort.encoders.catalogue import Catalogue, catalogue_of
from virshort.encoders.rows import row_of
from virshort.errors import InputError
from virshort.modalities import MATCHES, OF_ARM, UNTRANSLATED
from virshort.model.record import ModelRecord

ENSEMBLE = "virshort.finetuning.ensemble"
"""The module that loads encoders that were trained end to end. It loads PyTorch, which other models do without."""


def catalogue_of_model(record: ModelRecord) -> Catalogue:
    """The encoders by name. Raises InputError where the record does not say how one of its language models is loaded."""
    rows = record.get("language_models", {})
    for encoder, loaded in zip(record["encoders"], loaded_encoders(record), strict=True):
        name = loaded.removesuffix(UNTRANSLATED)
        if encoder["weights"] and encoder["modality"] != MATCHES and name not in rows:
            raise InputError(
                f"the model does not say how its encoder {name} is loaded, since an earlier version wrote it: make it again by "
                "running its experiment with -resume"
            )
    return catalogue_of({name: row_of(name, keys) for name, keys in rows.items()})


def loaded_encoders(record: ModelRecord) -> list[str]:
    """The names of a model's encoders; of one that was trained end to end, that of the language model that training began
    with."""
    trained = record.get("finetuned")
    names = [encoder["encoder"] for encoder in record["encoders"]]
    return [trained["encoder"] if trained and name.startswith(OF_ARM) else name for name in names]
