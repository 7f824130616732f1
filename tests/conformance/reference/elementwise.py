"""Functions of each element."""

import torch

from . import functions
from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand, name_of
from .functions import BINARY, UNARY, in_float
from .operands import SHAPE, edges, one_operand, ordinary, special, two_operands

# Correctly rounded by their definition, or moves: no error is allowed.
EXACT = {"sqrt_of_half", "abs", "sign", "floor", "ceil", "trunc", "round", "relu", "neg", "square", "hardtanh",
         "hardtanh_-2_0.5", "fmod", "remainder", "copysign", "floor_divide", "frac"}


def ulps_of(op, dtype):
    if op in EXACT:
        return 0
    return 1 if dtype in HALVES else 4  # 4 of float32 may tip the rounding to 16 bits


RANGES = {
    "acosh": (1, 7), "log": (0, 9), "log2": (0, 9), "log10": (0, 9), "log1p": (-0.98, 9), "sqrt": (0, 9),
    "rsqrt": (0, 9), "asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1), "erfinv": (-1, 1), "logit": (0, 1),
    "exp": (-20, 20), "tan": (-9, 9), "sin": (-40, 40), "cos": (-40, 40), "softplus": (-30, 40), "lgamma": (-5, 9),
    "digamma": (-5, 9), "erfc": (-3, 9), "gelu": (-6, 6), "gelu_tanh": (-6, 6), "silu": (-30, 20),
    "mish": (-20, 20), "logsigmoid": (-30, 40), "sinc": (-6, 6), "deg2rad": (-720, 720),
}
# The table's name -> the method's, its attributes.
VARIANTS = {
    "gelu_tanh": ("gelu", {"tanh": True}),
    "elu_0.5": ("elu", {"alpha": 0.5}),
    "leaky_relu_0.25": ("leaky_relu", {"slope": 0.25}),
    "hardtanh_-2_0.5": ("hardtanh", {"low": -2.0, "high": 0.5}),
}
KEEP_INTEGERS = {"abs", "sign", "square", "floor", "ceil", "trunc", "round", "relu", "neg", "hardtanh"}
KEEP_BOOL = {"abs", "sign", "floor", "ceil", "trunc", "round", "relu"}  # what PyTorch refuses is NumPy's
OF_FLOATS_ALONE = {"gelu", "silu", "mish", "elu", "leaky_relu", "logsigmoid"}  # as in PyTorch


def unary_result(name, x):
    if x.dtype == torch.bool and name in KEEP_BOOL:
        return x.clone()
    if x.dtype in INTEGERS and name in KEEP_INTEGERS:
        return x.clamp(min=0) if name == "relu" else x.clamp(-1, 1) if name == "hardtanh" else UNARY[name][1](x)
    return in_float(UNARY[name], x)


def unary(family):
    for name in UNARY:
        op, attributes = VARIANTS.get(name, (name, None))
        low, high = RANGES.get(name, (-4, 4))
        for dtype in ALL:
            if dtype == torch.bool and name in KEEP_INTEGERS - KEEP_BOOL:
                continue
            if name in VARIANTS and dtype not in FLOATS:
                continue
            if op in OF_FLOATS_ALONE and not dtype.is_floating_point:
                continue
            if op == "hardtanh" and dtype == torch.uint8:  # its bounds do not fit
                continue
            x = ordinary(dtype, SHAPE, low, high)
            ulps = ulps_of(name, dtype)
            loose = {"any_zero": name in ("logsigmoid", "sinc")}
            for operand in one_operand(x):
                family.case(op, [operand], unary_result(name, operand.values), attributes, ulps, **loose)
            x = special(dtype)
            if name in ("lgamma", "digamma", "sinc", "erfinv", "logit", "atanh", "asin", "acos") and dtype in FLOATS:
                x = torch.cat([x, torch.tensor([-0.5, -1.5, -2.25, 1.4616321, 2.0, -3.0, 0.3, 0.999, -0.999, 0.75, 1e-5,
                                                2.718, 20.25, 1.0 - 2**-20], dtype=dtype)])
            family.case(op, [Operand(x)], unary_result(name, x), attributes, ulps, **loose)
            family.case(op, [Operand(x, "stepped")], unary_result(name, x), attributes, ulps, **loose)


