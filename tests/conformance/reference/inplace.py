"""In-place forms: the result of the function, in the operand's type and memory."""

import torch

from . import functions
from .elementwise import ARITHMETIC, RANGES, arithmetic, ulps_of, unary_result
from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand, number
from .functions import BINARY, in_float
from .operands import column, edges, ordinary, row, special

FLOATING = FLOATS + HALVES
OWN = ["contiguous", "transposed", "stepped"]  # layouts that may be written to


def targets(x):
    for layout in OWN:
        yield Operand(x, layout)
    yield Operand(x[:0])
    yield Operand(x[1, 2])
    yield Operand(x[2, 1], "stepped")


def pairs(a, b):
    for layout in OWN:
        yield Operand(a, layout), Operand(b)
        yield Operand(a, layout), Operand(b, "transposed")
        yield Operand(a, layout), Operand(b, "stepped")
        yield Operand(a, layout), Operand(row(b), "broadcast")
        yield Operand(a, layout), Operand(column(b), "broadcast_last")
        yield Operand(a, layout), Operand(b[1])
        yield Operand(a, layout), Operand(b[1, 1])
    yield Operand(a[:0]), Operand(b[:0])
    yield Operand(a[:0]), Operand(b[:1])
    yield Operand(a[1, 2]), Operand(b[3, 3], "stepped")


def binary_function(op):
    if op in ARITHMETIC:
        return lambda a, b: arithmetic(op, a, b)
    if op.startswith("bitwise"):
        return getattr(torch, op)
    return lambda a, b: in_float(BINARY[op], a, b)


TYPES = {"add": ALL, "sub": FLOATING + INTEGERS, "mul": ALL, "div": FLOATING, "pow": FLOATING, "fmod": FLOATING,
         "remainder": FLOATING, "maximum": ALL, "minimum": ALL, "bitwise_and": INTEGERS + [torch.bool],
         "bitwise_or": INTEGERS + [torch.bool], "bitwise_xor": INTEGERS + [torch.bool]}


def binary(family):
    for op, types in TYPES.items():
        function = binary_function(op)
        for dtype in types:
            a, b = ordinary(dtype, seed=40), ordinary(dtype, seed=41)
            if op == "pow":
                a = a.abs()
            for one, other in pairs(a, b):
                family.case(op + "_", [one, other], function(one.values, other.values.expand(one.values.shape)),
                            ulps=ulps_of(op, dtype) if op in BINARY else 0)
            few = edges(dtype)[:3]
            many = edges(dtype)[:, None].expand(-1, len(few)).contiguous()
            family.case(op + "_", [many, few], function(many, few.expand(many.shape)),
                        ulps=ulps_of(op, dtype) if op in BINARY else 0, any_zero="imum" in op)
            # Another type, which the result's does not leave.
            for kind in ALL:
                if kind == dtype or op not in ("add", "mul", "maximum", "div") or not torch.can_cast(
                        torch.promote_types(kind, dtype), dtype) or (op == "div" and not dtype.is_floating_point):
                    continue
                c = ordinary(kind, (3, 4), 0, 9, seed=42)
                a_ = ordinary(dtype, (3, 4), 0, 9, seed=43)
                family.case(op + "_", [Operand(a_, "transposed"), c], function(a_, c).to(dtype))
            # Operands in the same memory: as if they had been copied first.
            square = ordinary(dtype, (6, 6), seed=44)
            if op == "pow":
                square = square.abs()
            ulps = ulps_of(op, dtype) if op in BINARY else 0
            for layout in OWN:
                family.case(op + "_", [Operand(square, layout)], function(square, square), {"overlap": "itself"}, ulps)
                family.case(op + "_", [Operand(square, layout)], function(square, square.t().contiguous()),
                            {"overlap": "transposed"}, ulps)
                family.case(op + "_", [Operand(square, layout)],
                            function(square, square[:1].expand(6, 6).contiguous()), {"overlap": "row"}, ulps)
                down, up = square.clone(), square.clone()
                down[1:] = function(square[1:], square[:-1])
                up[:-1] = function(square[:-1], square[1:])
                family.case(op + "_", [Operand(square, layout)], down, {"overlap": "down"}, ulps)
                family.case(op + "_", [Operand(square, layout)], up, {"overlap": "up"}, ulps)


