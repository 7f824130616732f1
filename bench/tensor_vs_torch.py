#!/usr/bin/env python3
"""Compares the speed of tensor operations, one thread, with PyTorch, plain C loops and raw cblas_sgemm.

    bench/tensor_vs_torch.py [--torch-python PYTHON]... [--rounds 5] [--only SUBSTRING] [--results FILE]

Builds build/release/bench/tensor_speed (the same cases in C++), then runs it and each torch in turn, `--rounds` times,
and quotes the medians over the rounds with their extremes. Plain loops and cblas_sgemm run within tensor_speed, in turn
with the operation that they are compared with. The table goes to standard output and to this benchmark's section of
RESULTS.md; a bar that is missed says so.

Needs only the standard library here, and torch in the interpreters named by --torch-python. OPENBLAS_CORETYPE and
OPENBLAS_L2_SIZE are unset for all, and every library is held to one thread.
"""

import re

import side_by_side

LAYERS = [  # name, batch, in, out, kernel, stride, padding, size; as in tensor_speed.cpp
    ("lenet 1", 64, 1, 10, 5, 1, 0, 28),
    ("lenet 2", 64, 10, 20, 5, 1, 0, 12),
    ("64 to 64, 3 x 3 at 32", 16, 64, 64, 3, 1, 1, 32),
    ("resnet18 stem 7 x 7 / 2", 4, 3, 64, 7, 2, 3, 224),
    ("resnet18 64 at 56", 4, 64, 64, 3, 1, 1, 56),
    ("resnet18 64 to 128 / 2", 4, 64, 128, 3, 2, 1, 56),
    ("resnet18 shortcut 64 to 128 / 2", 4, 64, 128, 1, 2, 0, 56),
    ("resnet18 128 at 28", 4, 128, 128, 3, 1, 1, 28),
    ("resnet18 128 to 256 / 2", 4, 128, 256, 3, 2, 1, 28),
    ("resnet18 256 at 14", 4, 256, 256, 3, 1, 1, 14),
    ("resnet18 256 to 512 / 2", 4, 256, 512, 3, 2, 1, 14),
    ("resnet18 512 at 7", 4, 512, 512, 3, 1, 1, 7),
]
PRODUCTS = [(1024, 1024, 1024), (512, 512, 512), (256, 256, 256), (128, 128, 128), (64, 128, 784), (64, 10, 128),
            (32, 32, 32), (16, 16, 16), (4, 16, 2), (1, 128, 784)]


def torch_cases():
    """Name and a function that makes the call to be timed: the cases of tensor_speed.cpp, in torch."""
    import torch
    import torch.nn.functional as functional

    def random(*shape):
        return torch.rand(*shape) * 2 - 1

    def binary(n, op):
        a, b = random(n), random(n)
        return lambda: op(a, b)

    def unary(shape, op):
        x = random(*shape)
        return lambda: op(x)

    def recorded():
        a, b = random(16).requires_grad_(), random(16)
        return lambda: a + b

    yield "dispatch: a + b on 16 floats", lambda: binary(16, torch.add)
    yield "dispatch: a + b on 16 floats, recorded", recorded
    for label, n in (("1 M", 1 << 20), ("64 M", 64 << 20)):
        yield f"add {label}", lambda n=n: binary(n, torch.add)
        yield f"mul {label}", lambda n=n: binary(n, torch.mul)
        yield f"relu {label}", lambda n=n: unary((n,), torch.relu)
        yield f"x * 1.5 {label}", lambda n=n: unary((n,), lambda x: x * 1.5)
    for name, op in (("exp", torch.exp), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid), ("gelu", functional.gelu),
                     ("log", torch.log), ("sin", torch.sin), ("to bfloat16", lambda x: x.to(torch.bfloat16))):
        yield f"{name} 1 M", lambda op=op: unary((1 << 20,), op)
    for dim, where in ((1, "last dimension"), (0, "first dimension")):
        for name, op in (("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax)):
            yield f"{name} over the {where} of 1000 x 1000", lambda op=op, dim=dim: unary(
                (1000, 1000), lambda x: op(x, dim=dim))
    for name, op in (("sum of all", torch.sum), ("softmax", lambda x: torch.softmax(x, 1)),
                     ("log_softmax", lambda x: torch.log_softmax(x, 1))):
        yield f"{name} of 1000 x 1000", lambda op=op: unary((1000, 1000), op)

    def product(m, n, k):
        a, b = random(m, k), random(k, n)
        return lambda: torch.matmul(a, b)

    for m, n, k in PRODUCTS:
        yield f"matmul {m} x {n} x {k}", lambda m=m, n=n, k=k: product(m, n, k)

    def convolution(layer, backward):
        _, batch, channels, out, kernel, stride, padding, size = layer
        x, weight = random(batch, channels, size, size), random(out, channels, kernel, kernel)
        if not backward:
            return lambda: functional.conv2d(x, weight, None, stride, padding)
        x.requires_grad_(channels > 3)
        weight.requires_grad_()
        gradient = torch.rand_like(functional.conv2d(x, weight, None, stride, padding))

        def step():
            functional.conv2d(x, weight, None, stride, padding).backward(gradient)
            x.grad = weight.grad = None

        return step

    for layer in LAYERS:
        for backward, suffix in ((False, "forward"), (True, "forward and backward")):
            yield f"conv2d {layer[0]}, {suffix}", lambda l=layer, b=backward: convolution(l, b)


# What the project wants of a case: against whom, and how many times as fast. "other" stands behind " / ".
def bars(name):
    if name == "dispatch: a + b on 16 floats":
        return [("60 ns", None)]
    if re.match(r"(add|mul|relu|x \* 1.5) (1|64) M$", name):
        return [("plain loop", 0.95)]
    if re.match(r"(exp|tanh|sigmoid|gelu) 1 M$", name) or name == "softmax of 1000 x 1000":
        return [("torch 1.13", 2.0)]
    if re.match(r"(sum|mean|amax) over", name):
        return [("every torch", 1.0)]
    if name.startswith("add 1024"):
        return [("contiguous", 1 / 1.5)]
    if name.startswith("matmul"):
        m, n, k = (int(x) for x in name.split()[1::2])
        return [("cblas_sgemm", 0.97)] if min(m, n, k) >= 128 and m == n else [("every torch", 1.0)]
    if name.startswith("conv2d lenet"):
        return [("torch 1.13", 2.0)]
    if name.startswith("conv2d"):
        return [("every torch", 1.0)]
    return []


if __name__ == "__main__":
    side_by_side.main(
        script=__file__, description=__doc__.split("\n")[0], program="tensor_speed",
        title="Tensor operations: feral, PyTorch, plain loops, OpenBLAS", torch_cases=torch_cases, bars=bars,
        with_gradients=lambda name: "recorded" in name or "backward" in name,
        beside=("plain loop", "contiguous", "cblas_sgemm"))
