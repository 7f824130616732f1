"""Reductions, and what runs along one dimension."""

import numpy as np
import torch

from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand
from .functions import computed_in
from .operands import one_operand, ordinary, special
from .sweep import sweep

AXES = [{"dims": [0]}, {"dims": [1]}, {"dims": [-1], "keepdim": True}, {"dims": [0, 1]}, {"dims": []},
        {"dims": [1, 0], "keepdim": True}]
CUBE_AXES = [{"dims": [1]}, {"dims": [0, 2]}, {"dims": [-1, -2], "keepdim": True}, {"dims": [2, 0, 1]}]


def each(x, dims):
    """The dimensions counted from 0; none named: all, as in PyTorch."""
    if x.dim() == 0:
        if any(d not in (0, -1) for d in dims):
            raise IndexError
        return ()
    return tuple(d % x.dim() for d in dims) if dims else tuple(range(x.dim()))


def as_rows(x, dims, keepdim):
    """(x with the reduced dimensions as one, the last; the result's shape)."""
    dims = each(x, dims)
    kept = [d for d in range(x.dim()) if d not in dims]
    rows = x.permute((*kept, *dims)).reshape([x.shape[d] for d in kept] + [int(np.prod([x.shape[d] for d in dims]))])
    shape = [1 if d in dims else x.shape[d] for d in range(x.dim())] if keepdim else [x.shape[d] for d in kept]
    return rows, shape


def computed(x):
    """The operand in float64, as the op sees it: integers and 16-bit floats pass through float32."""
    return x.to(computed_in(x.dtype)).double()


def float_type(dtype):
    return dtype if dtype.is_floating_point else torch.float32


def rounded(y, dtype):
    return y.to(computed_in(dtype)).to(float_type(dtype))


def reduced(of_rows):
    def function(x, dims, keepdim=False):
        rows, shape = as_rows(x, dims, keepdim)
        return of_rows(rows).reshape(shape)

    return function


def integral(x):
    return not x.dtype.is_floating_point


def sum_rows(rows):
    return rows.sum(-1) if integral(rows) else rounded(computed(rows).sum(-1), rows.dtype)


def prod_rows(rows):
    return rows.prod(-1) if integral(rows) else rounded(computed(rows).prod(-1), rows.dtype)


def mean_rows(rows):
    return rounded(computed(rows).mean(-1), rows.dtype)


def norm_rows(p):
    return lambda rows: rounded(torch.linalg.vector_norm(computed(rows), p, dim=-1) if rows.shape[-1] or p > -1e9
                                else computed(rows).sum(-1), rows.dtype)


def epsilon(x):
    return torch.finfo(computed_in(x.dtype)).eps


def finite_sum(x):
    values = x.double().flatten().abs()
    return float(values[values.isfinite()].sum()) if values.numel() else 0.0


def sum_limits(x, dtype, **_):
    """Each of n additions may be off by half an epsilon of what has been added up."""
    if integral(x):
        return {}
    return {"ulps": 1, "within": 2 * epsilon(x) * finite_sum(x)}


def mean_limits(x, dtype, **_):
    """The same of integers, whose sum is rounded to float32."""
    return {"ulps": 1, "within": 2 * epsilon(x) * finite_sum(x) / max(1, min(x.shape, default=1))}


def prod_limits(x, dtype, **_):
    return {} if integral(x) else {"ulps": 1 if dtype in HALVES else 64}


# Sums of squares: relative to the result.
def square_limits(x, dtype, **_):
    return {"ulps": 1 if dtype in HALVES else 16, "within": 8 * epsilon(x)}


def everything(function):
    return lambda x, **attributes: function(x, list(range(x.dim())), False, **attributes)


def special_rows(dtype):
    """Rows with NaN, infinities of one and of both signs, and none."""
    x = ordinary(dtype, (6, 8), -3, 3, "special")
    if dtype.is_floating_point:
        inf, nan = float("inf"), float("nan")
        for i, values in enumerate([[nan], [inf], [-inf], [inf, -inf], [nan, inf]]):
            for j, value in enumerate(values):
                x[i, 2 + 3 * j] = value
    elif dtype != torch.bool:
        info = torch.iinfo(dtype)
        x[0] = info.max
        x[1] = info.min
        x[2, 3], x[2, 4] = info.max, info.min
    return x


