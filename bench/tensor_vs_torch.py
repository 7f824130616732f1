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

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
MARKER_BEGIN = "<!-- tensor_vs_torch -->"
MARKER_END = "<!-- /tensor_vs_torch -->"
SAMPLES = 15
SAMPLE_SECONDS = 0.004

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


def measure_torch(only):
    """In the interpreter under test: prints what tensor_speed prints."""
    import torch

    torch.set_num_threads(1)
    print(json.dumps({"torch": torch.__version__}))
    clock = time.perf_counter_ns

    def nanoseconds(call, times):
        start = clock()
        for _ in range(times):
            call()
        return clock() - start

    for name, make in torch_cases():
        if only not in name:
            continue
        grad = "recorded" in name or "backward" in name
        with torch.set_grad_enabled(grad):
            call = make()
            call()
            once = nanoseconds(call, 1)
            if once < 1e5:
                once = nanoseconds(call, 100) / 100
            times = max(1, int(SAMPLE_SECONDS * 1e9 / once))
            nanoseconds(call, times)
            seen = sorted(nanoseconds(call, times) / times for _ in range(SAMPLES))
        print(json.dumps({"case": name, "ns": seen[SAMPLES // 2], "low": seen[0], "high": seen[-1]}), flush=True)


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


def text_of(nanoseconds):
    for unit, scale in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}" if nanoseconds / scale < 1000 else f"{nanoseconds / scale:.0f} {unit}"
    return f"{nanoseconds:.1f} ns"


def verdict(name, figures, torches):
    """The ratio that a bar asks for, and whether it was reached."""
    cells = []
    own = figures["feral"][name]
    for against, bar in bars(name):
        if bar is None:
            cells.append(f"≤ {against}: {'met' if own <= float(against.split()[0]) else '**missed**'}")
            continue
        if against == "every torch":
            rivals = [figures[t][name] for t in torches if name in figures[t]]
        elif against.startswith("torch"):
            rivals = [figures[t][name] for t in torches if t.startswith(against) and name in figures[t]]
        else:
            rivals = [figures["feral"].get(f"{name} / {against}")]
        rivals = [r for r in rivals if r is not None]
        if not rivals:
            cells.append(f"{against}: not here")
            continue
        ratio = min(rivals) / own
        cells.append(f"{ratio:.2f} × {against} (bar {bar:.2f}): {'met' if ratio >= bar else '**missed**'}")
    return "; ".join(cells)


def run(command, only):
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command + [only], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{Path(__file__).name}: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[0], lines[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch-python", action="append", default=[], help="an interpreter that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name contains this; RESULTS.md stays as it is")
    parser.add_argument("--results", type=Path, default=REPOSITORY / "bench" / "RESULTS.md")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build" / "release")
    parser.add_argument("--measure-torch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure_torch:
        measure_torch(arguments.rest[0] if arguments.rest else "")
        return

    subprocess.run(["cmake", "--build", arguments.build, "--target", "tensor_speed"], check=True,
                   stdout=subprocess.DEVNULL)
    commands = {"feral": [str(arguments.build / "bench" / "tensor_speed")]}
    for python in arguments.torch_python:
        commands[python] = [python, __file__, "--measure-torch"]
    heads, seen = {}, {name: {} for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            heads[name], lines = run(command, arguments.only)
            for line in lines:
                seen[name].setdefault(line["case"], []).append(line["ns"])
    title = {name: "feral" if name == "feral" else f"torch {heads[name]['torch']}" for name in commands}
    torches = [title[name] for name in commands if name != "feral"]
    figures = {title[n]: {case: statistics.median(ns) for case, ns in cases.items()} for n, cases in seen.items()}
    spread = {title[n]: {case: (min(ns), max(ns)) for case, ns in cases.items()} for n, cases in seen.items()}

    rows = ["| case | feral (min to max) | " + " | ".join(torches) + " | beside it | bar |",
            "|---|---|" + "---:|" * len(torches) + "---:|---|"]
    for case in figures["feral"]:
        if " / " in case and case.split(" / ")[-1] in ("plain loop", "contiguous", "cblas_sgemm"):
            continue
        low, high = spread["feral"][case]
        beside = [f"{text_of(ns)} {other.split(' / ')[-1]}" for other, ns in figures["feral"].items()
                  if other.startswith(case + " / ")]
        rows.append(f"| {case} | {text_of(figures['feral'][case])} ({text_of(low)} to {text_of(high)}) | " +
                    " | ".join(text_of(figures[t][case]) if case in figures[t] else "" for t in torches) +
                    f" | {', '.join(beside)} | {verdict(case, figures, torches)} |")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    text = "\n".join([
        MARKER_BEGIN, "## Tensor operations: feral, PyTorch, plain loops, OpenBLAS", "",
        f"One thread each, float32; medians over {arguments.rounds} rounds in which the contestants took turns; within a "
        f"round the median of {SAMPLES} samples. Torch is called from Python, which costs it about 0.3 µs a call.", "",
        *rows, "",
        f"- Machine: {model}, {os.cpu_count()} cores. Date: {datetime.date.today()}.",
        f"- OpenBLAS with {heads['feral']['openblas']} kernels; `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` unset for all.",
        f"- Command: `python3 bench/tensor_vs_torch.py --rounds {arguments.rounds}" +
        " --torch-python python3" * len(torches) + f"` ({', '.join(torches) or 'no torch'}).", MARKER_END])
    print(text)
    if not arguments.only:
        before = arguments.results.read_text()
        pattern = re.compile(re.escape(MARKER_BEGIN) + ".*" + re.escape(MARKER_END), re.DOTALL)
        after = pattern.sub(lambda _: text, before) if pattern.search(before) else before.rstrip("\n") + "\n\n" + text + "\n"
        arguments.results.write_text(after)


if __name__ == "__main__":
    main()
