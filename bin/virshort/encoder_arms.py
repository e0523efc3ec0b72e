"""Several encoders of a modality in one run: arms that read the first of them are trained again with each of the others.

One encoder is exchanged at a time, so that an arm and its variant differ in nothing else and are compared on the same windows.
"""

from collections.abc import Mapping, Sequence

from virshort.arm_record import Arm
from virshort.modalities import FINETUNED, OF_ARM, UNTRANSLATED


def with_encoder(name: str, encoder: str) -> str:
    """The name of the arm that is another with one of its encoders exchanged. Names of arms in files hold no @."""
    return f"{name}@{encoder}"


def arms_of_encoders(arms: Sequence[Arm], first: Mapping[str, str], others: Mapping[str, Sequence[str]]) -> list[Arm]:
    """The variants of some arms: for each of the other encoders, every arm that reads the first one of that modality, but for
    controls. first: the run's encoder by modality; others: those that it is compared with.

    A variant begins with the variants of the arms that its original begins with, where these have one."""
    found = []
    for modality, encoders in others.items():
        read = {arm["name"] for arm in arms if _reads(arm, modality, first[modality])}
        found += [_variant(arm, modality, encoder, read) for encoder in encoders for arm in arms if arm["name"] in read]
    return found


def _reads(arm: Arm, modality: str, encoder: str) -> bool:
    return _encoder_of(arm, modality).removesuffix(UNTRANSLATED) == encoder and arm["role"] != "control"


def _encoder_of(arm: Arm, modality: str) -> str:
    """The encoder by which an arm reads a modality, or that it trains; empty if there is none."""
    if "finetune" in arm:
        return arm["finetune"]["encoder"] if arm["finetune"]["modality"] == modality else ""
    return arm["encoders"].get(modality, "") if modality in arm["modalities"] else ""


def _variant(arm: Arm, modality: str, encoder: str, exchanged: set[str]) -> Arm:
    """An arm with another encoder. exchanged: names of all arms that have such a variant."""

    def renamed(names: Sequence[str]) -> list[str]:
        return [with_encoder(n, encoder) if n in exchanged else n for n in names]

    before = _encoder_of(arm, modality)
    other = encoder + (UNTRANSLATED if before.endswith(UNTRANSLATED) else "")
    encoders = arm["encoders"] | {modality: other}
    if "finetune" in arm:
        encoders = {FINETUNED: OF_ARM + with_encoder(arm["name"], encoder)}
        arm = {**arm, "finetune": {**arm["finetune"], "encoder": other}}
    return {
        **arm,
        "name": with_encoder(arm["name"], encoder),
        "description": f"{arm['name']}, with {encoder} instead of {before.removesuffix(UNTRANSLATED)}",
        "role": "remedy",
        "encoders": encoders,
        "begins_with": renamed(arm["begins_with"]),
        "combine": renamed(arm["combine"]),
        "variant_of": arm["name"],
    }
