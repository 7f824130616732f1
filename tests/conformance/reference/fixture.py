"""Fixtures: FAMILY.npz holds all values, one array a type, and `cases`: the bytes of a JSON list, one case a line."""

import hashlib
import io
import json
import math
import zipfile

import numpy as np
import torch

FLOATS = [torch.float32, torch.float64]
HALVES = [torch.float16, torch.bfloat16]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
ALL = FLOATS + HALVES + INTEGERS + [torch.bool]

LAYOUTS = ["contiguous", "transposed", "stepped", "broadcast", "broadcast_last"]


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


class Operand:
    """The values of an operand, in row-major order of `values`, and how they are to lie in memory:

    contiguous; transposed (the first dimension has stride 1); stepped (every second element of a larger tensor,
    with a margin); broadcast, broadcast_last (the first or last dimension has stride 0).
    """

    def __init__(self, values, layout="contiguous"):
        assert layout in LAYOUTS, layout
        self.values = values
        self.layout = layout
        if layout.startswith("broadcast") and values.numel() > 0:
            dim = 0 if layout == "broadcast" else -1
            first = values.narrow(dim, 0, 1).expand(values.shape)
            assert torch.equal(bits(first.contiguous()), bits(values.contiguous())), "not constant along the dimension"


def bits(x):
    """The same bytes as integers, so that NaN and -0 compare."""
    integer = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[x.element_size()]
    return x.contiguous().view(integer)


def number(value):
    """A plain number for JSON, which has no NaN and no infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


# Ops that are declared but not there yet.
PENDING = set()


class Family:
    def __init__(self, name):
        self.name = name
        self.lines = []
        self.pools = {}  # type name -> list of arrays
        self.lengths = {}
        self.places = {}

    def _place(self, x):
        kind = name_of(x.dtype)
        data = bits(x.contiguous()).flatten().numpy()
        key = (kind, hashlib.sha1(data.tobytes()).digest())
        if key not in self.places:
            self.places[key] = self.lengths.get(kind, 0)
            self.pools.setdefault(kind, []).append(data)
            self.lengths[kind] = self.lengths.get(kind, 0) + data.size
        return self.places[key]

    def case(self, op, inputs, expected, attributes=None, ulps=0, within=0.0, any_zero=False):
        """`ulps` 0 means bit by bit (a NaN equals a NaN). An element may also be off by `within`. With any_zero the
        sign of a zero is left open."""
        if op in PENDING:
            return
        inputs = [x if isinstance(x, Operand) else Operand(x) for x in inputs]
        if isinstance(expected, torch.Tensor):
            expected = [expected]
        line = {"op": op}
        line["in"] = [[name_of(x.values.dtype), x.layout, list(x.values.shape), self._place(x.values)] for x in inputs]
        line["out"] = [[name_of(x.dtype), list(x.shape), self._place(x)] for x in expected]
        if attributes:
            line["with"] = {key: number(value) for key, value in attributes.items()}
        if ulps:
            line["ulps"] = ulps
        if within:
            line["within"] = float(np.float32(within))
        if any_zero:
            line["any_zero"] = 1
        self.lines.append(json.dumps(line, separators=(",", ":"), allow_nan=False))

    def write(self, folder):
        self.pools["cases"] = [np.frombuffer(("[\n" + ",\n".join(self.lines) + "\n]\n").encode(), dtype=np.uint8)]
        with zipfile.ZipFile(folder / f"{self.name}.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for kind in sorted(self.pools):
                array = np.concatenate(self.pools[kind])
                if kind not in ("cases", "bool", "bfloat16"):  # these stay the bits: uint8, int16
                    array = array.view(kind)
                member = io.BytesIO()
                np.lib.format.write_array(member, array, allow_pickle=False)
                # A fixed date: equal cases give equal files.
                archive.writestr(zipfile.ZipInfo(f"{kind}.npy", (2026, 1, 1, 0, 0, 0)), member.getvalue(),
                                 zipfile.ZIP_DEFLATED)
        return len(self.lines)
