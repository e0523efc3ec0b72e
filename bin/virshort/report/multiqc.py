"""MultiQC makes one self-contained page of the report's sections."""

import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from virshort.errors import InputError
from virshort.report.content import CustomContent

KEPT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")
"""The only variables of this process that MultiQC sees: those with which Python finds its libraries."""


def render(built: Mapping[str, CustomContent], config: Path) -> str:
    """The page that MultiQC makes of the sections. Raises InputError if it fails or leaves out a section.

    MultiQC works in a temporary folder and with that as its home, so that no configuration of the user's changes the page.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for section, content in built.items():
            (work / f"{section}_mqc.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
        order = {"report_section_order": {section: {"order": i} for i, section in enumerate(built, 1)}}
        settings = config.read_text(encoding="utf-8") + yaml.safe_dump(order)
        (work / "multiqc_config.yml").write_text(settings, encoding="utf-8")
        options = ["--filename", "report.html", "--outdir", ".", "--no-data-dir", "--force", "--quiet"]
        command = [sys.executable, "-m", "multiqc", ".", *options]
        done = subprocess.run(command, cwd=work, capture_output=True, encoding="utf-8", errors="replace", env=environment(work))
        page = work / "report.html"
        if done.returncode or not page.exists():
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise InputError(
                f"report: MultiQC ended with exit code {done.returncode} ({last}): please report this with comparison.json"
            )
        html = page.read_text(encoding="utf-8")
    if missing := missing_sections(html, built):
        raise InputError(f"report: MultiQC left out the section {', '.join(missing)}: please report this with comparison.json")
    return html


def environment(home: Path) -> dict[str, str]:
    """The environment of MultiQC: no MULTIQC_* variable, no home or XDG folder of the user's, no locale."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    folders = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR")}
    # MultiQC may be installed in the user's site-packages, which Python would look for in the new home.
    return {**kept, **folders, "PYTHONUSERBASE": site.getuserbase(), "PYTHONUTF8": "1", "MPLBACKEND": "agg", "NO_COLOR": "1"}


def missing_sections(page: str, wanted: Iterable[str]) -> list[str]:
    """The section ids that a page lacks: MultiQC can leave out all custom content and still exit with 0."""
    return [name for name in wanted if f'id="{name}"' not in page and f'id="mqc-section-wrapper-{name}"' not in page]
