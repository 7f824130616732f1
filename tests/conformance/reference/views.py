"""Views, and rearranged copies."""

import numpy as np
import torch

from .fixture import ALL, FLOATS, Family, Operand, name_of
from .operands import one_operand, ordinary
from .sweep import FEW, laid_out, sweep


def variants(name, *values):
    return [{name: value} for value in values]


def python_slice(x, dim, start, stop, step=1):
    indices = range(*slice(start, stop, step).indices(x.shape[dim]))
    return x.index_select(dim, torch.tensor(list(indices), dtype=torch.int64))


def views(family):
    sweep(family, "reshape", variants("shape", [9, 5], [-1], [3, -1, 3], [1, 45], []),
          lambda x, shape: x.reshape(shape))
    for dtype in ALL:  # what fits every operand: sizes from the values
        for operand in one_operand(ordinary(dtype)):
            n = operand.values.numel()
            family.case("reshape", [operand], operand.values.reshape(n, 1), {"shape": [n, 1]})
            if n > 0:
                family.case("reshape", [operand], operand.values.reshape(-1), {"shape": [-1]})
            if operand.values.dim() == 2:
                rows, columns = operand.values.shape
                for shape in [[rows, 1, columns], [1, rows, columns]]:
                    family.case("view", [operand], laid_out(operand).view(shape), {"shape": shape})
                if columns == 9:
                    family.case("view", [operand], laid_out(operand).view(rows, 3, 3), {"shape": [rows, 3, 3]})
            else:
                family.case("view", [operand], operand.values.view(1, 1), {"shape": [1, 1]})
    sweep(family, "flatten", [{"start": 0}, {"start": 1}, {"start": -1}],
          lambda x, start: torch.flatten(x, start), shape=(3, 2, 4))
    sweep(family, "flatten_range", [{"start": 0, "end": 1}, {"start": 1, "end": 2}, {"start": -3, "end": -2}],
          lambda x, start, end: torch.flatten(x, start, end), shape=(3, 2, 4))
    sweep(family, "unflatten", [{"dim": 1, "sizes": [2, 3]}, {"dim": -1, "sizes": [3, -1]}, {"dim": 0, "sizes": [4, 1]}],
          lambda x, dim, sizes: x.unflatten(dim, sizes), shape=(4, 6))
    for dtype in ALL:
        empty = ordinary(dtype, (4, 6))[:0]
        family.case("unflatten", [empty], empty.unflatten(1, [2, 3]), {"dim": 1, "sizes": [2, 3]})
    sweep(family, "transpose", [{"dim0": 0, "dim1": 1}, {"dim0": -1, "dim1": 0}, {"dim0": 1, "dim1": 1},
                                {"dim0": 0, "dim1": 0}], lambda x, dim0, dim1: x.transpose(dim0, dim1), few=ALL)
    sweep(family, "transpose", [{"dim0": 0, "dim1": 2}, {"dim0": 2, "dim1": 1}],
          lambda x, dim0, dim1: x.transpose(dim0, dim1), shape=(2, 3, 4))
    sweep(family, "t", [{}], lambda x: x.t())
    sweep(family, "permute", variants("dims", [2, 0, 1], [0, 2, 1], [-1, -2, -3], []),
          lambda x, dims: x.permute(dims), shape=(2, 3, 4), few=ALL)
    sweep(family, "movedim", [{"from": 0, "to": 2}, {"from": 2, "to": 0}, {"from": -1, "to": 1}],
          lambda x, **at: x.movedim(at["from"], at["to"]), shape=(2, 3, 4))
    sweep(family, "squeeze", [{}], lambda x: x.squeeze(), shape=(1, 5, 1, 4))
    sweep(family, "squeeze", [{}], lambda x: x.squeeze())
    sweep(family, "squeeze_dims", variants("dims", [0], [0, 2], [-2], [1]),
          lambda x, dims: x.squeeze(tuple(dims)), shape=(1, 5, 1, 4))
    sweep(family, "unsqueeze", variants("dim", 0, 1, -1, -2), lambda x, dim: x.unsqueeze(dim), few=ALL)
    sweep(family, "select", [{"dim": 1, "index": 2}, {"dim": 0, "index": -1}, {"dim": -1, "index": 0}],
          lambda x, dim, index: x.select(dim, index))
    sweep(family, "operator[]", variants("index", 2, -5), lambda x, index: x[index])
    sweep(family, "narrow", [{"dim": 1, "start": 2, "length": 4}, {"dim": 0, "start": 1, "length": 3},
                             {"dim": -1, "start": 9, "length": 0}, {"dim": 0, "start": 0, "length": 0}],
          lambda x, dim, start, length: x.narrow(dim, start, length), few=ALL)
    sweep(family, "slice", [{"dim": 1, "start": 1, "stop": 8, "step": 3}, {"dim": 0, "start": -3, "stop": -1},
                            {"dim": 1, "start": 0, "stop": 100, "step": 2}, {"dim": -1, "start": -100, "stop": 4},
                            {"dim": 1, "start": 6, "stop": 3}, {"dim": 0, "start": 3, "stop": 2**63 - 1, "step": 5},
                            {"dim": 0, "start": 0, "stop": 5, "step": 2**62}], python_slice)
    for dtype in ALL:
        empty = ordinary(dtype)[:0]
        family.case("slice", [empty], empty, {"dim": 0, "start": 0, "stop": 3, "step": 2})
    sweep(family, "expand", variants("shape", [5, 9], [2, 5, 9], [3, -1, -1]), lambda x, shape: x.expand(shape))
    for dtype in ALL:
        x = ordinary(dtype, (1, 4))
        for operand in [Operand(x), Operand(x.t(), "transposed"), Operand(x, "stepped"), Operand(x[0, 1])]:
            family.case("expand", [operand], operand.values.expand(3, 4, 4).contiguous(), {"shape": [3, 4, 4]})
        family.case("expand", [x[:, :0]], x[:, :0].expand(3, 0), {"shape": [3, 0]})
        for operand in one_operand(ordinary(dtype)):
            shape = operand.values.shape
            other = ordinary(torch.float32, (2, *shape)) if shape else ordinary(torch.float32, (2, 2))
            family.case("expand_as", [operand, other], operand.values.expand_as(other).contiguous())
            other = ordinary(torch.int8, (operand.values.numel(), 1))
            family.case("reshape_as", [operand, other], operand.values.reshape(other.shape))
            other = ordinary(torch.int8, (1, *shape))
            family.case("view_as", [operand, other], operand.values.reshape(other.shape))
    sweep(family, "diagonal", [{"offset": 0, "dim0": 0, "dim1": 1}, {"offset": 2, "dim0": 0, "dim1": 1},
                               {"offset": -3, "dim0": 0, "dim1": 1}, {"offset": 1, "dim0": 1, "dim1": 0},
                               {"offset": 20, "dim0": 0, "dim1": 1}],
          lambda x, offset, dim0, dim1: x.diagonal(offset, dim0, dim1))
    sweep(family, "diagonal", [{"offset": 0, "dim0": 0, "dim1": 2}, {"offset": -1, "dim0": -1, "dim1": -2}],
          lambda x, offset, dim0, dim1: x.diagonal(offset, dim0, dim1), shape=(3, 2, 4))
    sweep(family, "unfold", [{"dim": 1, "size": 3, "step": 2}, {"dim": 0, "size": 5, "step": 1},
                             {"dim": 1, "size": 1, "step": 9}, {"dim": -1, "size": 9, "step": 4}],
          lambda x, dim, size, step: x.unfold(dim, size, step))
    sweep(family, "split", [{"size": 2, "dim": 1}, {"size": 3, "dim": 0}, {"size": 20, "dim": -1}],
          lambda x, size, dim: x.split(size, dim))
    sweep(family, "split_sizes", [{"sizes": [2, 0, 7], "dim": 1}, {"sizes": [4, 1], "dim": 0}],
          lambda x, sizes, dim: x.split(sizes, dim))
    sweep(family, "chunk", [{"chunks": 4, "dim": 1}, {"chunks": 3, "dim": 0}, {"chunks": 20, "dim": 0}],
          lambda x, chunks, dim: x.chunk(chunks, dim))
    sweep(family, "unbind", variants("dim", 0, 1, -1), lambda x, dim: [y.contiguous() for y in x.unbind(dim)])
    for dtype in ALL:
        x = ordinary(dtype)
        for layout, steps in [("contiguous", [([3, 4], [9, 2], 5), ([2, 3, 2], [1, 1, 1], 0), ([], [], 7),
                                              ([4, 3], [0, 1], 2)]),
                              ("transposed", [([9, 5], [5, 1], 0), ([3, 2], [1, 10], 2)]),
                              ("stepped", [([3, 4], [18, 4], 2), ([2, 0], [1, 1], 0)]),
                              ("broadcast", [([9], [1], 0), ([2, 3], [0, 3], 1)])]:
            operand = Operand(x[:1].expand(x.shape).contiguous() if layout == "broadcast" else x, layout)
            memory = laid_out(operand)
            for shape, strides, offset in steps:
                y = memory.as_strided(shape, strides, memory.storage_offset() + offset)
                family.case("as_strided", [operand], y.contiguous(),
                            {"shape": shape, "strides": strides, "offset": offset})
        family.case("as_strided", [x[:0]], x[:0].reshape(0, 3), {"shape": [0, 3], "strides": [3, 1], "offset": 0})
        family.case("as_strided", [x[2, 2]], x[2, 2].expand(3, 2).contiguous(),
                    {"shape": [3, 2], "strides": [0, 0], "offset": 0})


