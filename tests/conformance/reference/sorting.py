"""Order: sort, topk, unique, counting, searching; joining and padding."""

import numpy as np
import torch
import torch.nn.functional as F

from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand
from .operands import one_operand, ordinary, two_operands
from .reductions import special_rows
from .sweep import sweep


def argsort(x, dim, descending):
    """Stable in both directions, NaN the largest."""
    return torch.sort(x, dim=dim, descending=descending, stable=True).indices


def check_0_dim(dim, k=1):
    """A number has the dimension 0 with one element."""
    if dim not in (0, -1) or k != 1:
        raise IndexError


def ordering(family):
    lines = [{"dim": -1, "descending": False}, {"dim": 0, "descending": False}, {"dim": 1, "descending": True},
             {"dim": 0, "descending": True}]

    def sort(x, dim, descending):
        if x.dim() == 0:
            check_0_dim(dim)
            return [x, torch.zeros((), dtype=torch.int64)]
        order = argsort(x, dim, descending)
        return [x.gather(dim, order), order]

    def topk(x, k, dim, largest):
        values, order = sort(x, dim, largest)
        if x.dim() == 0:
            check_0_dim(dim, k)
            return [values, order]
        return [values.narrow(dim, 0, k), order.narrow(dim, 0, k)]

    def kthvalue(x, k, dim, keepdim=False):
        values, order = sort(x, dim, False)
        if x.dim() == 0:
            check_0_dim(dim, k)
            return [values, order]
        if keepdim:
            return [values.narrow(dim, k - 1, 1), order.narrow(dim, k - 1, 1)]
        return [values.select(dim, k - 1), order.select(dim, k - 1)]

    for values in [None, special_rows]:
        sweep(family, "sort", lines, sort, values=values, few=ALL)
        sweep(family, "argsort", lines, lambda *a, **k: sort(*a, **k)[1], values=values, few=ALL)
        sweep(family, "topk", [{"k": 3, "dim": -1, "largest": True}, {"k": 1, "dim": 0, "largest": False},
                               {"k": 5, "dim": 0, "largest": True}, {"k": 0, "dim": 1, "largest": False},
                               {"k": 7, "dim": 1, "largest": False}, {"k": 1, "dim": -1, "largest": True}],
              topk, values=values, few=ALL)
        sweep(family, "kthvalue", [{"k": 3, "dim": -1}, {"k": 1, "dim": 0}, {"k": 5, "dim": 0, "keepdim": True},
                                   {"k": 1, "dim": -1}], kthvalue, values=values, few=ALL)
    sweep(family, "sort", lines[:2] + [{"dim": 2, "descending": True}], sort, shape=(3, 4, 5))

    def unique(x):
        values, inverse, counts = torch.unique(x, sorted=True, return_inverse=True, return_counts=True)
        return [values, inverse, counts]

    sweep(family, "unique", [{}], unique)
    sweep(family, "unique", [{}], unique, low=0, high=1)
    for dtype in ALL:
        if not dtype.is_floating_point and dtype != torch.bool:
            x = special_rows(dtype)
            family.case("unique", [Operand(x, "stepped")], unique(x))


def counting(family):
    for dtype in INTEGERS:
        x = ordinary(dtype, (20,), 0, 9, "bincount")
        for operand in [Operand(x), Operand(x, "stepped"), Operand(x[:1].expand(6).contiguous(), "broadcast"),
                        Operand(x[:0])]:
            family.case("bincount", [operand], torch.bincount(operand.values))
            family.case("bincount", [operand], torch.bincount(operand.values, minlength=15), {"min_length": 15})
            n = operand.values.numel()
            for kind in [torch.float32, torch.float64]:
                weights = ordinary(kind, (20,), -2, 2, "weights")[:n]
                family.case("bincount", [operand, Operand(weights, "stepped")],
                            torch.bincount(operand.values, weights) if n else torch.zeros(0, dtype=kind),
                            None, within=1e-6 if kind == torch.float32 else 1e-14)
    for dtype in ALL:
        if not dtype.is_floating_point:
            continue
        x = ordinary(dtype, (5, 9), -3, 3, "histogram")
        for operand in one_operand(x):
            values = operand.values.double().flatten().numpy()
            for bins, low, high in [(4, -4.5, 4.5), (7, 0.25, 2.75), (1, -10.0, 10.0)]:
                counts, _ = np.histogram(values, bins, (low, high))
                family.case("histogram", [operand], torch.from_numpy(counts).to(dtype),
                            {"bins": bins, "low": low, "high": high})
            if len(values) and values.min() < values.max() and dtype in FLOATS:
                counts, _ = np.histogram(values, 3, (values.min(), values.max()))
                family.case("histogram", [operand], torch.from_numpy(counts).to(dtype), {"bins": 3})


def searching(family):
    for dtype in ALL:
        if dtype == torch.bool:
            continue
        row = ordinary(dtype, (9,), -3, 3, "sorted").sort().values
        if dtype.is_floating_point:
            row = torch.cat([row, torch.tensor([float("inf"), float("nan")], dtype=dtype)])
        rows = torch.sort(ordinary(dtype, (5, 7), -3, 3, "rows"), dim=1).values
        for right in [False, True]:
            for operand in one_operand(ordinary(dtype, (5, 9), -4, 4, "needles")):
                values = operand.values
                numpy = row.double().numpy()
                y = np.searchsorted(numpy, values.double().numpy(), side="right" if right else "left")
                family.case("searchsorted", [Operand(row, "stepped" if right else "contiguous"), operand],
                            torch.from_numpy(np.asarray(y)).long(), {"right": right})
                if values.dim() == 2 and values.shape[0] == 5:
                    y = torch.searchsorted(rows.double(), values.double().contiguous(), right=right)
                    family.case("searchsorted", [Operand(rows, "transposed"), operand], y, {"right": right})


