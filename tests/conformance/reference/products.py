"""Products and linear algebra."""

import itertools

import numpy as np
import torch

from .fixture import ALL, FLOATS, HALVES, INTEGERS, Family, Operand
from .functions import computed_in
from .operands import column, ordinary, row, two_operands
from .reductions import epsilon

NUMBERS = FLOATS + HALVES + INTEGERS


def product(a, b, function):
    """In float64 and rounded, or exactly."""
    dtype = a.dtype
    if dtype.is_floating_point:
        return function(a.double(), b.double()).to(computed_in(dtype)).to(dtype)
    return function(a, b)


def limits(a, b, length):
    if not a.dtype.is_floating_point:
        return {}
    return {"ulps": 1 if a.dtype in HALVES else 4, "within": max(1, length) * 9 * epsilon(a)}


def layouts(a, b):
    """A product's operands in all layouts."""
    pairs = [("contiguous", "contiguous"), ("transposed", "contiguous"), ("contiguous", "transposed"),
             ("transposed", "transposed"), ("stepped", "contiguous"), ("contiguous", "stepped"), ("stepped", "stepped")]
    for one, other in pairs:
        if (a.dim() or one == "contiguous") and (b.dim() or other == "contiguous"):
            yield Operand(a, one), Operand(b, other)
    if a.dim() == 0 or b.dim() == 0:
        return
    yield Operand(row(a), "broadcast"), Operand(b)
    yield Operand(a), Operand(column(b), "broadcast_last")
    yield Operand(column(a), "broadcast_last"), Operand(row(b), "broadcast")


def products(family):
    shapes = {"matmul": [((4, 7), (7, 5)), ((7,), (7, 5)), ((4, 7), (7,)), ((7,), (7,)), ((3, 4, 7), (7, 5)),
                         ((2, 1, 4, 3), (5, 3, 2)), ((4, 3), (2, 3, 5)), ((2, 4, 3), (3,)), ((3,), (2, 3, 4)),
                         ((4, 0), (0, 5)), ((0, 3), (3, 2)), ((0, 2, 3), (3, 4)), ((1, 1), (1, 1)), ((17, 19), (19, 23))],
              "mm": [((4, 7), (7, 5)), ((4, 0), (0, 5)), ((1, 9), (9, 1))],
              "bmm": [((3, 4, 6), (3, 6, 2)), ((0, 4, 6), (0, 6, 2)), ((3, 4, 0), (3, 0, 2))],
              "mv": [((4, 7), (7,)), ((0, 7), (7,)), ((4, 0), (0,))],
              "dot": [((9,), (9,)), ((0,), (0,)), ((1,), (1,))],
              "outer": [((4,), (7,)), ((0,), (3,)), ((3,), (1,))],
              "kron": [((2, 3), (3, 2)), ((4,), (3,)), ((2, 3), (2,)), ((0, 2), (2, 3)), ((), (2, 3)), ((2, 1, 2), (3, 2))]}
    for op, pairs in shapes.items():
        for dtype in NUMBERS:
            for first, second in pairs:
                if first == (17, 19) and dtype not in FLOATS:
                    continue
                a, b = ordinary(dtype, first, seed=60), ordinary(dtype, second, seed=61)
                for one, other in layouts(a, b):
                    if a.numel() * b.numel() == 0 and one.layout.startswith("broadcast"):
                        continue
                    y = product(one.values, other.values, getattr(torch, op))
                    length = 1 if op in ("outer", "kron") else first[-1]
                    family.case(op, [one, other], y.contiguous(), None, **(
                        {"any_zero": True} if dtype.is_floating_point else {}), **(
                        limits(a, b, length) if op not in ("outer", "kron") else {}))
    for dtype in FLOATS:  # NaN and infinities reach the elements that they belong to
        a, b = ordinary(dtype, (4, 6), seed=62), ordinary(dtype, (6, 5), seed=63)
        a[1, 2], a[2, 3], b[4, 1] = float("nan"), float("inf"), float("-inf")
        family.case("matmul", [a, b], torch.matmul(a.double(), b.double()).to(dtype), **limits(a, b, 6))
    for dtype in NUMBERS:
        for shape in [(4, 4), (3, 5), (5, 2), (0, 3)]:
            x = ordinary(dtype, shape, seed=64)
            for operand in [Operand(x), Operand(x, "transposed"), Operand(x, "stepped")] + ([
                    Operand(row(x), "broadcast"), Operand(column(x), "broadcast_last")] if x.numel() else []):
                values = operand.values
                y = torch.trace(values.double()).to(dtype) if dtype.is_floating_point else torch.diagonal(values).sum()
                family.case("trace", [operand], y, None, **limits(values, values, 5))
    for dtype in FLOATS + HALVES:
        for shape in [(4, 7), (2, 3, 7), (7,), (0, 7)]:
            x, weight, bias = ordinary(dtype, shape, seed=65), ordinary(dtype, (5, 7), seed=66), ordinary(dtype, (5,), seed=67)
            call = lambda x, w, b=None: torch.nn.functional.linear(x.double(), w.double(), None if b is None else
                                                                   b.double()).to(computed_in(dtype)).to(dtype)
            for one, other in layouts(x, weight):
                if x.numel() == 0 and one.layout.startswith("broadcast"):
                    continue
                family.case("linear", [one, other, Operand(bias, "stepped")], call(one.values, other.values, bias), None,
                            **limits(x, weight, 8))
                family.case("linear", [one, other], call(one.values, other.values), None, **limits(x, weight, 8))


