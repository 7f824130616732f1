"""Running a program of ours and the same cases in PyTorch in turn, and writing the table of both.

A benchmark calls side_by_side.main() with its cases. In an interpreter that has torch the same file measures them there:
it is started again with --measure-torch.
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
SAMPLES = 15
SAMPLE_SECONDS = 0.004


def measure_torch(torch_cases, with_gradients, only):
    """In the interpreter under test: prints what our program prints."""
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
        with torch.set_grad_enabled(with_gradients(name)):
            call = make()
            call()
            once = nanoseconds(call, 1)
            if once < 1e5:
                once = nanoseconds(call, 100) / 100
            times = max(1, int(SAMPLE_SECONDS * 1e9 / once))
            nanoseconds(call, times)
            seen = sorted(nanoseconds(call, times) / times for _ in range(SAMPLES))
        print(json.dumps({"case": name, "ns": seen[SAMPLES // 2], "low": seen[0], "high": seen[-1]}), flush=True)


def text_of(nanoseconds):
    for unit, scale in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}" if nanoseconds / scale < 1000 else f"{nanoseconds / scale:.0f} {unit}"
    return f"{nanoseconds:.1f} ns"


def verdict(wanted, name, figures, torches):
    """The ratio that a bar asks for, and whether it was reached."""
    cells = []
    own = figures["feral"][name]
    for against, bar in wanted:
        if bar is None:  # a bound
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
        sys.exit(f"{Path(sys.argv[0]).name}: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[0], lines[1:]


def main(*, script, description, program, title, torch_cases, bars, with_gradients, beside=()):
    """script: the benchmark's __file__; program: its target in bench/; title: of its section in RESULTS.md.

    torch_cases() yields (name, make), where make() returns the call to be timed; with_gradients(name) says whether a case
    records. bars(name) lists (against whom, how many times as fast), or ("N ns", None) for a bound. `beside`: endings of
    the names of yardsticks that the program times itself ("case / plain loop").
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--torch-python", action="append", default=[], help="an interpreter that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name contains this; RESULTS.md stays as it is")
    parser.add_argument("--results", type=Path, default=REPOSITORY / "bench" / "RESULTS.md")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build" / "release")
    parser.add_argument("--measure-torch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure_torch:
        measure_torch(torch_cases, with_gradients, arguments.rest[0] if arguments.rest else "")
        return

    subprocess.run(["cmake", "--build", arguments.build, "--target", program], check=True,
                   stdout=subprocess.DEVNULL)
    commands = {"feral": [str(arguments.build / "bench" / program)]}
    for python in arguments.torch_python:
        commands[python] = [python, script, "--measure-torch"]
    heads, seen = {}, {name: {} for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            heads[name], lines = run(command, arguments.only)
            for line in lines:
                seen[name].setdefault(line["case"], []).append(line["ns"])
    called = {name: "feral" if name == "feral" else f"torch {heads[name]['torch']}" for name in commands}
    torches = [called[name] for name in commands if name != "feral"]
    figures = {called[n]: {case: statistics.median(ns) for case, ns in cases.items()} for n, cases in seen.items()}
    spread = {called[n]: {case: (min(ns), max(ns)) for case, ns in cases.items()} for n, cases in seen.items()}

    rows = ["| case | feral (min to max) | " + " | ".join(torches) + " | beside it | bar |",
            "|---|---|" + "---:|" * len(torches) + "---:|---|"]
    for case in figures["feral"]:
        if " / " in case and case.split(" / ")[-1] in beside:
            continue
        low, high = spread["feral"][case]
        yardsticks = [f"{text_of(ns)} {other.split(' / ')[-1]}" for other, ns in figures["feral"].items()
                  if other.startswith(case + " / ")]
        rows.append(f"| {case} | {text_of(figures['feral'][case])} ({text_of(low)} to {text_of(high)}) | " +
                    " | ".join(text_of(figures[t][case]) if case in figures[t] else "" for t in torches) +
                    f" | {', '.join(yardsticks)} | {verdict(bars(case), case, figures, torches)} |")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    name = Path(script).stem
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = "\n".join([
        begin, f"## {title}", "",
        f"One thread each, float32; medians over {arguments.rounds} rounds in which the contestants took turns; within a "
        f"round the median of {SAMPLES} samples. Torch is called from Python, which costs it about 0.3 µs a call.", "",
        *rows, "",
        f"- Machine: {model}, {os.cpu_count()} cores. Date: {datetime.date.today()}.",
        f"- OpenBLAS with {heads['feral']['openblas']} kernels for feral; `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` unset for all.",
        f"- Command: `python3 bench/{name}.py --rounds {arguments.rounds}" +
        " --torch-python python3" * len(torches) + f"` ({', '.join(torches) or 'no torch'}).", end])
    print(text)
    if not arguments.only:
        before = arguments.results.read_text()
        pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
        after = pattern.sub(lambda _: text, before) if pattern.search(before) else before.rstrip("\n") + "\n\n" + text + "\n"
        arguments.results.write_text(after)