def rot90(x, times, dim0, dim1):
    return torch.rot90(x, times, (dim0, dim1))


def rearranged(family):
    sweep(family, "flip", variants("dims", [0], [1], [0, 1], [-1], []), lambda x, dims: x.flip(dims))
    sweep(family, "roll", [{"shifts": [2], "dims": [1]}, {"shifts": [-1, 3], "dims": [0, 1]},
                           {"shifts": [100, -100], "dims": [1, 0]}], lambda x, shifts, dims: x.roll(shifts, dims))
    sweep(family, "roll_all", variants("shift", 4, -7, 0, 1000), lambda x, shift: x.roll(shift), few=ALL)
    sweep(family, "rot90", [{"times": 1, "dim0": 0, "dim1": 1}, {"times": 2, "dim0": 0, "dim1": 1},
                            {"times": -1, "dim0": 0, "dim1": 1}, {"times": 5, "dim0": 1, "dim1": 0}], rot90)
    sweep(family, "repeat", variants("repeats", [2, 1], [1, 2], [2, 1, 2], [0, 1], [3]), lambda x, repeats:
          x.repeat(repeats), shape=(3, 4), few=ALL)
    sweep(family, "tile", variants("repeats", [2], [2, 1], [2, 1, 2], []), lambda x, repeats: x.tile(repeats),
          shape=(3, 4), few=ALL)
    sweep(family, "repeat_interleave_all", variants("repeats", 2, 0, 1), lambda x, repeats:
          x.repeat_interleave(repeats), shape=(3, 4))
    sweep(family, "repeat_interleave", [{"repeats": 3, "dim": 1}, {"repeats": 2, "dim": 0}, {"repeats": 0, "dim": 0}],
          lambda x, repeats, dim: x.repeat_interleave(repeats, dim), shape=(3, 4))
    for dtype in ALL:
        for operand in one_operand(ordinary(dtype, (3, 4))):
            x = operand.values
            for dim in range(x.dim()):
                repeats = torch.tensor([2, 0, 1, 3][: x.shape[dim]], dtype=torch.int64)
                family.case("repeat_interleave_tensor", [operand, repeats], x.repeat_interleave(repeats, dim),
                            {"dim": dim})
    for op in ["tril", "triu"]:
        sweep(family, op, variants("diagonal", 0, 2, -2, -10, 10), lambda x, diagonal: getattr(torch, op)(x, diagonal))
        sweep(family, op, variants("diagonal", 0, 1), lambda x, diagonal: getattr(torch, op)(x, diagonal),
              shape=(2, 3, 4))
    sweep(family, "diag", variants("diagonal", 0, 1, -2), lambda x, diagonal: torch.diag(x, diagonal))
    for dtype in ALL:
        x = ordinary(dtype, (4,))
        for operand in [Operand(x), Operand(x, "stepped"), Operand(x[:1].expand(4).contiguous(), "broadcast"),
                        Operand(x[:0])]:
            for diagonal in [0, 1, -2]:
                family.case("diag", [operand], torch.diag(operand.values, diagonal), {"diagonal": diagonal})
    classes = ordinary(torch.int64, (3, 4), 0, 4)
    for operand in one_operand(classes):
        family.case("one_hot", [operand], torch.nn.functional.one_hot(operand.values, 6), {"classes": 6})
        if operand.values.numel() > 0:
            family.case("one_hot", [operand], torch.nn.functional.one_hot(operand.values))