def classify(family):
    for op in ["isnan", "isinf", "isfinite", "signbit", "logical_not", "bitwise_not", "nan_to_num"]:
        for dtype in ALL:
            if op == "bitwise_not" and dtype.is_floating_point:
                continue
            function = getattr(torch, op)
            for x in [ordinary(dtype), special(dtype)]:
                for operand in one_operand(x) if x.dim() == 2 else [Operand(x), Operand(x, "stepped")]:
                    family.case(op, [operand], function(operand.values))
    for dtype in FLOATS + HALVES:
        x = special(dtype)
        family.case("nan_to_num", [x], torch.nan_to_num(x, 2.5), {"nan": 2.5})
        family.case("nan_to_num", [x], torch.nan_to_num(x, 1.0, 100.0, -3.0),
                    {"nan": 1.0, "positive": 100.0, "negative": -3.0})


ARITHMETIC = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum,
    "minimum": torch.minimum,
}
COMPARE = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}
LOGICAL = {"logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor}


def arithmetic(op, a, b):
    """PyTorch's, rounded once: 16-bit floats in float32."""
    dtype = torch.promote_types(a.dtype, b.dtype)
    if op == "div" and not dtype.is_floating_point:
        dtype = torch.float32
    a, b = a.to(dtype), b.to(dtype)
    if dtype in HALVES:
        return ARITHMETIC[op](a.float(), b.float()).to(dtype)
    return ARITHMETIC[op](a, b)


def pairs(a, b, dtype):
    yield from two_operands(a, b)
    x = edges(dtype)
    yield Operand(x[:, None]), Operand(x[None, :])


def binary(family):
    for op in ARITHMETIC:
        for dtype in ALL:
            if op == "sub" and dtype == torch.bool:
                continue
            for a, b in pairs(ordinary(dtype, seed=1), ordinary(dtype, seed=2), dtype):
                # IEEE 754 leaves open which of +0 and -0 is larger.
                family.case(op, [a, b], arithmetic(op, a.values, b.values), any_zero=op in ("maximum", "minimum"))
        for one in ALL:  # mixed types
            for other in ALL:
                if one == other or (op == "sub" and torch.bool in (one, other)) or op not in ("add", "sub", "div",
                                                                                              "maximum"):
                    continue
                a, b = ordinary(one, (3, 4), seed=3), ordinary(other, (3, 4), seed=4)
                family.case(op, [Operand(a, "transposed"), Operand(b)], arithmetic(op, a, b))
    for op, function in {**COMPARE, **LOGICAL}.items():
        for dtype in ALL:
            for a, b in pairs(ordinary(dtype, low=-2, high=2, seed=1), ordinary(dtype, low=-2, high=2, seed=2), dtype):
                family.case(op, [a, b], function(a.values, b.values))
        for one in ALL:
            for other in ALL:
                if one == other or op not in ("eq", "lt", "logical_and"):
                    continue
                a, b = ordinary(one, (3, 4), seed=3, low=-2, high=2), ordinary(other, (3, 4), seed=4, low=-2, high=2)
                kind = torch.promote_types(one, other)
                family.case(op, [a, Operand(b, "transposed")],
                            function(a, b) if op == "logical_and" else function(a.to(kind), b.to(kind)))


# Integers keep their type in these, as in PyTorch.
INTEGER_RESULT = {"pow": torch.pow, "fmod": torch.fmod, "remainder": torch.remainder,
                  "floor_divide": torch.floor_divide}


def two_numbers(op, a, b):
    if op not in INTEGER_RESULT or torch.promote_types(a.dtype, b.dtype).is_floating_point:
        return in_float(BINARY[op], a, b)
    if op == "pow":
        return torch.pow(a, b)
    # The smallest by -1 overflows: NumPy wraps.
    minus = b.long() == -1
    result = INTEGER_RESULT[op](a, torch.where(minus, torch.ones_like(b), b))
    return torch.where(minus, -a, result) if op == "floor_divide" else result


def without_zero(x):
    return torch.where(x == 0, torch.ones((), dtype=x.dtype), x)


def binary_of_floats(family):
    for op in BINARY:
        for dtype in ALL:
            a, b = ordinary(dtype, seed=5), ordinary(dtype, seed=6)
            if op in ("pow", "xlogy") and dtype.is_floating_point:
                a, b = (a.abs(), b) if op == "pow" else (a, b.abs())
            integral = op in INTEGER_RESULT and not dtype.is_floating_point
            if integral and dtype == torch.bool:
                continue
            for one, other in pairs(a, b, dtype):
                if integral and op != "pow":
                    other = Operand(without_zero(other.values), other.layout)
                expected = two_numbers(op, one.values, other.values)
                # Terms of opposite signs cancel: the error is of the larger one's size.
                within = 16 * torch.finfo(functions.computed_in(dtype)).eps if op.startswith("logaddexp") else 0
                family.case(op, [one, other], expected, ulps=ulps_of(op, dtype), within=within)
        for one, other in [(torch.float32, torch.int64), (torch.int8, torch.float16), (torch.float64, torch.float32),
                           (torch.uint8, torch.float64), (torch.float16, torch.bfloat16)]:
            a, b = ordinary(one, (3, 4), low=1, high=3, seed=3), ordinary(other, (3, 4), low=1, high=3, seed=4)
            family.case(op, [a, Operand(b, "transposed")], two_numbers(op, a, b),
                        ulps=ulps_of(op, torch.promote_types(one, other)))
    for dtype in FLOATS:
        for one, other in pairs(ordinary(dtype, seed=5), ordinary(dtype, seed=6), dtype):
            family.case("nextafter", [one, other], torch.nextafter(one.values, other.values))


def integer_functions(family):
    ops = {"bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor,
           "gcd": torch.gcd, "lcm": torch.lcm}
    for op, function in ops.items():
        for dtype in INTEGERS + [torch.bool]:
            if dtype == torch.bool and op in ("gcd", "lcm"):
                continue
            for a, b in pairs(ordinary(dtype, low=-100, high=100, seed=7), ordinary(dtype, low=-100, high=100, seed=8),
                              dtype):
                if op in ("gcd", "lcm") and a.values.shape != b.values.shape:
                    # Extreme numbers have no representable gcd or lcm.
                    least = torch.iinfo(dtype).min
                    if least < 0:
                        a = Operand(torch.where(a.values == least, a.values + 2, a.values), a.layout)
                        b = Operand(torch.where(b.values == least, b.values + 2, b.values), b.layout)
                if op == "lcm":
                    a, b = (Operand(x.values % 12 if x.values.numel() else x.values, x.layout) for x in (a, b))
                family.case(op, [a, b], function(a.values, b.values))
    for op, function in {"bitwise_left_shift": torch.bitwise_left_shift,
                         "bitwise_right_shift": torch.bitwise_right_shift}.items():
        for dtype in INTEGERS:
            width = torch.iinfo(dtype).bits
            for a, b in two_operands(ordinary(dtype, low=-100, high=100, seed=7),
                                     ordinary(dtype, low=0, high=width - 1, seed=8)):
                family.case(op, [a, b], function(a.values, b.values))
            x = special(dtype)
            shifts = torch.tensor([0, 1, width // 2, width - 2, width - 1, width, width + 1, 100], dtype=dtype)
            wide = shifts >= width
            within = function(x[:, None], torch.where(wide, torch.zeros_like(shifts), shifts))
            beyond = torch.zeros_like(x) if op == "bitwise_left_shift" else torch.where(x < 0, -torch.ones_like(x),
                                                                                         torch.zeros_like(x))
            family.case(op, [x[:, None], shifts], torch.where(wide, beyond[:, None], within))


def with_number(family):
    """Operations with a plain number."""
    ops = {"add": lambda x, n: x + n, "sub": lambda x, n: x - n, "rsub": lambda x, n: n - x, "mul": lambda x, n: x * n,
           "div": lambda x, n: x / n, "rdiv": lambda x, n: n / x}
    for op, function in ops.items():
        for dtype in ALL:
            for n in [2, 2.5, -3, 0.1]:
                if dtype == torch.bool or (dtype == torch.uint8 and n == -3):
                    continue
                x = ordinary(dtype, seed=9)
                kind = dtype
                if isinstance(n, float) and not dtype.is_floating_point:
                    kind = torch.float32
                if op in ("div", "rdiv") and not kind.is_floating_point:
                    kind = torch.float32
                computed = torch.float32 if kind in HALVES else kind
                for operand in one_operand(x) if n == 2.5 else [Operand(x), Operand(special(dtype))]:
                    number = torch.tensor(n, dtype=kind).to(computed)  # it has the tensor's type beside it
                    family.case(op + "_number", [operand], function(operand.values.to(computed), number).to(kind),
                                {"number": n})
    for op, function in COMPARE.items():
        for dtype in ALL:
            for n in [1, 0, 0.5]:
                if dtype == torch.bool and n == 0.5:
                    continue
                for operand in one_operand(ordinary(dtype, low=-2, high=2)) if n == 1 else [Operand(special(dtype))]:
                    family.case(op + "_number", [operand], function(operand.values, n), {"number": n})
    for dtype in ALL:
        if dtype == torch.bool:
            continue
        x = ordinary(dtype, low=-5, high=5)
        for low, high in [(0, 3), (1, 1), (3, 2), (-1.5, 2.25)]:
            if isinstance(low, float) and not dtype.is_floating_point:
                expected = lambda v: v.float().clamp(low, high)
            else:
                expected = lambda v: v.clamp(low, high)
            for operand in one_operand(x) if high == 3 else [Operand(x), Operand(special(dtype))]:
                family.case("clamp", [operand], expected(operand.values), {"low": low, "high": high})
        for operand in one_operand(x):
            family.case("clamp_min", [operand], operand.values.clamp_min(1), {"number": 1})
            family.case("clamp_max", [operand], operand.values.clamp_max(1), {"number": 1})
        family.case("clamp_min", [special(dtype)], special(dtype).clamp_min(1), {"number": 1})
        family.case("clamp_max", [special(dtype)], special(dtype).clamp_max(1), {"number": 1})
    for dtype in FLOATS + HALVES:
        for scale, shift in [(2.5, -0.75), (1.0, 0.1), (-3.0, 0.0)]:
            if dtype in HALVES:
                continue
            for operand in one_operand(ordinary(dtype)):
                # Fused or not, both are rounded within an ulp of the larger term.
                y = (operand.values.double() * scale + shift).to(dtype)
                family.case("affine", [operand], y, {"scale": scale, "shift": shift}, ulps=4,
                            within=4 * torch.finfo(dtype).eps)
    for dtype in ALL:
        if dtype == torch.bool:
            continue
        for op, numbers in {"pow": [2, 0.5, -1.5, 3, 0], "fmod": [2, -2.5], "remainder": [2, -2.5],
                            "floor_divide": [2, -2.5]}.items():
            x = ordinary(dtype, low=0, high=3, seed=11) if op == "pow" else ordinary(dtype, low=-9, high=9)
            for n in numbers:
                kind = dtype if isinstance(n, int) or dtype.is_floating_point else torch.float32
                number = torch.tensor(n, dtype=kind)
                for operand in one_operand(x) if n == 2 else [Operand(x)] if op == "pow" else [Operand(special(dtype))]:
                    y = two_numbers(op, operand.values, number)
                    family.case(op + "_number", [operand], y, {"number": n}, ulps=ulps_of(op, dtype))


def three(family):
    """where, lerp, addcmul, addcdiv."""
    for dtype in ALL:
        condition = ordinary(torch.bool, seed=20)
        a, b = ordinary(dtype, seed=21), ordinary(dtype, seed=22)
        for one, other in two_operands(a, b):
            shape = torch.broadcast_shapes(one.values.shape, other.values.shape)
            for layout in ["contiguous", "transposed"]:
                mask = condition[: shape[0], : shape[1]] if len(shape) == 2 else condition[0, 1]
                family.case("where", [Operand(mask, layout), one, other], torch.where(mask, one.values, other.values))
        x = edges(dtype)
        family.case("where", [Operand(condition[:4, :1], "stepped"), x, x.flip(0)],
                    torch.where(condition[:4, :1], x, x.flip(0)))
    for one, other in [(torch.float32, torch.int64), (torch.int8, torch.uint8), (torch.bool, torch.bfloat16),
                       (torch.float16, torch.bfloat16), (torch.int32, torch.float64)]:
        condition = ordinary(torch.bool, (3, 4), seed=23)
        a, b = ordinary(one, (3, 4), seed=24), ordinary(other, (3, 4), seed=25)
        family.case("where", [condition, a, b], torch.where(condition, a, b))
    for dtype in INTEGERS:
        for a, b in two_operands(ordinary(dtype, seed=26), ordinary(dtype, seed=27)):
            x, y = torch.broadcast_tensors(a.values, b.values)
            z = ordinary(dtype, tuple(x.shape), seed=28)
            family.case("addcmul", [a, b, z], torch.addcmul(x, y, z, value=2), {"value": 2.0})
    for dtype in FLOATS + HALVES:
        eps = torch.finfo(dtype).eps
        for a, b in two_operands(ordinary(dtype, seed=26), ordinary(dtype, low=1, high=3, seed=27)):
            c = ordinary(dtype, SHAPE, 1, 2, seed=28)
            x, y = torch.broadcast_tensors(a.values, b.values)
            z = c[: x.shape[0], : x.shape[1]] if x.dim() == 2 else c[0, 0]
            xd, yd, zd = x.double(), y.double(), z.double()
            for weight in [0.25, 0.75]:
                family.case("lerp", [a, b], (xd + weight * (yd - xd)).to(dtype), {"weight": weight}, 4, 16 * eps)
            family.case("lerp", [a, b, Operand(z, "transposed")], (xd + zd * (yd - xd)).to(dtype), None, 4, 64 * eps)
            family.case("addcmul", [a, b, z], (xd + 1.5 * yd * zd).to(dtype), {"value": 1.5}, 4, 32 * eps)
            family.case("addcdiv", [a, b, z], (xd + 1.5 * yd / zd).to(dtype), {"value": 1.5}, 4, 32 * eps)


def closeness(family):
    for dtype in ALL:
        a = ordinary(dtype, seed=30, low=-3, high=3)
        b = torch.where(ordinary(torch.bool, seed=31), a, ordinary(dtype, seed=32))
        for one, other in pairs(a, b, dtype):
            family.case("isclose", [one, other], torch.isclose(one.values, other.values))
            if one.values.shape == other.values.shape:
                family.case("equal", [one, other], torch.tensor(torch.equal(one.values, other.values)))
                family.case("equal", [one, Operand(one.values, "stepped")],
                            torch.tensor(torch.equal(one.values, one.values)))
                family.case("allclose", [one, other], torch.tensor(torch.allclose(one.values, other.values)))
        if dtype.is_floating_point:
            x = edges(dtype)
            near = (x.double() * 1.05 + 0.01).to(dtype)
            for options in [{"rtol": 0.1, "atol": 0.0}, {"rtol": 0.0, "atol": 0.05}, {"rtol": 0.1, "atol": 0.1,
                                                                                     "equal_nan": True}]:
                family.case("isclose", [x, near], torch.isclose(x, near, **options), options)
                family.case("allclose", [x, near], torch.tensor(torch.allclose(x, near, **options)), options)


def conversions(family):
    for one in ALL:
        for other in ALL:
            x = special(one) if not one.is_floating_point else torch.cat(
                [ordinary(one, (30,), -90, 90), torch.tensor([0.0, -0.0, 0.5, 1.5, 2.5, -0.5], dtype=one)])
            if one.is_floating_point and not other.is_floating_point and other != torch.bool:
                # Out of range the conversion of C++ says nothing; uint8 holds no negative numbers.
                x = x.abs() if other == torch.uint8 else x
            if one.is_floating_point and other.is_floating_point:
                x = special(one)
            family.case("to", [Operand(x, "stepped")], x.to(other), {"type": name_of(other)})
            y = ordinary(one, low=0, high=90)
            for operand in one_operand(y):
                family.case("to", [operand], operand.values.to(other), {"type": name_of(other)})


def moves(family):
    for dtype in ALL:
        for operand in list(one_operand(ordinary(dtype))) + [Operand(special(dtype)), Operand(special(dtype), "stepped")]:
            for op in ["clone", "contiguous", "detach", "positive"]:
                family.case(op, [operand], operand.values)


def make():
    first, second = Family("unary"), Family("binary")
    unary(first)
    classify(first)
    conversions(first)
    moves(first)
    binary(second)
    binary_of_floats(second)
    integer_functions(second)
    with_number(second)
    three(second)
    closeness(second)
    return [first, second]
