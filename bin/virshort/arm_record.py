"""What arms.json says of each arm."""

from typing import NotRequired, TypedDict

EXPORTED = ("baseline", "remedy")
"""Roles of arms that may become a model. A control may not: it shows what a classifier must not rest on."""


class Finetuning(TypedDict):
    """How an encoder is trained end to end with its head.

    encoder: its name, that of a language model; modality: what it reads; adapters: `lora`, or `none` where all of its weights
    are trained; rank, alpha: of the adapters; targets: names of the linear layers that get one; batch_tokens: about how many
    tokens a step has; gradient_checkpointing: whether activations are computed twice to save memory."""

    encoder: str
    modality: str
    adapters: str
    rank: int
    alpha: float
    targets: list[str]
    batch_tokens: int
    gradient_checkpointing: bool


class Arm(TypedDict):
    """One entry of arms.json: what an arm is trained on, where its weights begin, and how it is trained.

    encoders: by modality, those whose features the arm is given.

    begins_with: the arms whose models it begins with, the baseline or those that it combines; training_folds: how many of a
    split's training folds it learns from (None: all), and curve_of: which arm it otherwise is, for the learning curve;
    variant_of: which arm it is but for one encoder, where a run compares several.

    The plan adds two things to what the file of arms says: a pretrained baseline is not trained, so its windows are None and
    its start is `pretrained`, and `note` says when its encoders stand in for others.

    finetune: for an arm whose encoder is trained with its head. Its features are the log-odds of these models."""

    name: str
    description: str
    role: str
    windows: str | None
    modalities: list[str]
    encoders: dict[str, str]
    protein_input: str
    start: str
    frozen: bool
    labels: str
    epochs: int
    learning_rate: float
    batch_size: int
    dropout: float
    patience: int
    hidden: list[int]
    optimizer: str
    weight_decay: float
    schedule: str
    standardize: bool
    combine: list[str]
    begins_with: list[str]
    training_folds: int | None
    finetune: NotRequired[Finetuning]
    curve_of: NotRequired[str]
    variant_of: NotRequired[str]
    note: NotRequired[str | None]
