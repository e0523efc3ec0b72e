"""An arm as arms.json describes it, with settings that train in a moment."""

from virshort.arm_record import Arm


def arm(**changes) -> Arm:
    made: Arm = {
        "name": "mine",
        "description": "",
        "role": "remedy",
        "windows": "short",
        "modalities": ["dna", "protein"],
        "encoders": {"dna": "kmer-dna", "protein": "kmer-protein"},
        "protein_input": "translated",
        "start": "random",
        "frozen": False,
        "labels": "true",
        "epochs": 2,
        "learning_rate": 1e-3,
        "batch_size": 64,
        "dropout": 0.1,
        "patience": 3,
        "hidden": [512],
        "optimizer": "adam",
        "weight_decay": 0.0,
        "schedule": "constant",
        "standardize": False,
        "combine": [],
        "begins_with": [],
        "training_folds": None,
    }
    return made | changes