def plain(family):
    table = {"sum": (sum_rows, sum_limits), "prod": (prod_rows, prod_limits), "mean": (mean_rows, mean_limits)}
    for op, (rows, limits) in table.items():
        function = reduced(rows)
        low, high = (-2, 2) if op == "prod" else (-3, 3)
        sweep(family, op + "_dims", AXES, function, limits=limits, low=low, high=high)
        sweep(family, op + "_dims", CUBE_AXES, function, limits=limits, shape=(3, 4, 5), low=low, high=high)
        sweep(family, op, [{}], everything(function), limits=limits, low=low, high=high)
        sweep(family, op + "_dims", [{"dims": [1]}, {"dims": [0]}], function, limits=limits, values=special_rows,
              few=ALL)
        for dtype in FLOATS + HALVES:  # long rows: pairwise or compensated
            x = ordinary(dtype, (3, 400), 0.5, 1.5, "long")
            family.case(op + "_dims", [x], function(x, [1]), {"dims": [1]},
                        ulps=1 if dtype in HALVES else 256 if op == "prod" else 8)
            x = x.t().contiguous()
            family.case(op + "_dims", [x], function(x, [0]), {"dims": [0]},
                        ulps=1 if dtype in HALVES else 256 if op == "prod" else 8)
    for dtype in FLOATS:  # the gradient of a broadcast
        for operand in one_operand(ordinary(dtype, (3, 4, 5))):
            shapes = [[1, 4, 1], [4, 5], [5], [], [1, 1, 1]] if operand.values.dim() == 3 else [[]]
            for shape in shapes:
                try:
                    y = operand.values.double().sum_to_size(shape) if operand.values.dim() else operand.values
                except RuntimeError:
                    continue
                family.case("sum_to", [operand], y.to(dtype), {"shape": shape}, **sum_limits(operand.values, dtype))


def spread(family):
    def rows_of(correction, root):
        def of_rows(rows):
            with np.errstate(all="ignore"):
                y = torch.var(computed(rows), -1, correction=correction)
            return rounded(y.sqrt() if root else y, rows.dtype)

        return of_rows

    for op, root in [("var", False), ("std", True)]:
        def function(x, dims, keepdim=False, correction=1, root=root):
            return reduced(rows_of(correction, root))(x, dims, keepdim)

        def with_all(x, correction=1, root=root):
            return reduced(rows_of(correction, root))(x, list(range(x.dim())))

        axes = [a for a in AXES if a["dims"]]
        sweep(family, op + "_dims", axes + [{"dims": [1], "correction": 0}, {"dims": [0], "correction": 2}], function,
              limits=square_limits)
        sweep(family, op + "_dims", CUBE_AXES, function, limits=square_limits, shape=(3, 4, 5))
        sweep(family, op, [{}, {"correction": 0}], with_all, limits=square_limits)
        sweep(family, op + "_dims", [{"dims": [1]}], function, values=special_rows, types=FLOATS + HALVES,
              limits=square_limits)
        # The mean is large: the deviations must not drown in it.
        for dtype in FLOATS:
            x = ordinary(dtype, (4, 12), 0, 4, "offset") + 1024
            # The condition of a variance is mean / deviation.
            family.case(op + "_dims", [x], function(x, [1]), {"dims": [1]}, ulps=12 * 1024)


def largest_row(rows):
    """(value, index of the first) with NaN before all, as NumPy."""
    return torch.from_numpy(np.asarray(np.argmax(rows.float().numpy() if rows.dtype == torch.bfloat16 else rows.numpy(),
                                                 -1))).long()


def smallest_row(rows):
    return torch.from_numpy(np.asarray(np.argmin(rows.float().numpy() if rows.dtype == torch.bfloat16 else rows.numpy(),
                                                 -1))).long()


def no_empty_rows(rows):
    if rows.shape[-1] == 0:
        raise ValueError("nothing to choose from")


