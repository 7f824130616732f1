#!/usr/bin/env python3
"""Writes tests/fixtures/nn/*.npz: what PyTorch's modules, losses and functions answer. Needs PyTorch and NumPy.

usage: tests/nn/generate.py [FAMILY ...]     (default: all of tests/nn/reference/)
"""

import importlib
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))

from reference.case import Fixture  # noqa: E402


def main():
    families = sys.argv[1:] or sorted(p.stem for p in (here / "reference").glob("*.py") if p.stem not in ("__init__", "case", "case_text"))
    folder = here.parent / "fixtures" / "nn"
    folder.mkdir(exist_ok=True)
    for family in families:
        fixture = Fixture(family)
        importlib.import_module(f"reference.{family}").write(fixture)
        fixture.save(folder)


if __name__ == "__main__":
    main()
