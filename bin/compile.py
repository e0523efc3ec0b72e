#!/usr/bin/env python3
"""Compile ahead what the first run would compile: every module of virshort with all that it imports, and the search."""

import argparse
import os
import shutil
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory

import virshort
from virshort.errors import run
from virshort.homology.ahead import ready_folder


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    ready = ready_folder()
    if ready.exists():
        return
    ready.parent.mkdir(exist_ok=True)
    for old in ready.parent.glob("compiled_*"):
        shutil.rmtree(old)
    with TemporaryDirectory(dir=ready.parent) as folder:
        compiled = Path(folder) / "numba"
        os.environ |= {"NUMBA_CACHE_DIR": str(compiled), "MPLCONFIGDIR": folder}  # read when Numba and matplotlib are imported
        for module in walk_packages(virshort.__path__, "virshort."):
            import_module(module.name)
        from virshort.homology.searching import compile_search

        compile_search()
        compiled.rename(ready)
    print(f"compiled the search and all modules in {ready.parent}")


if __name__ == "__main__":
    run(main)