def einsums(family):
    cases = [("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk", (3, 4), (4, 5)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 3)),
             ("ij->ji", (3, 4)), ("ij->", (3, 4)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("i,j->ij", (3,), (4,)),
             ("...ij,...jk->...ik", (2, 3, 4), (4, 5)), ("bij,kj->bki", (2, 3, 4), (5, 4)), ("i,i->", (5,), (5,)),
             ("ab,bc,cd->ad", (2, 3), (3, 4), (4, 2)), ("ba", (3, 4)), ("ij,ij->i", (3, 4), (3, 4)),
             ("...a->a...", (2, 3, 4)), ("ij,jk->ik", (3, 0), (0, 2)), ("i...,i...->...", (3, 2), (3, 1)),
             ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), ("iij->j", (3, 3, 2))]
    for dtype in FLOATS + HALVES + INTEGERS:
        for equation, *shapes in cases:
            values = [ordinary(dtype, shape, seed=70 + i) for i, shape in enumerate(shapes)]
            for layout in ["contiguous", "transposed", "stepped"]:
                operands = [Operand(x, layout) for x in values]
                check_einsum(family, equation, operands, dtype)
            if all(x.numel() for x in values) and "ii" not in equation:
                check_einsum(family, equation, [Operand(row(values[0]), "broadcast")] + [
                    Operand(column(x), "broadcast_last") for x in values[1:]], dtype)
    for dtype in FLOATS + HALVES + INTEGERS:
        for a, b, options in [((3, 4, 5), (4, 5, 2), {"count": 2}), ((3, 4), (4, 2), {"count": 1}),
                              ((2, 3), (2,), {"count": 0}), ((3, 4, 5), (5, 2, 3), {"dims_a": [0, 2], "dims_b": [2, 0]}),
                              ((3, 4), (5, 3), {"dims_a": [-2], "dims_b": [-1]}), ((0, 3), (3, 2), {"count": 1})]:
            x, y = ordinary(dtype, a, seed=73), ordinary(dtype, b, seed=74)
            for one, other in layouts(x, y):
                if x.numel() == 0 and one.layout.startswith("broadcast"):
                    continue
                dims = options["count"] if "count" in options else (options["dims_a"], options["dims_b"])
                kind = torch.float64 if dtype.is_floating_point else torch.int64
                z = torch.tensordot(one.values.to(kind), other.values.to(kind), dims)
                family.case("tensordot", [one, other], product_type(z, dtype), options, any_zero=True,
                            **limits(x, y, 20))


def product_type(z, dtype):
    return z.to(computed_in(dtype)).to(dtype) if dtype.is_floating_point else z.to(dtype)


def check_einsum(family, equation, operands, dtype):
    kind = torch.float64 if dtype.is_floating_point else torch.int64
    y = torch.einsum(equation, *[x.values.to(kind) for x in operands])
    tolerance = limits(operands[0].values, None, 60)
    if dtype in HALVES and len(operands) > 2:  # each pair's product is rounded to 16 bits
        tolerance["within"] = 30 * torch.finfo(dtype).eps
    # A sum of one operand is sum(): int64 of integers.
    summed = len(operands) == 1 and equation in ("ij->", "ii", "iij->j") and not dtype.is_floating_point
    family.case("einsum", operands, y if summed else product_type(y, dtype).contiguous(), {"equation": equation}, any_zero=True,
                **tolerance)


# --- linear algebra: factors are not unique, so what is compared is what they satisfy


def matrix(dtype, shape, seed):
    return ordinary(dtype, shape, -2, 2, seed)


def regular(dtype, shape, seed):
    """Square matrices far from singular."""
    return matrix(dtype, shape, seed) + 4 * torch.eye(shape[-1], dtype=dtype)


def positive_definite(dtype, shape, seed):
    a = matrix(dtype, shape, seed).double()
    # Few bits, so that the products and the sums are exact.
    return (a @ a.mT).add(3 * torch.eye(shape[-1], dtype=torch.float64)).to(dtype)


def matrix_layouts(x):
    yield Operand(x)
    yield Operand(x, "transposed")
    yield Operand(x, "stepped")


