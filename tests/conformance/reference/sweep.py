"""One op over types, layouts and attributes."""

import torch

from .fixture import ALL, Operand
from .operands import one_operand, ordinary

FEW = [torch.float32, torch.int16]


def laid_out(operand):
    """The operand as a PyTorch tensor that lies in memory as the library's does."""
    x, layout = operand.values, operand.layout
    if layout == "transposed":
        back = tuple(reversed(range(x.dim())))
        return x.permute(back).contiguous().permute(back)
    if layout == "stepped":
        if x.dim() == 0:
            base = torch.zeros(2, dtype=x.dtype)
            base[1] = x
            return base[1]
        base = torch.zeros((x.shape[0] + 2, *x.shape[1:], 2), dtype=x.dtype)
        view = base[1 : 1 + x.shape[0], ..., 1]
        view.copy_(x)
        return view
    if layout == "broadcast":
        return x[:1].clone().expand(x.shape)
    if layout == "broadcast_last":
        return x[..., :1].clone().expand(x.shape)
    return x.clone()


def sweep(family, op, variants, function, shape=(5, 9), types=ALL, values=None, low=-3, high=3, few=FEW, **tolerance):
    """Every type and layout with the first of `variants` (attributes), `few` types with the others. What PyTorch does
    not take (a dimension that a smaller operand lacks) is left out: the suite's test of coverage sees to the rest."""
    for dtype in types:
        x = values(dtype) if values else ordinary(dtype, shape, low, high, op)
        for number, attributes in enumerate(variants):
            if number > 0 and dtype not in few:
                continue
            for operand in one_operand(x):
                try:
                    expected = function(operand.values, **attributes)
                except (IndexError, RuntimeError, ValueError):
                    continue
                if isinstance(expected, torch.Tensor):
                    expected = [expected]
                limits = tolerance.get("limits")
                family.case(op, [operand], [y.contiguous() for y in expected], attributes,
                            **(limits(operand.values, dtype, **attributes) if limits else {}))