def creation(family):
    for dtype in ALL:
        for shape in [[3, 4], [], [0, 3], [2, 1, 5]]:
            attributes = {"shape": shape, "type": name_of(dtype)}
            family.case("zeros", [], torch.zeros(shape, dtype=dtype), attributes)
            family.case("ones", [], torch.ones(shape, dtype=dtype), attributes)
            family.case("full", [], torch.full(shape, 1.0, dtype=dtype), {**attributes, "number": 1})
            if dtype.is_floating_point:
                for number in [2.5, float("nan"), float("-inf"), 0.1]:
                    family.case("full", [], torch.full(shape, number, dtype=dtype), {**attributes, "number": number})
        for operand in one_operand(ordinary(dtype)):
            x = operand.values
            family.case("zeros_like", [operand], torch.zeros_like(x))
            family.case("ones_like", [operand], torch.ones_like(x))
            family.case("full_like", [operand], torch.full_like(x, 1), {"number": 1})
        for rows, columns in [(3, None), (3, 5), (4, 2), (0, 3), (1, 0)]:
            y = torch.eye(rows, dtype=dtype) if columns is None else torch.eye(rows, columns, dtype=dtype)
            family.case("eye", [], y, {"rows": rows, **({} if columns is None else {"columns": columns}),
                                       "type": name_of(dtype)})
        if dtype == torch.bool:
            continue
        for start, end, step in [(0, 5, 1), (1, 12, 3), (9, 0, -2), (3, 3, 1), (0, 1, 0.25), (0.5, 4, 1)]:
            if not dtype.is_floating_point and any(isinstance(n, float) for n in (start, end, step)):
                continue
            y = torch.from_numpy(np.arange(start, end, step, dtype=np.float64)).to(dtype)
            family.case("arange", [], y, {"start": start, "end": end, "step": step, "type": name_of(dtype)})
        for start, end, count in [(0.0, 1.0, 5), (-2.0, 6.0, 9), (3.0, 1.0, 3), (1.0, 5.0, 1), (0.0, 1.0, 0)]:
            y = torch.from_numpy(np.linspace(start, end, count))
            if not dtype.is_floating_point and (min(start, end) < 0 and dtype == torch.uint8 or start == 0):
                continue
            family.case("linspace", [], y.to(dtype), {"start": start, "end": end, "count": count,
                                                      "type": name_of(dtype)})
    for dtype in FLOATS:
        y = torch.from_numpy(np.linspace(0.1, 7.3, 40)).to(dtype)
        family.case("linspace", [], y, {"start": 0.1, "end": 7.3, "count": 40, "type": name_of(dtype)}, ulps=2)
        y = torch.from_numpy(np.arange(0.1, 7.3, 0.3)).to(dtype)
        family.case("arange", [], y, {"start": 0.1, "end": 7.3, "step": 0.3, "type": name_of(dtype)}, ulps=2)
    family.case("arange", [], torch.arange(7), {"end": 7})
    family.case("arange", [], torch.arange(2.5), {"end": 2.5})
    family.case("arange", [], torch.arange(3, 9), {"start": 3, "end": 9})
    family.case("arange", [], torch.arange(3, 9, 2), {"start": 3, "end": 9, "step": 2})
    family.case("arange", [], torch.arange(3, 9, 0.5), {"start": 3, "end": 9, "step": 0.5})


def make():
    first, second = Family("views"), Family("arranging")
    views(first)
    rearranged(second)
    creation(second)
    return [first, second]
