"""Reading and writing by index."""

import numpy as np
import torch

from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand
from .functions import computed_in
from .operands import column, one_operand, ordinary, row
from .sweep import FEW

INT = torch.int64


def positions(shape, size, seed, dtype=INT, negative=False):
    random = np.random.RandomState(seed)
    return torch.from_numpy(np.asarray(random.randint(-size if negative else 0, max(size, 1), size=shape))).to(dtype)


def matrices(dtype, shape=(5, 9), seed=0):
    """x in its layouts, with 2 dimensions."""
    return [x for x in one_operand(ordinary(dtype, shape, seed=seed)) if x.values.dim() == len(shape)]


def index_layouts(index):
    yield Operand(index)
    yield Operand(index, "transposed" if index.dim() > 1 else "stepped")


def gathering(family):
    for dtype in ALL:
        for x in matrices(dtype):
            rows, columns = x.values.shape
            for dim, shape, size in [(0, (3, columns), rows), (1, (rows, 4), columns), (-1, (min(rows, 2), 11), columns)]:
                if size == 0:
                    shape = tuple(0 if d == dim % 2 else n for d, n in enumerate(shape))
                for index in index_layouts(positions(shape, size, 1)):
                    family.case("gather", [x, index], x.values.gather(dim, index.values), {"dim": dim})
                    if size and dim >= 0:
                        y = torch.take_along_dim(x.values, index.values, dim)
                        family.case("take_along_dim", [x, index], y, {"dim": dim})
            for dim, size in [(0, rows), (1, columns), (-2, rows)]:
                for kind in [torch.int64, torch.int32]:
                    index = positions((4,) if size else (0,), size, 2, kind)
                    family.case("index_select", [x, Operand(index, "stepped")], x.values.index_select(dim, index),
                                {"dim": dim})
        for x in [Operand(ordinary(dtype).flatten()[3]), Operand(ordinary(dtype).flatten()[4], "stepped")]:
            zero = torch.zeros((), dtype=INT)
            family.case("gather", [x, zero], x.values, {"dim": 0})
            family.case("gather", [x, Operand(zero.reshape(1))], x.values.reshape(1), {"dim": 0})
            family.case("index_select", [x, zero.reshape(1)], x.values, {"dim": 0})
        for x in one_operand(ordinary(dtype)):
            n = x.values.numel()
            index = positions((2, 3) if n else (0, 3), n, 4, negative=True)
            for places in index_layouts(index):
                wrapped = torch.where(places.values < 0, places.values + n, places.values)
                family.case("take", [x, places], x.values.flatten()[wrapped], None)
            family.case("take", [x, torch.zeros(0, dtype=torch.int32)], x.values.flatten()[:0])
        x = ordinary(dtype)
        negative = positions((5, 4), 9, 5, negative=True)
        wrapped = torch.where(negative < 0, negative + 9, negative)
        family.case("take_along_dim", [x, negative], torch.take_along_dim(x, wrapped, 1), {"dim": 1})
        family.case("take_along_dim", [x, positions((1, 4), 9, 6)], torch.take_along_dim(x, positions((1, 4), 9, 6), 1),
                    {"dim": 1})
        family.case("take_along_dim", [Operand(x[:1], "transposed"), positions((5, 4), 9, 6)],
                    torch.take_along_dim(x[:1], positions((5, 4), 9, 6), 1), {"dim": 1})


def masks(family):
    for dtype in ALL:
        for x in one_operand(ordinary(dtype, low=-1, high=1)):
            values = x.values
            mask = ordinary(torch.bool, tuple(values.shape), seed=8)
            family.case("nonzero", [x], values.nonzero())
            layouts = [Operand(mask)] + ([Operand(mask, "transposed"), Operand(row(mask), "broadcast")]
                                         if mask.dim() == 2 else [])
            for m in layouts:
                family.case("masked_select", [x, m], values.masked_select(m.values))
                for number in [1, 0] if dtype == torch.bool else [2, 1]:
                    family.case("masked_fill", [x, m], values.masked_fill(m.values, number), {"number": number})
        x = ordinary(dtype)
        mask = ordinary(torch.bool, (9,), seed=9)
        family.case("masked_select", [x, Operand(mask, "stepped")], x.masked_select(mask))
        family.case("masked_fill", [x, Operand(mask, "stepped")], x.masked_fill(mask, 1), {"number": 1})
        mask = ordinary(torch.bool, (5, 1), seed=10)
        family.case("masked_select", [Operand(x, "stepped"), mask], x.masked_select(mask))
        family.case("masked_select", [x[2], mask], x[2].masked_select(mask))
        if dtype.is_floating_point:
            for number in [2.5, float("-inf"), float("nan")]:
                from .fixture import number as encoded
                family.case("masked_fill", [x, mask], x.masked_fill(mask, number), {"number": encoded(number)})
    x = torch.tensor([0.0, -0.0, float("nan"), 1e-45, float("-inf")])
    for dtype in FLOATS + HALVES:
        family.case("nonzero", [x.to(dtype)], x.to(dtype).nonzero())


