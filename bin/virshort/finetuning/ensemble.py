"""The fine-tuned encoders of all folds of an exported model as one, whose vectors are their log-odds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.finetuning.files import fine_tuned_encoder, read_finetuned
from virshort.heads.scoring import log_odds


def load(folders: dict[int, Path], width: int, module: str, settings: LoadSettings) -> Encoder:
    """One encoder of several models, whose modality is what their language model reads.

    folders: of the models, by the column of their log-odds; width: of the vectors, whose other columns are 0, as in the
    features of the run; module: the library module that loads the language model. Raises InputError where its weights are not
    those that training began with."""
    models = {column: read_finetuned(folder) for column, folder in folders.items()}
    encoders = {column: fine_tuned_encoder(model, module, settings) for column, model in models.items()}

    def embed(sequences: Sequence[bytes]) -> np.ndarray:
        out = np.zeros((len(sequences), width), np.float32)
        for column, model in models.items():
            out[:, column] = log_odds(model.head, encoders[column].embed(sequences))
        return out

    any_of = next(iter(encoders.values()))
    pooling = f"log-odds by {any_of.name}, trained end to end"
    return Encoder(any_of.name, any_of.modality, width, any_of.weights, pooling, embed, any_of.precision, any_of.device)
