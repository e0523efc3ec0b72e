"""How the run was made: encoders, parameters, versions, costs, and its methods in words."""

from collections.abc import Mapping
from typing import Any

from virshort.report.dome import dome
from virshort.report.inputs import Inputs
from virshort.report.lookup import Json
from virshort.report.methods import paragraph, references
from virshort.report.numbers import plain


def run(data: Inputs) -> Mapping[str, Any]:
    c, given = data.comparison, data.comparison["pretrained"]
    return {
        "nucleotides": data.nucleotides_as_protein,
        "encoders": {arm: encoders_text(m["encoders"]) for arm, m in data.models.items() if m.get("encoders")},
        "pretrained": {**{k: given[k] for k in ("file", "form", "sha256")}, **given["metadata"]} if given else None,
        "tables": {
            "Parameters": dict(sorted((k, v) for k, v in data.parameters.items() if not isinstance(v, Mapping))),
            "Versions": dict(sorted(flat(data.versions).items())),
        },
        "draws": c["draws"],
        "seed": c["seed"],
    }


def cost(data: Inputs) -> Mapping[str, Any]:
    return {"costs": data.costs if data.costs and data.costs.processes else None}


def dome_sheet(data: Inputs) -> Mapping[str, Any]:
    return {"answers": dome(data)}


def methods(data: Inputs) -> Mapping[str, Any]:
    return {"paragraph": paragraph(data), "references": references(data)}


def encoders_text(used: Any) -> str:
    """The encoders of a model, with what identifies their weights where the model records it."""
    if not isinstance(used, list | tuple):
        return plain(used)
    found = []
    for e in used:
        rest = ", ".join(f"{k} {plain(v)}" for k, v in e.items() if k not in ("modality", "encoder") and v)
        found.append(f"{e.get('modality')}: {e.get('encoder')}" + (f" ({rest})" if rest else ""))
    return "; ".join(found)


def flat(values: Json) -> dict[str, Any]:
    """{process: {tool: version}} as {"process tool": version}."""
    out: dict[str, Any] = {}
    for k, v in values.items():
        out |= {f"{k} {tool}": version for tool, version in v.items()} if isinstance(v, Mapping) else {k: v}
    return out
