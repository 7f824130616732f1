"""Values and layouts of operands."""

import numpy as np
import torch

from .fixture import Operand

SHAPE = (5, 9)


def seed_of(*parts):
    value = 17
    for part in str(parts):
        value = (value * 131 + ord(part)) % (2**31 - 1)
    return value


def ordinary(dtype, shape=SHAPE, low=-3.0, high=3.0, seed=0):
    """Numbers in [low, high]; of integers such as lie there."""
    random = np.random.RandomState(seed_of(shape, low, high, seed))
    if dtype == torch.bool:
        return torch.from_numpy(random.randint(0, 2, size=shape).astype(bool))
    if dtype.is_floating_point:
        x = torch.from_numpy(np.asarray(random.uniform(low, high, size=shape)))
        # Few digits compress well and float64 cases share their values with float32's.
        return torch.round(x * 64).div(64).to(dtype) if high - low > 1 else x.float().to(dtype)
    info = torch.iinfo(dtype)
    low, high = max(int(np.floor(low)), info.min), min(int(np.ceil(high)), info.max)
    return torch.from_numpy(np.asarray(random.randint(low, high, size=shape, endpoint=True)
                                       if hasattr(random, "endpoint") else random.randint(low, high + 1, size=shape))
                            ).to(dtype)


def special(dtype):
    """The numbers at the edges of a type."""
    if dtype == torch.bool:
        return torch.tensor([False, True])
    if not dtype.is_floating_point:
        info = torch.iinfo(dtype)
        values = [0, 1, 2, 3, 7, 10, 100, info.max, info.max - 1, info.max // 2, info.max // 2 + 1]
        if info.min < 0:
            values += [-1, -2, -3, -7, -100, info.min, info.min + 1, info.min // 2]
        return torch.tensor(values, dtype=dtype)
    info = torch.finfo(dtype)
    tiny = info.smallest_normal
    least = float(torch.nextafter(torch.zeros((), dtype=torch.float32 if dtype.itemsize == 2 else dtype),
                                  torch.ones((), dtype=torch.float32 if dtype.itemsize == 2 else dtype)))
    if dtype == torch.float16:
        least = 2.0**-24
    if dtype == torch.bfloat16:
        least = 2.0**-133
    magnitudes = [0.0, 1.0, 0.5, 2.0, 1.5, 2.5, 3.0, 10.0, 1e-3, 100.5, 1 - info.eps / 2, 1 + info.eps, info.eps / 4,
                  1e-30, 1e10, 88.75, 104.5, 745.5, 6e4, info.max, info.max / 4, tiny, tiny / 8, least,
                  float("inf")]
    values = [sign * m for m in magnitudes for sign in (1.0, -1.0)] + [float("nan")]
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def edges(dtype):
    """A short list of special numbers, for pairs."""
    if dtype == torch.bool:
        return torch.tensor([False, True])
    if not dtype.is_floating_point:
        info = torch.iinfo(dtype)
        return torch.tensor([0, 1, 2, 3, 7, info.max, info.max - 1]
                            + ([-1, -2, -7, info.min, info.min + 1] if info.min < 0 else [128, 200]), dtype=dtype)
    info = torch.finfo(dtype)
    inf = float("inf")
    return torch.tensor([0.0, -0.0, 1.0, -1.0, 2.5, -3.0, 0.1, info.max, -info.max, info.smallest_normal / 4,
                         -info.smallest_normal, inf, -inf, float("nan")], dtype=torch.float64).to(dtype)


def row(x):
    """x with all rows like its first: what a broadcast layout can hold."""
    return x[:1].expand(x.shape).contiguous()


def column(x):
    return x[..., :1].expand(x.shape).contiguous()


def one_operand(x):
    """The same values in all layouts, and what else x can be: broadcast, empty, 0-dimensional."""
    yield Operand(x)
    yield Operand(x, "transposed")
    yield Operand(x, "stepped")
    yield Operand(row(x), "broadcast")
    yield Operand(column(x), "broadcast_last")
    yield Operand(x[:0])
    yield Operand(x[..., 0:0], "transposed")
    yield Operand(x.flatten()[3])
    yield Operand(x.flatten()[4], "stepped")


def two_operands(a, b):
    """Pairs of layouts; a and b of one 2-dimensional shape."""
    yield Operand(a), Operand(b)
    yield Operand(a, "transposed"), Operand(b)
    yield Operand(a), Operand(b, "stepped")
    yield Operand(a, "transposed"), Operand(b, "transposed")
    yield Operand(a, "stepped"), Operand(b, "transposed")
    yield Operand(row(a), "broadcast"), Operand(b)
    yield Operand(a), Operand(column(b), "broadcast_last")
    yield Operand(column(a), "broadcast_last"), Operand(row(b), "broadcast")
    yield Operand(a), Operand(b[2])  # [5, 9] with [9]
    yield Operand(a[:, 3:4]), Operand(b[1:2])  # [5, 1] with [1, 9]
    yield Operand(a[1, 1]), Operand(b)  # 0-dimensional with [5, 9]
    yield Operand(a, "transposed"), Operand(b[2, 2], "stepped")
    yield Operand(a[0, 4]), Operand(b[1, 3])
    yield Operand(a[:0]), Operand(b[:0])
    yield Operand(a[:, 0:0], "transposed"), Operand(b[:, 2:3])
