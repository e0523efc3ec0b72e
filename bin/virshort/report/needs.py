"""What using an arm on reads takes: the encoders that it needs, how fast they are, and for matches a database."""

from virshort.report.inputs import Inputs
from virshort.verdict.wording import listed, quoted


def needs_text(data: Inputs) -> str | None:
    """What the best arm in validation needs, as far as this run shows it; None if its model is not in the results folder."""
    arm = data.comparison["best_arm"]["arm"]
    model = data.models.get(arm or "")
    if not arm or not model or not model.get("encoders"):
        return None
    used = [e for e in model["encoders"] if e["modality"] in model["modalities"]]
    speeds = data.costs.speeds if data.costs else {}
    each = [e["encoder"] + _speed(speeds.get(e["encoder"])) for e in used]
    if not each:
        return None
    text = f"For every read, {quoted(arm)} needs the features of {listed(each)}."
    if any(e["modality"] == "homology" for e in used):
        size = sum(d["residues"] for d in data.homology["databases"]) / 1e6 if data.homology else None
        known = "size not known" if size is None else f"{size:,.0f} MB for the genomes of all folds"
        text += f" The search needs a database of the proteins of the training genomes ({known})."
    return text


def _speed(windows_per_second: float | None) -> str:
    return f" ({windows_per_second:,.0f} windows per second and task in this run)" if windows_per_second else ""