def linear_algebra(family):
    for dtype in FLOATS:
        eps = torch.finfo(dtype).eps
        close = {"within": 400 * eps}
        squares = [(3, 3), (5, 5), (1, 1), (2, 4, 4), (2, 1, 3, 3), (0, 0), (0, 3, 3), (2, 0, 0)]
        for shape in squares:
            n = shape[-1]
            eye = torch.eye(n, dtype=dtype).expand(shape).contiguous()
            for a in matrix_layouts(regular(dtype, shape, 80)):
                values = a.values.double()
                family.case("inv", [a], torch.linalg.inv(values).to(dtype), **close)
                family.case("det", [a], torch.linalg.det(values).to(dtype), ulps=256, **close)
                sign, log = torch.linalg.slogdet(values)
                family.case("slogdet", [a], [sign.to(dtype), log.to(dtype)], **close)
                for right in [shape[:-1] + (2,), shape[:-1]]:
                    b = matrix(dtype, right, 81)
                    if len(right) == len(shape) - 1 and len(right) > 1:
                        y = torch.linalg.solve(values, b.double()[..., None])[..., 0]
                    else:
                        y = torch.linalg.solve(values, b.double())
                    family.case("solve", [a, Operand(b, "transposed" if b.dim() > 1 else "stepped")], y.to(dtype),
                                **close)
                if n:
                    b = matrix(dtype, (n, 2), 82)
                    family.case("solve", [a, Operand(row(b), "broadcast")],
                                torch.linalg.solve(values, row(b).double()).to(dtype), **close)
            for a in matrix_layouts(positive_definite(dtype, shape, 83)):
                family.case("cholesky", [a], torch.linalg.cholesky(a.values.double()).to(dtype), **close)
                # eigenvalues; vectors × diag(values) × vectorsᵀ; vectorsᵀ × vectors
                family.case("eigh", [a], [torch.linalg.eigvalsh(a.values.double()).to(dtype), a.values, eye],
                            within=4000 * eps)
        broken = torch.eye(3, dtype=dtype)[None].repeat(2, 1, 1)
        broken[1, 2, 2] = 0
        family.case("det", [broken], torch.linalg.det(broken))
        family.case("slogdet", [broken], list(torch.linalg.slogdet(broken)))
        for shape in [(4, 3), (3, 5), (4, 4), (2, 5, 2), (1, 6), (6, 1), (0, 3), (3, 0), (0, 2, 3)]:
            m, n = shape[-2:]
            k = min(m, n)
            batch = shape[:-2]
            eye = torch.eye(k, dtype=dtype).expand(*batch, k, k).contiguous()
            operands = list(matrix_layouts(matrix(dtype, shape, 84)))
            if k > 1 and not batch:
                operands.append(Operand(row(matrix(dtype, shape, 85)), "broadcast"))  # of rank 1
            for a in operands:
                # q × r; qᵀ × q; what of r lies below the diagonal
                family.case("qr", [a], [a.values, eye, torch.zeros(*batch, k, n, dtype=dtype)], any_zero=True, **close)
                # u × diag(s) × vh; s; uᵀ × u; vh × vhᵀ
                family.case("svd", [a], [a.values, torch.linalg.svdvals(a.values.double()).to(dtype) if a.values.numel()
                                         else torch.zeros(*batch, k, dtype=dtype), eye, eye], any_zero=True, **close)
                rank_one = a.layout == "broadcast"
                inverse = torch.linalg.pinv(a.values.double(), rtol=1e-6 if rank_one else None)
                family.case("pinv", [a], inverse.to(dtype), any_zero=True, **close)
                b = matrix(dtype, shape[:-1] + (2,), 86)
                if a.values.numel():
                    family.case("lstsq", [a, b], (inverse @ b.double()).to(dtype), **close)
                    if not batch:
                        family.case("lstsq", [a, Operand(b[:, 0], "stepped")], (inverse @ b[:, 0].double()).to(dtype),
                                    **close)
                else:
                    family.case("lstsq", [a, b], torch.zeros(*batch, n, 2, dtype=dtype))
        for op, function, make in [("inv", torch.linalg.inv, regular), ("det", torch.linalg.det, regular),
                                   ("cholesky", torch.linalg.cholesky, positive_definite)]:
            base = make(dtype, (3, 3), 87)
            a = base.expand(2, 3, 3).contiguous()
            family.case(op, [Operand(a, "broadcast")], function(a.double()).to(dtype), ulps=256, **close)
        a = regular(dtype, (3, 3), 87).expand(2, 3, 3).contiguous()
        sign, log = torch.linalg.slogdet(a.double())
        family.case("slogdet", [Operand(a, "broadcast")], [sign.to(dtype), log.to(dtype)], **close)
        a = positive_definite(dtype, (3, 3), 88).expand(2, 3, 3).contiguous()
        eye = torch.eye(3, dtype=dtype).expand(2, 3, 3).contiguous()
        family.case("eigh", [Operand(a, "broadcast")], [torch.linalg.eigvalsh(a.double()).to(dtype), a, eye],
                    within=4000 * eps)
        b = matrix(dtype, (2, 3), 89)
        a = regular(dtype, (3, 3), 87)
        # Batches broadcast.
        c = matrix(dtype, (2, 3, 2), 90)
        family.case("solve", [a, c], torch.linalg.solve(a.double(), c.double()).to(dtype), **close)


def make():
    first, second = Family("products"), Family("linalg")
    products(first)
    einsums(first)
    linear_algebra(second)
    return [first, second]