def extremes(family):
    for suffix, index in [("max", largest_row), ("min", smallest_row)]:
        def value(rows, index=index):
            no_empty_rows(rows)
            return rows.gather(-1, index(rows)[..., None])[..., 0]

        def place(rows, index=index):
            no_empty_rows(rows)
            return index(rows)

        zero = {"limits": lambda x, dtype, **_: {"any_zero": True}}
        nonzero_axes = [a for a in AXES if a["dims"]]
        sweep(family, "a" + suffix, AXES, reduced(value), **zero)
        sweep(family, "a" + suffix, CUBE_AXES, reduced(value), shape=(3, 4, 5), **zero)
        sweep(family, "a" + suffix, nonzero_axes[:2], reduced(value), values=special_rows, few=ALL, **zero)
        sweep(family, suffix, [{}], everything(reduced(value)), **zero)
        sweep(family, suffix, [{}], everything(reduced(value)), values=special_rows, **zero)
        sweep(family, "arg" + suffix, [{}], everything(reduced(place)))
        sweep(family, "arg" + suffix, [{}], everything(reduced(place)), values=special_rows)

        def along(x, dim, keepdim=False, value=value, place=place):
            return [reduced(value)(x, [dim], keepdim), reduced(place)(x, [dim], keepdim)]

        lines = [{"dim": 1}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"dim": -2, "keepdim": True}]
        sweep(family, suffix + "_dim", lines, along, **zero)
        sweep(family, suffix + "_dim", [{"dim": 0}], along, **zero)
        sweep(family, suffix + "_dim", [{"dim": 1}, {"dim": 2}], along, shape=(3, 4, 5), **zero)
        sweep(family, suffix + "_dim", lines[:2], along, values=special_rows, few=ALL, **zero)
        sweep(family, "arg" + suffix + "_dim", lines, lambda *a, along=along, **k: along(*a, **k)[1])
        sweep(family, "arg" + suffix + "_dim", [{"dim": 0}], lambda *a, along=along, **k: along(*a, **k)[1])
        sweep(family, "arg" + suffix + "_dim", lines[:2], lambda *a, along=along, **k: along(*a, **k)[1],
              values=special_rows, few=ALL)


def counting(family):
    table = {"any": lambda rows: (rows != 0).any(-1), "all": lambda rows: (rows != 0).all(-1),
             "count_nonzero": lambda rows: (rows != 0).sum(-1)}
    for op, rows in table.items():
        axes = AXES if op != "count_nonzero" else [{"dims": a["dims"]} for a in AXES]
        cube = CUBE_AXES if op != "count_nonzero" else [{"dims": a["dims"]} for a in CUBE_AXES]
        for low, high in [(0, 1), (0, 3)]:
            sweep(family, op + "_dims", axes, reduced(rows), low=low, high=high)
        sweep(family, op + "_dims", cube, reduced(rows), shape=(3, 4, 5), low=-1, high=1)
        sweep(family, op + "_dims", [{"dims": [1]}], reduced(rows), values=special_rows)
        sweep(family, op, [{}], everything(reduced(rows)), low=0, high=1)
        sweep(family, op, [{}], everything(reduced(rows)), values=lambda dtype: torch.zeros(4, 5, dtype=dtype))


def norms(family):
    for p in [2, 1, 3.5, 0, float("inf"), float("-inf"), 0.5]:
        def function(x, dims, keepdim=False, p=p):
            rows, _ = as_rows(x, dims, keepdim)
            if rows.shape[-1] == 0 and p == float("-inf"):
                raise ValueError
            return reduced(norm_rows(p))(x, dims, keepdim)

        def limits(x, dtype, **_):
            return {"ulps": 1 if dtype in HALVES else 32, "within": 2 * epsilon(x)}

        from .fixture import number
        axes = [{**a, "p": number(float(p))} for a in (AXES if p == 2 else AXES[:2]) if a["dims"]]
        call = lambda x, dims, keepdim=False, p=None: function(x, dims, keepdim)
        if p in (2, 1, 0, float("inf")):
            sweep(family, "norm_dims", axes, call, limits=limits)
            sweep(family, "norm", [{"p": number(float(p))}], lambda x, p: function(x, list(range(x.dim()))), limits=limits)
            sweep(family, "norm_dims", axes[:1], call, values=special_rows, types=FLOATS + HALVES, limits=limits)
        else:
            sweep(family, "norm_dims", axes, call, limits=limits, types=FLOATS)


def logsumexp_rows(rows):
    return rounded(torch.logsumexp(computed(rows), -1), rows.dtype)


def log_limits(x, dtype, **_):
    return {"ulps": 1 if dtype in HALVES else 8, "within": 16 * epsilon(x)}