def summed(x, function):
    """`function` of x and others in the type that sums are computed in, rounded once."""
    return lambda *others: function(x.to(wide(x.dtype)), *[y.to(wide(x.dtype)) for y in others]).to(x.dtype)


def wide(dtype):
    return torch.float64 if dtype.is_floating_point else dtype


def limits(dtype, reduce="sum"):
    if not dtype.is_floating_point:
        return {}
    # To one place are added up to five numbers; each sum is rounded to 16 bits, as in PyTorch.
    eps = torch.finfo(dtype if dtype in HALVES else computed_in(dtype)).eps / (8 if dtype in HALVES else 1)
    return {"ulps": 1 if dtype in HALVES else 4, "within": 40 * eps * (20 if reduce == "prod" else 1)}


def permuted(count, size, seed):
    """Positions that are all different, so that the order of writing does not matter."""
    return torch.from_numpy(np.random.RandomState(seed).permutation(size)[:count].copy())


def scattering(family):
    for dtype in ALL:
        for x in matrices(dtype):
            rows, columns = x.values.shape
            for dim in [0, 1]:
                size = (rows, columns)[dim]
                count = min(3, size)
                if size:
                    lanes = [permuted(count, size, i) for i in range(columns if dim == 0 else rows)]
                    unique = torch.stack(lanes, 1 if dim == 0 else 0) if lanes else torch.zeros(
                        (count, 0) if dim == 0 else (0, count), dtype=INT)
                else:
                    unique = torch.zeros((0, columns) if dim == 0 else (rows, 0), dtype=INT)
                source = ordinary(dtype, tuple(unique.shape), seed=11)
                layout = "transposed" if dim else "stepped"
                index, from_ = Operand(unique, layout), Operand(source, layout)
                at = {"dim": dim}
                family.case("scatter", [x, index, from_], x.values.scatter(dim, unique, source), at)
                family.case("scatter_", [x, index, from_], x.values.scatter(dim, unique, source),
                            at) if x.layout in ("contiguous", "transposed", "stepped") else None
                family.case("scatter_number", [x, index], x.values.scatter(dim, unique, 1), {**at, "number": 1})
                repeated = positions(tuple(unique.shape), size, 12)
                if dtype == torch.bool:
                    continue
                add = summed(x.values, lambda a, b: a.scatter_add(dim, repeated, b))(source)
                family.case("scatter_add", [x, Operand(repeated, layout), from_], add, at, **limits(dtype))
                if x.layout in ("contiguous", "transposed", "stepped"):
                    family.case("scatter_add_", [x, Operand(repeated, layout), from_], add, at, **limits(dtype))
                for reduce in ["sum", "prod", "mean", "amax", "amin"]:
                    for include in [True, False]:
                        if reduce == "mean" and not dtype.is_floating_point:
                            continue  # below: rounded as floor_divide
                        y = summed(x.values, lambda a, b: a.scatter_reduce(dim, repeated, b, reduce,
                                                                         include_self=include))(source)
                        family.case("scatter_reduce", [x, Operand(repeated, layout), from_], y,
                                    {**at, "reduce": reduce, "include_self": include},
                                    **({} if reduce in ("amax", "amin") else limits(dtype, reduce)),
                                    any_zero=True)
            for dim, size in [(0, rows), (1, columns)]:
                count = min(3, size)
                unique = permuted(count, size, 13) if size else torch.zeros(0, dtype=INT)
                shape = (count, columns) if dim == 0 else (rows, count)
                source = Operand(ordinary(dtype, shape, seed=14), "transposed" if dim else "stepped")
                at = {"dim": dim}
                copied = x.values.index_copy(dim, unique, source.values)
                filled = x.values.index_fill(dim, unique, 1)
                repeated = positions((count,), size, 15)
                family.case("index_copy", [x, Operand(unique, "stepped"), source], copied, at)
                family.case("index_fill", [x, unique.to(torch.int32) if dim else unique], filled, {**at, "number": 1})
                own = x.layout in ("contiguous", "transposed", "stepped")
                if own:
                    family.case("index_copy_", [x, Operand(unique, "stepped"), source], copied, at)
                    family.case("index_fill_", [x, unique], filled, {**at, "number": 1})
                if dtype == torch.bool:
                    continue
                added = summed(x.values, lambda a, b: a.index_add(dim, repeated, b))(source.values)
                family.case("index_add", [x, Operand(repeated, "stepped"), source], added, at, **limits(dtype))
                if own:
                    family.case("index_add_", [x, repeated, source], added, at, **limits(dtype))


