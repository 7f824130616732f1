"""Elementwise functions of real numbers: mpmath where an argument is an ordinary number, PyTorch's float64 kernels for
NaN, infinities, poles and the sign of a zero."""

import math

import mpmath
import numpy as np
import torch
import torch.nn.functional as F

mp = mpmath.mp
mp.prec = 160


def _wide(function):
    """For functions whose argument is reduced by a multiple of pi: as many bits as the largest double needs."""

    def call(*arguments):
        with mpmath.workprec(1300):
            return function(*arguments)

    return call


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def _softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def _lgamma(x):
    if x > 0:
        return mp.loggamma(x)
    # Reflection: log(pi / |sin(pi x)|) - lgamma(1 - x)
    with mpmath.workprec(1300):
        return mp.log(mp.pi / abs(mp.sinpi(x))) - mp.loggamma(1 - x)


def _digamma(x):
    return mp.digamma(x) if x > -1000 else None


def _erfinv(x):
    return mp.erfinv(x) if abs(x) < 1 else None


def _erfc(x):
    return mp.erfc(x) if abs(x) < 50 else None  # 2, or far below the least double


def _gelu(x):
    return x * mp.erfc(-x / mp.sqrt(2)) / 2 if abs(x) < 50 else None


def _gelu_tanh(x):
    inner = mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)
    return x * _sigmoid(2 * inner)  # (1 + tanh(y)) / 2


def _elu(alpha):
    return lambda x: x if x > 0 else alpha * mp.expm1(x)


# name -> (mpmath's, PyTorch's). mpmath's may answer None: ask PyTorch.
UNARY = {
    "exp": (mp.exp, torch.exp),
    "exp2": (lambda x: mp.mpf(2) ** x, torch.exp2),
    "expm1": (mp.expm1, torch.expm1),
    "log": (mp.log, torch.log),
    "log2": (lambda x: mp.log(x) / mp.log(2), torch.log2),
    "log10": (mp.log10, torch.log10),
    "log1p": (mp.log1p, torch.log1p),
    "sqrt": (mp.sqrt, torch.sqrt),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), torch.rsqrt),
    "reciprocal": (lambda x: 1 / x, torch.reciprocal),
    "square": (lambda x: x * x, torch.square),
    "sin": (_wide(mp.sin), torch.sin),
    "cos": (_wide(mp.cos), torch.cos),
    "tan": (_wide(mp.tan), torch.tan),
    "asin": (mp.asin, torch.asin),
    "acos": (mp.acos, torch.acos),
    "atan": (mp.atan, torch.atan),
    "sinh": (mp.sinh, torch.sinh),
    "cosh": (mp.cosh, torch.cosh),
    "tanh": (mp.tanh, torch.tanh),
    "asinh": (mp.asinh, torch.asinh),
    "acosh": (mp.acosh, torch.acosh),
    "atanh": (mp.atanh, torch.atanh),
    "sigmoid": (_sigmoid, torch.sigmoid),
    "softplus": (_softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    "erf": (lambda x: mp.erf(x) if abs(x) < 50 else None, torch.erf),
    "erfc": (_erfc, torch.erfc),
    "erfinv": (_erfinv, torch.erfinv),
    "lgamma": (_lgamma, torch.lgamma),
    "digamma": (_digamma, torch.digamma),
    "logit": (lambda x: mp.log(x / (1 - x)), torch.logit),
    "logsigmoid": (lambda x: -_softplus(-x), F.logsigmoid),
    "sinc": (lambda x: mp.sinpi(x) / (mp.pi * x), torch.sinc),
    "gelu": (_gelu, F.gelu),
    "gelu_tanh": (_gelu_tanh, lambda x: F.gelu(x, approximate="tanh")),
    "silu": (lambda x: x * _sigmoid(x), F.silu),
    "mish": (lambda x: x * mp.tanh(_softplus(x)), F.mish),
    "elu": (_elu(1), F.elu),
    "elu_0.5": (_elu(mp.mpf(0.5)), lambda x: F.elu(x, 0.5)),
    "leaky_relu": (None, F.leaky_relu),
    "leaky_relu_0.25": (None, lambda x: F.leaky_relu(x, 0.25)),
    "hardtanh": (None, F.hardtanh),
    "hardtanh_-2_0.5": (None, lambda x: F.hardtanh(x, -2, 0.5)),
    "frac": (None, torch.frac),
    "deg2rad": (lambda x: x * mp.pi / 180, torch.deg2rad),
    "rad2deg": (lambda x: x * 180 / mp.pi, torch.rad2deg),
    "abs": (None, torch.abs),
    # PyTorch's sign of a NaN is 0, NumPy's is NaN: ours is NumPy's.
    "sign": (None, lambda x: torch.where(x.isnan(), x, torch.sign(x))),
    "floor": (None, torch.floor),
    "ceil": (None, torch.ceil),
    "trunc": (None, torch.trunc),
    "round": (None, torch.round),
    "relu": (None, torch.relu),
    "neg": (None, torch.neg),
}


