"""What the pipeline believes each script depends on is what Python would import, and no more than code_digests.txt lists.

After a change of imports, `PYTHONPATH=bin:tests/helpers .venv/bin/python tests/pipeline/test_code.py` writes that list again.
Read its diff: a module more in a script's list means that, with -resume, its steps run again after a change of that module.
"""

import difflib
import json
import shutil
import textwrap
from collections import defaultdict
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from harness import ROOT, environment, nextflow
from shipped_rows import CATALOGUE

LIST = Path(__file__).with_name("code_digests.txt")
HEAD = "# The modules that the code digest of each script covers, by package; each package includes its __init__.py.\n"
SCRIPTS = sorted(p.name for p in (ROOT / "bin").glob("*.py") if p.name != "embed.py")
LOADERS = [f"embed.py {module}" for module in sorted({entry.module for entry in CATALOGUE.values() if entry.module})]
LINES = [*SCRIPTS, *LOADERS]
"""Each script of bin/, and the module that it is told to import by name."""


def imported(line: str, bin_folder: Path = ROOT / "bin") -> set[Path]:
    """The files below bin/ that Python runs for a line of LINES."""
    script, *modules = line.split()
    finder = ModuleFinder(path=[str(bin_folder)])
    finder.run_script(str(bin_folder / script))
    for module in modules:
        finder.import_hook(module)
    return {Path(m.__file__).relative_to(bin_folder) for m in finder.modules.values() if m.__file__}


def description(line: str) -> str:
    """The modules of a line, one package to a line of text."""
    packages: dict[str, list[str]] = defaultdict(list)
    for path in sorted(imported(line)):
        if path.parts[0] == "virshort" and path.name != "__init__.py":
            packages["/".join(path.parts[1:-1]) or "virshort"].append(path.stem)
    rows = (
        textwrap.fill(f"{package}: {' '.join(names)}", 126, initial_indent="  ", subsequent_indent="      ")
        for package, names in packages.items()
    )
    return "\n".join([line, *rows, ""])


def test_every_script_depends_on_the_modules_that_are_listed() -> None:
    found = HEAD + "".join(map(description, LINES))
    print(found)
    changes = "".join(difflib.unified_diff(LIST.read_text().splitlines(True), found.splitlines(True), "listed", "found"))
    assert not changes, (
        f"{changes}\nIf this is intended: PYTHONPATH=bin:tests/helpers .venv/bin/python tests/pipeline/test_code.py"
    )


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("compare.py", "encoders/"),
        ("report.py", "encoders/"),
        ("train.py", "encoders/"),
        ("train.py", "windows/drawing"),
        ("evaluate.py", "encoders/"),
        ("evaluate.py", "windows/"),
        ("sample_windows.py", "encoders/"),
        ("search.py", "encoders/"),
        ("search.py", "windows/drawing"),
        ("sample_windows.py", "homology/"),
        ("homology_databases.py", "homology/matching"),
        ("evaluate.py", "homology/"),
        ("score_finetuned.py", "finetuning/training"),
        ("predict.py", "finetuning/"),
        ("embed.py virshort.encoders.dnabert_s", "finetuning/"),
        ("plan.py", "encoders/dnabert_s"),
        ("plan.py", "encoders/esm2"),
        ("plan.py", "encoders/language_model"),
        ("plan.py", "encoders/transformers_model"),
        ("embed.py virshort.encoders.dnabert_s", "encoders/esm2"),
        ("embed.py virshort.encoders.dnabert_s", "encoders/residue_tokenizer"),
        ("embed.py virshort.encoders.dnabert_s", "encoders/rows"),
        ("embed.py virshort.encoders.dnabert_s", "encoders/transformers_model"),
        ("embed.py virshort.encoders.dnabert_s", "encoders/catalogue"),
        ("embed.py virshort.encoders.esm2", "encoders/dnabert_s"),
        ("embed.py virshort.encoders.esm2", "encoders/byte_pair_tokenizer"),
        ("embed.py virshort.encoders.esm2", "encoders/rows"),
        ("embed.py virshort.encoders.esm2", "encoders/transformers_model"),
        ("embed.py virshort.encoders.transformers_model", "encoders/esm2"),
        ("embed.py virshort.encoders.transformers_model", "encoders/rows"),
        ("embed.py virshort.encoders.kmer_encoders", "encoders/language_model"),
        ("embed.py virshort.encoders.kmer_encoders", "encoders/weights"),
        ("embed.py virshort.encoders.kmer_encoders", "encoders/catalogue"),
    ],
)
def test_no_step_depends_on_the_code_of_another(line: str, other: str) -> None:
    assert not [
        str(p) for p in imported(line) if str(p.relative_to("virshort") if p.parts[0] == "virshort" else p).startswith(other)
    ]


EXAMPLE = {
    "example.py": """
        import os, virshort.example.plain as plain  # and a comment
        from virshort.example import (
            listed,  # a module
            renamed as other,
            value,
        )
        from virshort.example.deep import \\
            below
        import virshort.example.rooms.inner
        def late():
            from virshort.example import within
        # from virshort.example import not_imported
    """,
    "virshort/example/__init__.py": "value = 1",
    "virshort/example/plain.py": "",
    "virshort/example/listed.py": "from virshort.example.through import name",
    "virshort/example/through.py": "name = 1",
    "virshort/example/renamed.py": "",
    "virshort/example/within.py": "",
    "virshort/example/not_imported.py": "",
    "virshort/example/loaded.py": "import virshort.example.through",
    "virshort/example/deep/__init__.py": "",
    "virshort/example/deep/below.py": "",
    "virshort/example/rooms/__init__.py": "import virshort.example.rooms.always",
    "virshort/example/rooms/always.py": "",
    "virshort/example/rooms/inner.py": "",
}
IMPORTED = (
    {f"virshort/example/{name}.py" for name in ("__init__", "deep/__init__", "deep/below", "listed", "plain", "renamed")}
    | {f"virshort/example/{name}.py" for name in ("rooms/__init__", "rooms/always", "rooms/inner", "through", "within")}
    | {"example.py", "virshort/__init__.py"}
)


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_reached_files_are_what_python_imports(tmp_path: Path, parser: str) -> None:
    """Of this pipeline, with a script added whose imports have every form."""
    for name in ("bin", "functions", "tests/pipeline/nf"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    bin_folder = tmp_path / "bin"
    for name, text in EXAMPLE.items():
        (bin_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (bin_folder / name).write_text(textwrap.dedent(text))
    example = "example.py virshort.example.loaded"
    lines = [*LINES, "example.py", example]
    (tmp_path / "scripts.txt").write_text("".join(f"{line}\n" for line in lines))
    driver = tmp_path / "tests/pipeline/nf/code.nf"
    done = nextflow("-q", "run", driver, "--scripts", tmp_path / "scripts.txt", folder=tmp_path, env=environment(parser))
    assert done.returncode == 0, done.stdout
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [r["line"] for r in rows] == lines
    reached = {r["line"]: {str(Path(f).relative_to(bin_folder)) for f in r["files"]} for r in rows}
    for line in LINES:
        assert reached[line] == {str(f) for f in imported(line, bin_folder)}, line
    assert reached["example.py"] == IMPORTED
    assert reached[example] == IMPORTED | {"virshort/example/loaded.py"}
    assert {str(f) for f in imported("example.py", bin_folder)} == IMPORTED
    assert len({r["digest"] for r in rows}) == len(rows)


if __name__ == "__main__":
    LIST.write_text(HEAD + "".join(map(description, LINES)))
