"""Convolution, pooling, resizing, and what classifiers end with."""

import torch
import torch.nn.functional as F

from .fixture import FLOATS, HALVES, Family, Operand
from .functions import computed_in
from .operands import ordinary
from .reductions import epsilon

TYPES = FLOATS + HALVES


def rounded(y, dtype):
    return y.to(computed_in(dtype)).to(dtype)


def first_alike(x):
    return x[:1].expand(x.shape).contiguous()


def operands_of(x, empty=True):
    """An image batch in its layouts; broadcast: all images alike."""
    yield Operand(x)
    yield Operand(x, "transposed")
    yield Operand(x, "stepped")
    yield Operand(first_alike(x), "broadcast")
    if empty:
        yield Operand(x[:0])


CONVOLUTIONS = {
    # x, weight, options
    1: [((2, 3, 9), (4, 3, 3), {}), ((2, 4, 10), (6, 2, 3), {"stride": [2], "padding": [1], "groups": 2}),
        ((2, 2, 11), (3, 2, 3), {"dilation": [2], "padding": [2]}), ((2, 3, 5), (2, 3, 1), {})],
    2: [((2, 3, 6, 7), (4, 3, 3, 3), {}), ((2, 2, 7, 6), (3, 2, 3, 2), {"stride": [2, 1], "padding": [1, 0]}),
        ((2, 4, 6, 6), (4, 1, 3, 3), {"groups": 4, "padding": [1, 1]}),
        ((2, 4, 7, 5), (6, 2, 2, 2), {"groups": 2, "stride": [2, 2]}),
        ((2, 2, 8, 8), (2, 2, 3, 3), {"dilation": [2, 1], "padding": [2, 2]}), ((2, 3, 4, 5), (5, 3, 1, 1), {}),
        ((2, 1, 12, 12), (2, 1, 5, 5), {}), ((2, 2, 3, 3), (2, 2, 3, 3), {"padding": [2, 2], "stride": [3, 3]})],
    3: [((2, 2, 4, 5, 4), (3, 2, 2, 3, 2), {}),
        ((2, 2, 4, 4, 4), (2, 1, 2, 2, 2), {"groups": 2, "stride": [2, 1, 2], "padding": [1, 0, 1]})],
}
TRANSPOSED = {
    1: [((2, 3, 5), (3, 4, 3), {}), ((2, 4, 5), (4, 2, 3), {"stride": [2], "padding": [1], "output_padding": [1],
                                                           "groups": 2})],
    2: [((2, 3, 4, 3), (3, 2, 3, 2), {}), ((2, 2, 3, 4), (2, 3, 3, 3), {"stride": [2, 2], "padding": [1, 1],
                                                                       "output_padding": [1, 0]}),
        ((2, 4, 3, 3), (4, 1, 2, 2), {"groups": 4, "stride": [2, 1]}),
        ((2, 2, 3, 3), (2, 2, 2, 2), {"dilation": [2, 2]})],
    3: [((2, 2, 3, 2, 3), (2, 2, 2, 2, 2), {"stride": [2, 1, 1]})],
}


def convolutions(family):
    for transposed, table in [(False, CONVOLUTIONS), (True, TRANSPOSED)]:
        for dims, cases in table.items():
            op = f"conv_transpose{dims}d" if transposed else f"conv{dims}d"
            function = getattr(F, op)
            for dtype in TYPES:
                for number, (shape, weights, options) in enumerate(cases):
                    x, weight = ordinary(dtype, shape, seed=100), ordinary(dtype, weights, seed=101)
                    filters = weights[1] * options.get("groups", 1) if transposed else weights[0]
                    bias = ordinary(dtype, (filters,), seed=102)
                    terms = weight[0].numel() if not transposed else weight.numel() / filters
                    tolerance = {"ulps": 1 if dtype in HALVES else 4, "within": 9 * terms * epsilon(x)}
                    for one in operands_of(x):
                        for layout in ["contiguous", "transposed", "stepped"]:
                            if layout != "contiguous" and (one.layout != "contiguous" or not one.values.numel()):
                                continue
                            y = rounded(function(one.values.double(), weight.double(), bias.double(), **options), dtype)
                            family.case(op, [one, Operand(weight, layout), Operand(bias, "stepped")], y, options,
                                        **tolerance)
                        if number < 2:
                            y = rounded(function(one.values.double(), weight.double(), **options), dtype)
                            family.case(op, [one, weight], y, options, **tolerance)