# What may stand in brackets; "tensor": a position among the operands.
def encoded(entry, tensors):
    if entry is None:
        return "newaxis"
    if entry is Ellipsis:
        return "ellipsis"
    if isinstance(entry, slice):
        return {"slice": [entry.start, entry.stop, entry.step]}
    if isinstance(entry, torch.Tensor):
        tensors.append(entry)
        return {"tensor": len(tensors)}
    return entry


def selections():
    t = lambda *values: torch.tensor(values, dtype=INT)
    s = slice
    basic = [(2,), (-1, 3), (s(1, 4),), (s(None, None, 2), s(-4, None)), (Ellipsis, 1), (None, 2, None, s(2, 9, 3)),
             (Ellipsis, None), (s(-100, 100), s(5, 2)), (s(None, -1), -2)]
    advanced = [(t(0, 3, 3, -1),), (t(0, 3, 1), t(2, -9, 8)), (t(1, 2)[:, None], t(0, 4, 8)),
                (s(1, 4), t(0, 0, 7)), (t(2, 0), s(None, None, 4)), (t(4, 1), None, s(0, 2)), (3, t(1, 5)),
                (t(1, 0), 2), (t(0, 1).to(torch.int32), Ellipsis), (t(), s(None)), (torch.tensor(2), s(0, 3))]
    mask = torch.tensor([True, False, True, False, False])
    masks = [(mask,), (mask, s(2, 5)), (s(None), torch.arange(9) % 3 == 0), (mask, t(3, 5)),
             (torch.arange(45).reshape(5, 9) % 7 == 2,), (torch.zeros(5, dtype=torch.bool),)]
    return basic, advanced + masks


def cube_selections():
    t = lambda *values: torch.tensor(values, dtype=INT)
    s = slice
    return [(t(0, 2), s(None), t(1, 3)), (s(None), t(1, 0), t(2, 2)), (0, s(None), t(4, 1)), (t(1, 0), None, t(3, 2)),
            (Ellipsis, t(0, 4)), (t(0, 1)[:, None], s(1, 3), t(0, 2, 4)), (s(None), 1, t(0, 1)),
            (s(None), t(1, 2), s(0, 4, 2)), (torch.ones(3, 4, dtype=torch.bool).triu(), 2),
            (s(0, 2), torch.tensor([True, False, True, True])), (t(1), Ellipsis, t(0, 2))]


