"""tools/setup.sh, in a folder of its own, with a small package, a stand-in for Nextflow and no network."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness import ROOT

NAMES = (
    "bash",
    "awk",
    "cat",
    "cksum",
    "cut",
    "dirname",
    "flock",
    "grep",
    "head",
    "ln",
    "mkdir",
    "mv",
    "paste",
    "readlink",
    "rm",
    "sed",
    "tail",
    "touch",
    "tr",
)


def wheel(folder: Path, version: str) -> str:
    """Write a wheel of the package `tiny`, and return its line for a requirements file."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("tiny.py", f"version = {version!r}\n")
        z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return f"tiny=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


class Site:
    """A folder to set up, and a PATH with few programs."""

    def __init__(self, folder: Path):
        self.root, self.bin, self.wheels = folder / "a clone", folder / "bin", folder / "wheels"
        for path in (self.root, self.bin, self.wheels):
            path.mkdir()
        shutil.copytree(ROOT / "tools", self.root / "tools")
        (self.root / "bin").mkdir()
        (self.root / "bin/compile.py").write_text("import tiny; open('compiled', 'w').write(tiny.version)\n")
        for name in NAMES:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)
        script(self.bin / "python3", f'exec "{sys.executable}" "$@"')
        script(self.bin / "nextflow", "echo '      version 25.10.0 build 1'")
        (self.root / "requirements.txt").write_text(wheel(self.wheels, "1.0"))
        for name in ("requirements-dev.txt", "tools/requirements-lint.txt"):
            (self.root / name).write_text("")

    def setup(self, *args: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": str(self.bin),
            "HOME": os.environ.get("HOME", "/"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.wheels.as_uri(),
        }
        return subprocess.run([self.root / "tools/setup.sh", *args], env=env, capture_output=True, text=True)

    def tiny(self) -> str:
        command = [self.root / ".venv/bin/python", "-c", "import tiny; print(tiny.version)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_second_set_up_does_nothing(site: Site) -> None:
    first = site.setup()
    assert first.returncode == 0, first.stderr
    assert "1 pinned packages" in first.stdout and site.tiny() == "1.0"
    assert (site.root / "compiled").read_text() == "1.0", "what tasks run is compiled ahead"
    second = site.setup()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_a_change_of_the_requirements_installs_again(site: Site) -> None:
    assert site.setup("dev").returncode == 0
    (site.root / "requirements.txt").write_text(wheel(site.wheels, "2.0"))
    done = site.setup("dev")
    assert done.returncode == 0 and site.tiny() == "2.0"
    assert "Python packages (dev)" not in done.stdout


def test_an_incomplete_environment_is_made_again(site: Site) -> None:
    assert site.setup().returncode == 0
    (site.root / ".venv/.installed-run").unlink()
    rest = site.root / ".venv/rest"
    rest.touch()
    assert site.setup().returncode == 0
    assert not rest.exists() and site.tiny() == "1.0"


def test_a_moved_folder_is_set_up_again(site: Site) -> None:
    assert site.setup().returncode == 0
    site.root = site.root.rename(site.root.with_name("elsewhere"))
    done = site.setup()
    assert done.returncode == 0 and "1 pinned packages" in done.stdout


def refusal(site: Site) -> str:
    done = site.setup()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert not (site.root / ".venv/.installed-run").exists()
    return line


def test_old_python(site: Site) -> None:
    script(site.bin / "python3", "exit 1")
    assert "Python 3.11 or newer is needed" in refusal(site)


def test_python_without_venv(site: Site) -> None:
    script(site.bin / "python3", f'case $2 in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"')
    assert "apt-get install python3-venv" in refusal(site)


def test_neither_nextflow_nor_maven(site: Site) -> None:
    (site.bin / "nextflow").unlink()
    assert "apt-get install maven" in refusal(site)


def test_old_nextflow(site: Site) -> None:
    script(site.bin / "nextflow", "echo '      version 24.10.5 build 1'")
    assert "(found 24.10)" in refusal(site)


def test_no_network(site: Site) -> None:
    next(site.wheels.iterdir()).unlink()
    assert "pip failed: ERROR: Could not find a version" in refusal(site)


def test_a_file_that_is_not_the_locked_one(site: Site) -> None:
    line = (site.root / "requirements.txt").read_text()
    (site.root / "requirements.txt").write_text(line[:-2] + ("0" if line[-2] != "0" else "1") + "\n")
    assert "DO NOT MATCH THE HASHES" in refusal(site)


def test_maven_fails(site: Site) -> None:
    (site.bin / "nextflow").unlink()
    script(site.bin / "java", "echo 'openjdk version \"17.0.1\" 2021' >&2")
    script(site.bin / "mvn", "echo '[ERROR] Could not transfer'; exit 1")
    done = site.setup()
    assert done.returncode == 1
    assert "Maven failed: [ERROR] Could not transfer" in done.stderr
