"""The search as `make setup` compiled it, beside the code (Numba's cache), so that the first task need not."""

import shutil
from pathlib import Path

from virshort.files import digest, whole


def ready_folder() -> Path:
    """Where the compiled search of this code lies, if it was compiled ahead.

    Its name has a digest of this package, because Numba notices a change of a function's own file, but not of the tables that
    it has from others."""
    package = Path(__file__).parent
    code = digest(*(path.read_bytes() for path in sorted(package.glob("*.py"))))
    return package / "__pycache__" / f"compiled_{code}"


def take_ready(folder: Path) -> None:
    """Copy what was compiled ahead into a cache of Numba, which must be a folder that tasks may write to. Numba itself refuses
    what was compiled for another processor, by another version, or from another file."""
    ready = ready_folder()
    for path in sorted(ready.rglob("*.nb?"), key=lambda p: p.suffix):  # .nbc before the indexes that name them, .nbi
        copy = folder / path.relative_to(ready)
        if not copy.exists():
            with whole(copy) as temporary:
                shutil.copyfile(path, temporary)