def _logaddexp(a, b):
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


def _logaddexp2(a, b):
    return max(a, b) + mp.log1p(mp.mpf(2) ** -abs(a - b)) / mp.log(2)


def _pow(a, b):
    if a < 0 and b != mp.floor(b):
        return None
    if abs(b) * (abs(mp.log(abs(a))) + 1) > 2000:
        return None  # overflows or vanishes
    return mp.power(a, int(b)) if b == mp.floor(b) and abs(b) < 2000 else mp.power(a, b)


def _fmod(a, b):
    """The C library's: PyTorch's vectorized float64 kernel answers NaN for 1.8e308 by 0.1."""
    with np.errstate(all="ignore"):
        return torch.from_numpy(np.asarray(np.fmod(a.numpy(), b.numpy())))


def _remainder(a, b):
    mod = _fmod(a, b)
    return torch.where((mod != 0) & ((b < 0) != (mod < 0)), mod + b, mod)


BINARY = {
    "pow": (_pow, torch.pow),
    "atan2": (lambda a, b: mp.atan2(a, b), torch.atan2),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), torch.hypot),
    "fmod": (None, _fmod),
    "remainder": (None, _remainder),
    "logaddexp": (_logaddexp, torch.logaddexp),
    "logaddexp2": (_logaddexp2, torch.logaddexp2),
    "xlogy": (lambda a, b: a * mp.log(b), torch.xlogy),
    "copysign": (None, torch.copysign),
    "floor_divide": (None, torch.floor_divide),
}


def _to_double(value):
    """Rounded to the nearest double, infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def exact(function, *operands):
    """`function`, a pair as in the tables above, of float64 tensors of one shape, rounded once."""
    precise, fallback = function
    result = fallback(*operands).clone()
    if precise is None:
        return result
    flat = result.reshape(-1)
    columns = [x.reshape(-1).tolist() for x in operands]
    for i, numbers in enumerate(zip(*columns)):
        if any(not math.isfinite(x) or x == 0 for x in numbers):
            continue
        try:
            value = precise(*[mp.mpf(x) for x in numbers])
        except (ZeroDivisionError, ValueError, OverflowError):  # a pole
            continue
        if value is None or isinstance(value, mpmath.mpc):
            continue
        if flat[i].item() == 0 and value == 0:
            continue
        flat[i] = _to_double(value)
    return result


def computed_in(dtype):
    """The type that a function of floats is computed in."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def in_float(function, *operands):
    """As the library documents it: 16-bit floats and integers are computed in float32, which stays integers' type."""
    dtype = operands[0].dtype
    for x in operands[1:]:
        dtype = torch.promote_types(dtype, x.dtype)
    kind = computed_in(dtype)
    broadcast = torch.broadcast_tensors(*operands) if len(operands) > 1 else operands
    doubles = [x.to(dtype).to(kind).to(torch.float64) for x in broadcast]
    result = exact(function, *doubles).to(kind)
    return result.to(dtype) if dtype.is_floating_point else result
