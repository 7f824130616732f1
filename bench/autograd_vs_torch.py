#!/usr/bin/env python3
"""Compares the speed of training steps, one thread, with PyTorch: recording, small networks, optimizers, sparse rows.

    bench/autograd_vs_torch.py [--torch-python PYTHON]... [--rounds 5] [--only SUBSTRING] [--results FILE]

Builds build/release/bench/autograd_speed (the same cases in C++), then runs it and each torch in turn, `--rounds` times,
and quotes the medians over the rounds with their extremes. The table goes to standard output and to this benchmark's
section of RESULTS.md; a bar that is missed says so.

Needs only the standard library here, and torch in the interpreters named by --torch-python. OPENBLAS_CORETYPE and
OPENBLAS_L2_SIZE are unset for all, and every library is held to one thread.
"""

import side_by_side

LENET_SHAPES = [(10, 1, 5, 5), (10,), (20, 10, 5, 5), (20,), (50, 320), (50,), (10, 50), (10,)]


def torch_cases():
    """Name and a function that makes the call to be timed: the cases of autograd_speed.cpp, in torch."""
    import torch
    from torch import nn

    def random(*shape):
        return torch.rand(*shape) * 2 - 1

    def recorded(op):
        a, b = random(16).requires_grad_(), random(16)
        return lambda: op(a, b)

    def perceptron():
        model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        x, y = random(4, 4), random(4, 2)

        def step():
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        return step

    def update(make):
        parameters = [random(*shape).requires_grad_() for shape in LENET_SHAPES]
        for parameter in parameters:
            parameter.grad = torch.rand_like(parameter)
        return make(parameters).step

    def forward_and_backward(module, x):
        x.requires_grad_()
        output = module(x)
        output = output[0] if isinstance(output, tuple) else output
        gradient = torch.rand_like(output)

        def step():
            result = module(x)
            (result[0] if isinstance(result, tuple) else result).backward(gradient)
            for parameter in module.parameters():
                parameter.grad = None
            x.grad = None

        return step

    def transformer():
        layer = nn.TransformerEncoderLayer(128, 8, 512, dropout=0.0, batch_first=True)
        return forward_and_backward(layer, random(8, 64, 128))

    def embedding_step(make, sparse=True):
        table = nn.Embedding(100_000, 64, sparse=sparse)
        optimizer = make(table.parameters())
        words = torch.randint(0, 100_000, (256, 8))
        gradient = torch.rand(256, 8, 64)

        def step():
            table(words).backward(gradient)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        return step

    yield "op recorded: a + b on 16 floats", lambda: recorded(torch.add)
    yield "op recorded: a * b on 16 floats", lambda: recorded(torch.mul)
    yield "mlp 4-16-2 step at batch 4", perceptron
    yield "sgd with momentum, lenet's 21,840 parameters", lambda: update(
        lambda p: torch.optim.SGD(p, lr=1e-6, momentum=0.9))
    for name, rule in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("adagrad", torch.optim.Adagrad),
                       ("rmsprop", torch.optim.RMSprop)):
        yield f"{name}, lenet's 21,840 parameters", lambda r=rule: update(lambda p: r(p, lr=1e-6))
    yield "lstm 128 to 256, batch 16, 32 steps, forward and backward", lambda: forward_and_backward(
        nn.LSTM(128, 256), random(32, 16, 128))
    yield "transformer layer d = 128, batch 8 x 64, forward and backward", transformer
    for name, make, sparse in (("sgd", lambda p: torch.optim.SGD(p, lr=0.1), True),
                               ("sparse adam", lambda p: torch.optim.SparseAdam(list(p), lr=0.1), True),
                               ("sgd, torch's default dense gradients", lambda p: torch.optim.SGD(p, lr=0.1), False)):
        yield f"sparse embedding step, 100,000 x 64, 256 x 8 lookups, {name}", lambda m=make, s=sparse: embedding_step(m, s)


# What the project wants of a case: against whom, and how many times as fast.
def bars(name):
    if name.startswith("op recorded"):
        return [("100 ns", None)]
    if name.startswith("mlp"):
        return [("2500 ns", None)]
    if name.startswith("sgd"):
        return [("2000 ns", None)]
    if name.startswith("adam,"):
        return [("4000 ns", None)]
    if name.startswith(("adamw", "adagrad", "rmsprop")):
        return []
    if name.startswith("lstm"):
        return [("every torch", 1.5)]
    if name.startswith("transformer"):
        return [("every torch", 1.3)]
    return [("every torch", 10)]


if __name__ == "__main__":
    side_by_side.main(script=__file__, description=__doc__.split("\n")[0], program="autograd_speed",
                      title="Training steps: feral and PyTorch", torch_cases=torch_cases, bars=bars,
                      with_gradients=lambda name: True)