def joining(family):
    for dtype in ALL:
        a, b, c = (ordinary(dtype, shape, seed=i) for i, shape in enumerate([(3, 4), (3, 4), (3, 4)]))
        from .operands import column, row
        lists = [[Operand(a), Operand(b), Operand(c)], [Operand(a, "transposed"), Operand(b, "stepped")],
                 [Operand(row(a), "broadcast"), Operand(column(b), "broadcast_last"), Operand(c, "transposed")],
                 [Operand(a)], [Operand(a[:0]), Operand(b[:0])]]
        for operands in lists:
            values = [x.values for x in operands]
            for dim in [0, 1, -1]:
                family.case("cat", operands, torch.cat(values, dim), {"dim": dim})
            for dim in [0, 1, 2, -1]:
                family.case("stack", operands, torch.stack(values, dim), {"dim": dim})
            family.case("hstack", operands, torch.hstack(values))
            family.case("vstack", operands, torch.vstack(values))
        family.case("cat", [a, Operand(b[:2], "transposed"), b[:0]], torch.cat([a, b[:2], b[:0]], 0), {"dim": 0})
        family.case("cat", [a, Operand(b[:, 1:2], "stepped"), b[:, :0]], torch.cat([a, b[:, 1:2], b[:, :0]], 1),
                    {"dim": 1})
        family.case("cat", [torch.zeros(0, dtype=dtype), a], a, {"dim": 1})
        for x, y in [(a[0], b[1]), (a[0, 0], b[1, 2])]:
            for op in ["stack", "hstack", "vstack"]:
                family.case(op, [x, Operand(y, "stepped")], getattr(torch, op)([x, y]))
        vectors = [Operand(a[0]), Operand(b[0, :3], "stepped"), Operand(c[0, :1].expand(2).contiguous(), "broadcast")]
        for operands in [vectors, vectors[:2], vectors[:1], [Operand(a[0]), Operand(b[0, 0])], [Operand(a[0, :0]),
                                                                                          Operand(b[0])]]:
            for indexing in ["ij", "xy"]:
                y = torch.meshgrid(*[x.values for x in operands], indexing=indexing)
                family.case("meshgrid", operands, [g.contiguous() for g in y], {"indexing": indexing})
        for operands in [[Operand(a), Operand(b[0], "stepped")], [Operand(a[:, :1], "transposed"), Operand(b[:1])],
                         [Operand(a, "transposed"), Operand(b[0, 0])], [Operand(row(a), "broadcast"), Operand(c)],
                         [Operand(a[:0]), Operand(b[0])]]:
            y = torch.broadcast_tensors(*[x.values for x in operands])
            family.case("broadcast_tensors", operands, [g.contiguous() for g in y])
    for one in ALL:
        for other in ALL:
            if one != other:
                a, b = ordinary(one, (2, 3), 0, 5), ordinary(other, (2, 3), 0, 5)
                family.case("cat", [Operand(a, "transposed"), b], torch.cat([a, b]), {"dim": 0})
                if one in FLOATS:
                    family.case("stack", [a, b], torch.cat([a, b]).reshape(2, 2, 3), {"dim": 0})


def padding(family):
    modes = {"constant": [[1, 2], [2, 0, 1, 3], [0, 0], [-2, 1], [-1, -2, 2, 0]],
             "reflect": [[2, 3], [1, 2, 3, 1]], "replicate": [[2, 3], [0, 4, 7, 1]], "circular": [[2, 3], [1, 2, 3, 4]]}

    def numpy_pad(x, margins, mode):
        widths = [(0, 0)] * (x.dim() - len(margins) // 2) + [tuple(margins[i : i + 2])
                                                              for i in range(len(margins) - 2, -1, -2)]
        if len(widths) > x.dim():
            raise ValueError
        if 0 in x.shape:
            raise ValueError
        name = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
        source = x.float().numpy() if x.dtype == torch.bfloat16 else x.numpy()
        return torch.from_numpy(np.pad(source, widths, name)).to(x.dtype)

    for mode, all_margins in modes.items():
        for margins in all_margins:
            attributes = {"margins": margins, "mode": mode}
            if mode == "constant":
                def call(x, margins, mode, value=0):
                    if len(margins) // 2 > x.dim() or any(
                            x.shape[-1 - i] + margins[2 * i] + margins[2 * i + 1] < 0 for i in range(len(margins) // 2)):
                        raise ValueError
                    return F.pad(x, margins, mode, value)

                sweep(family, "pad", [attributes], call, low=0, high=5)
                sweep(family, "pad", [{**attributes, "value": 1}], call, types=[torch.float32, torch.uint8, torch.bool])
                sweep(family, "pad", [{**attributes, "value": float("inf")}], call,
                      types=[torch.float32, torch.bfloat16])
            else:
                sweep(family, "pad", [attributes], numpy_pad)
                sweep(family, "pad", [attributes], numpy_pad, shape=(2, 4, 5))


def make():
    first, second = Family("sorting"), Family("joining")
    ordering(first)
    counting(first)
    searching(first)
    joining(second)
    padding(second)
    return [first, second]
