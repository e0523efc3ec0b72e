"""What arms.json says of each arm."""

from typing import NotRequired, TypedDict


class Arm(TypedDict):
    """One entry of arms.json: what an arm is trained on, where its weights begin, and how it is trained.

    encoders: by modality, those whose features the arm is given.

    The plan adds two things to what the file of arms says: a pretrained baseline is not trained, so its windows are None and
    its start is `pretrained`, and `note` says when its encoders stand in for others."""

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
    note: NotRequired[str | None]