def with_number(family):
    for op in ["add", "sub", "mul", "div", "pow"]:
        for dtype in TYPES[op]:
            if dtype == torch.bool:
                continue
            x = ordinary(dtype, low=0, high=3, seed=45)
            for n in [2, 3, 0.5]:
                if isinstance(n, float) and not dtype.is_floating_point:
                    continue
                computed = torch.float32 if dtype in HALVES else dtype
                for operand in targets(x):
                    values = operand.values
                    if op == "pow":
                        y = in_float(BINARY["pow"], values, torch.tensor(n, dtype=dtype))
                    else:
                        y = ARITHMETIC[op](values.to(computed), torch.tensor(n, dtype=computed)).to(dtype)
                    family.case(op + "_number_", [operand], y, {"number": n}, ulps_of("pow", dtype) if op == "pow" else 0)
    for dtype in FLOATING + INTEGERS:
        for operand in targets(ordinary(dtype, low=-5, high=5)):
            family.case("clamp_", [operand], operand.values.clamp(0, 3), {"low": 0, "high": 3})
        if dtype.is_floating_point:
            eps = torch.finfo(dtype).eps
            x, end = ordinary(dtype, seed=46), ordinary(dtype, seed=47)
            for one, other in pairs(x, end):
                a, b = one.values.double(), other.values.double()
                family.case("lerp_", [one, other], (a + 0.25 * (b - a)).to(dtype), {"weight": 0.25}, 4, 16 * eps)


def unary(family):
    kept = ["neg", "abs", "sign", "square", "floor", "ceil", "trunc", "round", "relu"]
    floating = ["exp", "log", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "tanh", "sigmoid", "erf"]
    for op in kept + floating:
        for dtype in FLOATING + (INTEGERS if op in kept else []):
            x = ordinary(dtype, (5, 9), *RANGES.get(op, (-4, 4)))
            for operand in list(targets(x)) + [Operand(special(dtype), "stepped")]:
                family.case(op + "_", [operand], unary_result(op, operand.values), None, ulps_of(op, dtype))
    for dtype in ALL:
        for operand in list(targets(ordinary(dtype))) + [Operand(special(dtype), "stepped")]:
            family.case("nan_to_num_", [operand], torch.nan_to_num(operand.values))


def writing(family):
    for dtype in ALL:
        x = ordinary(dtype, seed=48)
        for operand in targets(x):
            values = operand.values
            family.case("fill_", [operand], torch.ones_like(values), {"number": 1})
            family.case("zero_", [operand], torch.zeros_like(values))
            if dtype.is_floating_point:
                for n in [2.5, float("nan"), float("-inf"), -0.0]:
                    family.case("fill_", [operand], torch.full_like(values, n), {"number": number(n)})
            mask = ordinary(torch.bool, tuple(values.shape), seed=49)
            masks = [Operand(mask)] + ([Operand(mask, "transposed"), Operand(row(mask), "broadcast"), Operand(mask[0])
                                        if values.numel() else Operand(mask)] if mask.dim() == 2 else [])
            for m in masks:
                family.case("masked_fill_", [operand, m], values.masked_fill(m.values, 1), {"number": 1})
                full = m.values.expand(values.shape).contiguous()
                source = ordinary(dtype, (60,), seed=50)
                family.case("masked_scatter_", [operand, m, Operand(source, "stepped")],
                            values.masked_scatter(full, source))
        for one, other in pairs(x, ordinary(dtype, seed=51)):
            family.case("copy_", [one, other], other.values.expand(one.values.shape).contiguous())
        for kind in ALL:
            source = ordinary(kind, (5, 9), 0, 9, seed=52)
            family.case("copy_", [Operand(x, "stepped"), Operand(source, "transposed")], source.to(dtype))
        square = ordinary(dtype, (6, 6), seed=53)
        for layout in OWN:
            family.case("copy_", [Operand(square, layout)], square.t().contiguous(), {"overlap": "transposed"})
            family.case("copy_", [Operand(square, layout)], square[:1].expand(6, 6).contiguous(), {"overlap": "row"})
            family.case("copy_", [Operand(square, layout)], torch.cat([square[:1], square[:-1]]), {"overlap": "down"})
            family.case("copy_", [Operand(square, layout)], torch.cat([square[1:], square[-1:]]), {"overlap": "up"})


def make():
    family = Family("inplace")
    binary(family)
    with_number(family)
    unary(family)
    writing(family)
    return [family]