def exponentials(family):
    sweep(family, "logsumexp", AXES[:4] + AXES[5:], reduced(logsumexp_rows), limits=log_limits)
    sweep(family, "logsumexp", CUBE_AXES, reduced(logsumexp_rows), shape=(3, 4, 5), limits=log_limits)
    sweep(family, "logsumexp", [{"dims": [1]}, {"dims": [0]}], reduced(logsumexp_rows), values=special_rows,
          types=FLOATS + HALVES, limits=log_limits)
    sweep(family, "logsumexp", [{"dims": [1]}], reduced(logsumexp_rows), low=-400, high=800, types=FLOATS,
          limits=log_limits)

    def along(function):
        return lambda x, dim: rounded(function(computed(x), dim), x.dtype)

    for op, function in [("softmax", torch.softmax), ("log_softmax", torch.log_softmax)]:
        lines = [{"dim": 1}, {"dim": 0}, {"dim": -1}]
        limits = (lambda x, dtype, **_: {"ulps": 1 if dtype in HALVES else 16}) if op == "softmax" else log_limits
        types = ALL  # of integers and bool as float32, as the other functions of floats
        sweep(family, op, lines, along(function), types=types, limits=limits, few=types)
        sweep(family, op, [{"dim": 0}, {"dim": -1}], along(function), types=types, limits=limits, few=types)
        sweep(family, op, [{"dim": 1}, {"dim": 2}, {"dim": 0}], along(function), shape=(3, 4, 5), types=types,
              limits=limits)
        sweep(family, op, [{"dim": 1}], along(function), values=special_rows, types=FLOATS + HALVES, limits=limits)
        sweep(family, op, [{"dim": 1}], along(function), low=-200, high=200, types=FLOATS,
              limits=log_limits if op == "log_softmax" else lambda x, dtype, **_: {"ulps": 64})


def running(family):
    for op, function in [("cumsum", torch.cumsum), ("cumprod", torch.cumprod)]:
        def call(x, dim, function=function):
            return function(x, dim) if integral(x) else rounded(function(computed(x), dim), x.dtype)

        limits = sum_limits if op == "cumsum" else prod_limits
        low, high = (-3, 3) if op == "cumsum" else (-2, 2)
        sweep(family, op, [{"dim": 1}, {"dim": 0}, {"dim": -2}], call, low=low, high=high, limits=limits, few=ALL)
        sweep(family, op, [{"dim": 0}, {"dim": -1}], call, low=low, high=high, limits=limits, few=ALL)
        sweep(family, op, [{"dim": 1}, {"dim": 2}], call, shape=(3, 4, 5), low=low, high=high, limits=limits)
        sweep(family, op, [{"dim": 1}, {"dim": 0}], call, values=special_rows, limits=limits, few=ALL)


def distinct(dtype):
    """[5, 9] with no two equal numbers where the type has so many, in no order."""
    if dtype == torch.bool:
        return ordinary(dtype)
    order = torch.from_numpy(np.random.RandomState(3).permutation(45).astype(np.int64)).reshape(5, 9)
    return (order - (20 if dtype != torch.uint8 else 0)).to(dtype)


def medians(family):
    def lower_middle(rows):
        no_empty_rows(rows)
        double = rows.double() if rows.dtype.is_floating_point else rows
        order = torch.sort(double, dim=-1, stable=True)
        place = order.indices[..., (rows.shape[-1] - 1) // 2]
        nan = double.isnan()
        return torch.where(nan.any(-1), nan.long().argmax(-1), place)

    def value(rows):
        place = lower_middle(rows)
        return rows.gather(-1, place[..., None])[..., 0]

    def along(x, dim, keepdim=False):
        return [reduced(value)(x, [dim], keepdim), reduced(lower_middle)(x, [dim], keepdim)]

    numbers = [t for t in ALL if t != torch.bool]
    sweep(family, "median", [{}], everything(reduced(value)))
    sweep(family, "median", [{}], everything(reduced(value)), types=numbers, values=special_rows)
    lines = [{"dim": 1}, {"dim": 0}, {"dim": -1, "keepdim": True}]

    def strict(x, dim, keepdim=False):
        if x.dim() > 1 and x.numel() and any(len(set(line)) < len(line) for line in x.movedim(dim, -1).reshape(
                -1, x.shape[dim]).tolist()):
            raise ValueError("which of equals is left open")
        return along(x, dim, keepdim)

    sweep(family, "median_dim", lines, strict, types=numbers, values=distinct, few=numbers)
    sweep(family, "median_dim", [{"dim": 0}], strict, types=numbers, values=distinct)
    for dtype in numbers:  # equal elements: the values alone
        x = ordinary(dtype)
        for operand in one_operand(x):
            if operand.values.dim() == 2 and operand.values.shape[1] > 0:
                family.case("median_values", [operand], along(operand.values, 1)[0], {"dim": 1})
    for dtype in FLOATS + HALVES:
        x = distinct(dtype)
        x[1, 4] = x[3, 2] = x[3, 7] = float("nan")
        family.case("median_dim", [x], along(x, 1), {"dim": 1})


def make():
    first, second = Family("reductions"), Family("extremes")
    plain(first)
    spread(first)
    counting(first)
    norms(first)
    exponentials(first)
    running(first)
    extremes(second)
    medians(second)
    return [first, second]
