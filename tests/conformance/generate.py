#!/usr/bin/env python3
"""Writes tests/fixtures/conformance/: what PyTorch, NumPy and mpmath answer to every op of the library.

    python3 tests/conformance/generate.py [MODULE...]

Run by hand, with PyTorch 2, NumPy and mpmath; a module is a file of reference/. The result is committed and read by
tests/conformance/*_test.cpp. Equal versions write equal bytes.
"""

import importlib
import sys
from pathlib import Path

import torch

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)
torch.set_flush_denormal(False)

MODULES = ["elementwise", "inplace", "views", "indexing", "reductions", "sorting", "products", "images"]

folder = Path(__file__).resolve().parents[1] / "fixtures" / "conformance"
folder.mkdir(parents=True, exist_ok=True)
total = 0
for module in sys.argv[1:] or MODULES:
    for family in importlib.import_module("reference." + module).make():
        count = family.write(folder)
        total += count
        print(f"{family.name}: {count} cases")
print(f"{total} cases, {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.2f} MB in all")