def brackets(family):
    basic, advanced = selections()

    def case(x, entries):
        tensors = []
        items = [encoded(e, tensors) for e in entries]
        y = x.values[entries]
        family.case("index", [x] + [Operand(t, "stepped" if t.dim() == 1 else "contiguous") for t in tensors],
                    y.contiguous(), {"items": items})
        return items, tensors, y

    def put(x, entries, accumulate):
        tensors = []
        items = [encoded(e, tensors) for e in entries]
        shape = tuple(x.values[entries].shape)
        for values in [ordinary(x.values.dtype, shape, seed=16), ordinary(x.values.dtype, shape[-1:], seed=17),
                       ordinary(x.values.dtype, (), seed=18)]:
            y = x.values.clone().to(wide(x.values.dtype))
            # Assignments to one place twice: only equal values are sure.
            if accumulate and x.values.dtype != torch.bool:
                flat = torch.arange(y.numel()).reshape(y.shape)[entries]
                y.view(-1).index_add_(0, flat.reshape(-1), values.to(y.dtype).expand(shape).reshape(-1))
            elif values.dim() == 0 or all(not isinstance(e, torch.Tensor) or e.dtype == torch.bool
                                          or len(set((e % 100).flatten().tolist())) == e.numel() for e in entries):
                y[entries] = values.to(y.dtype)
            else:
                continue
            if accumulate and x.values.dtype == torch.bool:
                continue
            family.case("index_put_", [x] + tensors + [Operand(values, "stepped" if values.dim() == 1 else "contiguous")],
                        y.to(x.values.dtype), {"items": items, "accumulate": accumulate},
                        **(limits(x.values.dtype) if accumulate else {}))

    for dtype in ALL:
        for x in matrices(dtype):
            if x.values.numel() == 0:
                continue
            few = dtype not in FEW and x.layout != "contiguous"
            for entries in basic[::3] if few else basic:
                case(x, entries)
            for entries in advanced[::3] if few else advanced:
                case(x, entries)
                if x.layout in ("contiguous", "transposed", "stepped"):
                    put(x, entries, False)
                    put(x, entries, True)
            for entries in basic[1::4]:
                if x.layout in ("contiguous", "transposed", "stepped"):
                    put(x, entries, False)
                    put(x, entries, True)
        for x in matrices(dtype, (3, 4, 5)):
            if x.values.numel() and (dtype in FEW or x.layout == "contiguous"):
                for entries in cube_selections():
                    case(x, entries)
                    if x.layout in ("contiguous", "transposed"):
                        put(x, entries, False)
        x = ordinary(dtype)
        scalar = Operand(x[1, 1])
        case(scalar, (None,))
        case(scalar, (Ellipsis,))
        case(scalar, (torch.tensor(True),))
        put(scalar, (Ellipsis,), False)
        case(Operand(x[:0]), (s_all(), torch.tensor([1, 2])))
        case(Operand(x[:0]), (torch.zeros(0, dtype=INT),))
        put(Operand(x[:0]), (torch.zeros(0, dtype=INT),), False)


def s_all():
    return slice(None)


def embeddings(family):
    for dtype in ALL:
        for weight in matrices(dtype, (7, 4)):
            if weight.values.shape[0] == 0:
                empty = torch.zeros((0, 2), dtype=INT)
                family.case("embedding", [weight, empty], torch.nn.functional.embedding(empty, weight.values))
                continue
            for shape in [(3,), (2, 3), (), (0,)]:
                for kind in [torch.int64, torch.int32]:
                    indices = positions(shape, 7, 19, kind)
                    layout = "stepped" if len(shape) == 1 else "transposed" if len(shape) == 2 else "contiguous"
                    family.case("embedding", [weight, Operand(indices, layout)],
                                torch.nn.functional.embedding(indices.long(), weight.values))
    for dtype in ALL:
        for weight in matrices(dtype, (7, 4)):
            if dtype not in FLOATS or not weight.values.numel():
                continue
            eps = torch.finfo(dtype).eps
            for mode in ["sum", "mean", "max"]:
                indices = positions((8,), 7, 20)
                for offsets, last in [([0, 3, 3, 5], False), ([0, 8], False), ([0, 2, 6, 8], True), ([0], False)]:
                    y = torch.nn.functional.embedding_bag(indices, weight.values.double(), torch.tensor(offsets), mode=mode,
                                                          include_last_offset=last)
                    family.case("embedding_bag", [weight, Operand(indices, "stepped"), torch.tensor(offsets)],
                                y.to(dtype), {"mode": mode, "include_last_offset": last}, 2, 16 * eps)
                square = positions((3, 4), 7, 21)
                y = torch.nn.functional.embedding_bag(square, weight.values.double(), mode=mode, padding_idx=2)
                family.case("embedding_bag", [weight, Operand(square, "transposed")], y.to(dtype),
                            {"mode": mode, "padding_idx": 2}, 2, 16 * eps)
            scales = ordinary(dtype, (8,), seed=22)
            offsets = torch.tensor([0, 3, 5])
            y = torch.nn.functional.embedding_bag(indices, weight.values.double(), offsets, mode="sum",
                                                  per_sample_weights=scales.double())
            family.case("embedding_bag", [weight, indices.to(torch.int32), offsets.to(torch.int32),
                                          Operand(scales, "stepped")], y.to(dtype), {"mode": "sum"}, 2, 32 * eps)
        if dtype in FLOATS:
            x = ordinary(dtype, (7, 4))
            none = torch.zeros(0, dtype=INT)
            family.case("embedding_bag", [x, none, torch.tensor([0, 0])], torch.zeros(2, 4, dtype=dtype), {"mode": "sum"})


def make():
    first, second = Family("indexing"), Family("scattering")
    gathering(first)
    masks(first)
    embeddings(first)
    scattering(second)
    brackets(second)
    return [first, second]