POOLS = {
    1: [((2, 3, 9), {"kernel": [2]}), ((2, 2, 10), {"kernel": [3], "stride": [2], "padding": [1]})],
    2: [((2, 3, 6, 8), {"kernel": [2, 2]}), ((2, 2, 7, 7), {"kernel": [3, 2], "stride": [2, 3], "padding": [1, 1]}),
        ((2, 2, 7, 6), {"kernel": [3, 3], "stride": [1, 1]}),
        ((2, 1, 7, 8), {"kernel": [3, 3], "stride": [2, 2], "ceil_mode": True}),
        ((2, 1, 6, 7), {"kernel": [3, 3], "stride": [3, 3], "padding": [1, 1], "ceil_mode": True})],
    3: [((2, 2, 4, 4, 6), {"kernel": [2, 2, 2]}), ((2, 1, 5, 4, 4), {"kernel": [2, 3, 2], "stride": [1, 2, 2],
                                                                  "padding": [1, 1, 0]})],
}
MAX_MORE = {1: [((2, 2, 10), {"kernel": [2], "dilation": [3], "stride": [1]})],
            2: [((2, 2, 8, 8), {"kernel": [2, 2], "dilation": [2, 3], "stride": [1, 2]})], 3: []}
AVG_MORE = {1: [((2, 2, 9), {"kernel": [3], "stride": [2], "padding": [1], "count_include_pad": False})],
            2: [((2, 2, 6, 6), {"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1], "count_include_pad": False}),
                ((2, 2, 6, 6), {"kernel": [2, 2], "divisor": 3})], 3: []}


def torch_options(options):
    names = {"kernel": "kernel_size", "divisor": "divisor_override"}
    return {names.get(key, key): value for key, value in options.items()}


def no_ties(dtype, shape, seed):
    """Each number once, as far as a type has so many."""
    count = torch.Size(shape).numel()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return (order - count // 2).reshape(shape).to(dtype)


def pooling(family):
    for dims in [1, 2, 3]:
        for dtype in TYPES:
            for shape, options in POOLS[dims] + MAX_MORE[dims]:
                x = ordinary(dtype, shape, seed=110)
                for one in operands_of(x):
                    if one.values.numel() == 0 and dims == 3:
                        pass
                    y, places = getattr(F, f"max_pool{dims}d")(one.values.double(), return_indices=True,
                                                               **torch_options(options)) if one.values.numel() else (
                        empty_result(f"max_pool{dims}d", x, options), None)
                    family.case(f"max_pool{dims}d", [one], y.to(dtype), options)
                distinct = no_ties(dtype, shape, 111) if dtype in FLOATS else None
                if distinct is not None:
                    for one in operands_of(distinct, empty=False):
                        y, places = getattr(F, f"max_pool{dims}d")(one.values.double(), return_indices=True,
                                                                   **torch_options(options))
                        family.case(f"max_pool{dims}d_with_indices", [one], [y.to(dtype), places], options)
            for shape, options in POOLS[dims] + AVG_MORE[dims]:
                x = ordinary(dtype, shape, seed=112)
                for one in operands_of(x):
                    if dims == 1 and "divisor" in options:
                        continue
                    call = getattr(F, f"avg_pool{dims}d")
                    y = call(one.values.double(), **torch_options(options)) if one.values.numel() else empty_result(
                        f"avg_pool{dims}d", x, options)
                    family.case(f"avg_pool{dims}d", [one], rounded(y, dtype), options, 1 if dtype in HALVES else 4,
                                16 * epsilon(x))
            for shape, sizes in {1: [((2, 3, 9), [4]), ((2, 2, 3), [5])], 2: [((2, 2, 7, 6), [3, 4]), ((2, 2, 4, 4), [1, 1]),
                                                                             ((2, 1, 3, 3), [5, 2])],
                                 3: [((2, 2, 4, 5, 3), [2, 3, 3])]}[dims]:
                x = ordinary(dtype, shape, seed=113)
                for one in operands_of(x):
                    for kind in ["avg", "max"]:
                        op = f"adaptive_{kind}_pool{dims}d"
                        y = getattr(F, op)(one.values.double(), sizes) if one.values.numel() else torch.zeros(
                            (0, shape[1], *sizes), dtype=torch.float64)
                        tolerance = {"ulps": 1 if dtype in HALVES else 4, "within": 16 * epsilon(x)} if kind == "avg" else {}
                        family.case(op, [one], rounded(y, dtype), {"size": sizes}, **tolerance)
    for dtype in FLOATS + HALVES:  # a NaN is the largest; padding never is
        x = ordinary(dtype, (2, 2, 6, 6), seed=114)
        x[0, 1, 2, 3] = float("nan")
        x[1] = float("-inf")
        y = F.max_pool2d(x.double(), 3, 2, 1)
        family.case("max_pool2d", [x], y.to(dtype), {"kernel": [3, 3], "stride": [2, 2], "padding": [1, 1]})


def empty_result(op, x, options):
    return getattr(F, op)(x.double(), **torch_options(options))[:0]


def resizing(family):
    shapes = {1: ((2, 3, 5), [8], [3]), 2: ((2, 2, 4, 5), [7, 3], [8, 10]), 3: ((2, 1, 3, 2, 4), [5, 4, 3], [2, 3, 7])}
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
    for dtype in TYPES:
        for dims, (shape, *sizes) in shapes.items():
            x = ordinary(dtype, shape, seed=120)
            for one in operands_of(x):
                for mode in ["nearest", "linear"]:
                    for corners in [False, True] if mode == "linear" else [False]:
                        calls = [{"size": size} for size in sizes] + [{"scale": 2.0}, {"scale": 0.7}]
                        for options in calls:
                            arguments = {"mode": mode if mode == "nearest" else linear[dims]}
                            if mode == "linear":
                                arguments["align_corners"] = corners
                            arguments["size" if "size" in options else "scale_factor"] = options.get("size",
                                                                                                   options.get("scale"))
                            source = one.values if one.values.numel() else x
                            y = F.interpolate(source.double(), **arguments)
                            y = y if one.values.numel() else y[:0]
                            tolerance = {"ulps": 1 if dtype in HALVES else 4, "within": 40 * epsilon(x)}
                            family.case("interpolate", [one], rounded(y, dtype),
                                        {**options, "mode": mode, "align_corners": corners},
                                        **(tolerance if mode == "linear" else {}))


def classification(family):
    for dtype in FLOATS:
        for shape in [(5, 9), (1, 3), (7, 1)]:
            x = ordinary(dtype, shape, seed=130)
            for one in operands_of(x):
                y = torch.log_softmax(one.values.double(), 1)
                family.case("log_softmax_rows", [one], rounded(y, dtype), None, 8, 16 * epsilon(x))
                if one.values.numel():
                    target = ordinary(torch.int64, (shape[0],), 0, shape[1] - 1, seed=131)
                    loss = F.nll_loss(one.values.double(), target)
                    family.case("nll_loss", [one, Operand(target, "stepped")], rounded(loss, dtype), None, 4,
                                30 * epsilon(x))


def make():
    first, second = Family("convolutions"), Family("pooling")
    convolutions(first)
    pooling(second)
    resizing(second)
    classification(second)
    return [first, second]
