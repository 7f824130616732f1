#!/usr/bin/env python3
"""Compares feral with PyTorch Hogwild: lenet on Fashion-MNIST, the same work, the same number of processes.

    bench/hogwild_vs_torch.py [--torch-python PYTHON]... [--runs 5] [--epochs 3] [--processes 2] ...

The torch side is the classic Hogwild program: spawned processes, model.share_memory(), each process running its own
SGD on the shared parameters with one thread. It is written to be quick: batches are index_select-ed from float32
tensors in memory, without a DataLoader; every process warms up before the clock starts; the test set is evaluated
after the clock has stopped. It runs in two memory formats, since channels_last speeds up torch's small convolutions:
"NCHW" (as the classic program) and "channels_last".

One epoch is one pass over the training set in total: each process takes a disjoint share of a common shuffle. The
clock runs from the first batch taken to the last update. feral's own clock does the same, but its evaluation beside
the training and its loader process count against it.

The contestants take turns, run by run. Before every run a probe times matrix products in two processes at once:
where the machine is not well, its rates fall or differ. Medians, extremes and the ratios of the medians go to
standard output and to this benchmark's section of RESULTS.md. Needs only the standard library here, and numpy and
torch in the interpreters named by --torch-python.

Exits with 2 where feral or torch is missing, with 1 where a run fails.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import platform
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_FERAL = REPOSITORY / "build" / "release" / "feral"
DEFAULT_RESULTS = REPOSITORY / "bench" / "RESULTS.md"
DEFAULT_DATA = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
MARKER_BEGIN = "<!-- hogwild_vs_torch -->"
MARKER_END = "<!-- /hogwild_vs_torch -->"

LEARNING_RATE = 0.01
MOMENTUM = 0.5
TRAINING_IMAGES = 60_000
PIXEL_MEAN, PIXEL_STANDARD_DEVIATION = 0.2860, 0.3530  # of the Fashion-MNIST training set, on a 0-1 scale
WARM_UP_STEPS = 20
EVALUATION_BATCH = 1000

PROBE_PROCESSES = 2
PROBE_SECONDS = 0.5
PROBE_SIZE = 384
UNEQUAL = 0.20

RUN_LIMIT_SECONDS = 1800
MEMORY_FORMATS = ("NCHW", "channels_last")


class RunFailed(Exception):
    """A contestant did not deliver its figures."""


class Missing(Exception):
    """A contestant is not installed or not built."""


# ---------------------------------------------------------------------------------------------------------------------
# The torch side: runs in the interpreter under test, as `hogwild_vs_torch.py --torch-worker`.


def read_idx(path):
    """The array in a gzip-compressed IDX file of bytes."""
    import gzip

    import numpy

    with gzip.open(path, "rb") as file:
        content = file.read()
    kind, dimensions = content[2], content[3]
    if content[:2] != b"\0\0" or kind != 8:
        raise ValueError(f"{path}: not an IDX file of bytes")
    shape = numpy.frombuffer(content, ">u4", dimensions, 4)
    return numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


def load_tensors(folder, part):
    """Normalised images, float32 [N, 1, 28, 28], and labels, int64 [N]."""
    import numpy
    import torch

    images = read_idx(Path(folder) / f"{part}-images-idx3-ubyte.gz")
    labels = read_idx(Path(folder) / f"{part}-labels-idx1-ubyte.gz")
    pixels = torch.from_numpy(images.astype(numpy.float32)).unsqueeze(1)
    pixels.div_(255).sub_(PIXEL_MEAN).div_(PIXEL_STANDARD_DEVIATION)
    return pixels, torch.from_numpy(labels.astype(numpy.int64))


def lenet():
    from collections import OrderedDict

    from torch import nn

    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 10, 5), pool1=nn.MaxPool2d(2), relu1=nn.ReLU(),
        conv2=nn.Conv2d(10, 20, 5), dropout2=nn.Dropout2d(), pool2=nn.MaxPool2d(2), relu2=nn.ReLU(),
        flatten=nn.Flatten(),
        fc1=nn.Linear(320, 50), relu3=nn.ReLU(), dropout3=nn.Dropout(0.5),
        fc2=nn.Linear(50, 10), log_softmax=nn.LogSoftmax(dim=1)))


def take_step(model, optimizer, images, labels):
    from torch.nn import functional

    optimizer.zero_grad(set_to_none=True)
    functional.nll_loss(model(images), labels).backward()
    optimizer.step()


def sgd(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)


def hogwild_process(rank, model, barrier, outcomes, options):
    """One of the processes: trains the shared model on its share of every epoch, reports when it began and ended."""
    import copy

    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed * 1000 + rank)
    images, labels = load_tensors(options.data, "train")
    model.train()

    private = copy.deepcopy(model)
    private_optimizer = sgd(private)
    for first in range(0, WARM_UP_STEPS * options.batch, options.batch):
        take_step(private, private_optimizer, images[first:first + options.batch], labels[first:first + options.batch])

    optimizer = sgd(model)
    shuffle = torch.Generator().manual_seed(options.seed)  # the same order in every process
    samples = 0
    barrier.wait(timeout=RUN_LIMIT_SECONDS)
    began = time.monotonic()
    for _ in range(options.epochs):
        share = torch.randperm(len(labels), generator=shuffle)[rank::options.processes]
        for chosen in share.split(options.batch):
            take_step(model, optimizer, images.index_select(0, chosen), labels.index_select(0, chosen))
            samples += len(chosen)
    outcomes.put((began, time.monotonic(), samples))


def test_accuracy(model, folder):
    import torch

    images, labels = load_tensors(folder, "t10k")
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(dim=1) == y).sum().item()
                    for x, y in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH)))
    return right / len(labels)


def torch_worker(options):
    """One Hogwild run; prints one JSON line."""
    import torch
    import torch.multiprocessing as multiprocessing

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    model = lenet()
    if options.memory_format == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    model.share_memory()
    context = multiprocessing.get_context("spawn")
    barrier, outcomes = context.Barrier(options.processes), context.SimpleQueue()
    multiprocessing.spawn(hogwild_process, (model, barrier, outcomes, options), nprocs=options.processes)
    began, ended, samples = zip(*(outcomes.get() for _ in range(options.processes)))
    seconds = max(ended) - min(began)
    print(json.dumps({
        "samples_per_second": sum(samples) / seconds,
        "seconds_train": seconds,
        "samples_total": sum(samples),
        "test_accuracy": test_accuracy(model, options.data),
        "workers": options.processes,
        "batch": options.batch,
    }))


def torch_facts():
    """What this interpreter's torch is made of; prints one JSON line."""
    import torch

    config, parallel = torch.__config__.show(), torch.__config__.parallel_info()

    def found(pattern, text):
        match = re.search(pattern, text)
        return match.group(1) if match else None

    print(json.dumps({
        "version": torch.__version__,
        "python": platform.python_version(),
        "kernels": found(r"CPU capability usage: (\S+)", config),
        "mkldnn": found(r"MKL-DNN v(\S+)", config) if torch.backends.mkldnn.is_available() else None,
        "mkl": found(r"Math Kernel Library Version (\S+?)-", config),
        "parallel": found(r"ATen parallel backend: (\S+)", parallel),
    }))


def probe_worker():
    """Waits for a line, multiplies matrices for a while on one thread, prints GFLOP/s."""
    import numpy

    left = numpy.ones((PROBE_SIZE, PROBE_SIZE), numpy.float32)
    right, product = left.copy(), left.copy()
    numpy.matmul(left, right, out=product)
    print("ready", flush=True)
    sys.stdin.readline()
    products, began = 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < PROBE_SECONDS:
        numpy.matmul(left, right, out=product)
        products += 1
    print(2 * PROBE_SIZE**3 * products / elapsed / 1e9)


# ---------------------------------------------------------------------------------------------------------------------
# The comparison


def contestant_environment(**extra):
    """The caller's environment with one thread per process and without OpenBLAS overrides, for every contestant."""
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return environment | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | extra


def run_command(command, environment):
    """Runs a contestant in a session of its own, so that none of its processes outlives it; returns its output."""
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=RUN_LIMIT_SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise RunFailed(f"no end after {RUN_LIMIT_SECONDS} s") from None
        raise
    if process.returncode != 0:
        last_line = (errors.strip() or output.strip() or "no output").splitlines()[-1]
        raise RunFailed(f"exit status {process.returncode}: {last_line}")
    return output, errors


def openblas_core(command):
    """The kernels that OpenBLAS chooses in a command, by its own word; None where it says nothing."""
    try:
        result = subprocess.run(command, env=contestant_environment(OPENBLAS_VERBOSE="2"), stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"^Core: (\S+)", result.stderr, re.MULTILINE)
    return match.group(1) if match else None


def feral_core(binary):
    """The kernels that feral's OpenBLAS chooses, as `feral doctor` has them."""
    try:
        output, _ = run_command([str(binary), "doctor"], contestant_environment())
    except (RunFailed, OSError):
        return None
    match = re.search(r"OpenBLAS (\S+)", output)
    return match.group(1) if match else None


def torch_child(python, *arguments):
    return [python, str(Path(__file__).resolve()), *arguments]


@dataclasses.dataclass
class Torch:
    python: str
    memory_format: str
    facts: dict

    @property
    def name(self):
        return f"torch {self.facts['version']} {self.memory_format}"

    def run(self, options, seed):
        output, _ = run_command(torch_child(
            self.python, "--torch-worker", "--memory-format", self.memory_format, "--data", str(options.data),
            "--processes", str(options.processes), "--batch", str(options.batch), "--epochs", str(options.epochs),
            "--seed", str(seed)), contestant_environment())
        return json.loads(output.splitlines()[-1])


@dataclasses.dataclass
class Feral:
    binary: Path
    core: str | None
    version: str | None = None
    name: str = "feral"

    def arguments(self, options, seed):
        data = "fashion-mnist" if options.data == DEFAULT_DATA else str(options.data)
        return ["train", "lenet", "--data", data, "--workers", str(options.processes), "--loaders", "1",
                "--batch", str(options.batch), "--epochs", str(options.epochs), "--lr", str(LEARNING_RATE),
                "--momentum", str(MOMENTUM), "--schedule", "constant", "--seed", str(seed)]

    def run(self, options, seed):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            run_command([str(self.binary), *self.arguments(options, seed), "--report", str(report)],
                        contestant_environment())
            try:
                figures = json.loads(report.read_text())
            except (OSError, ValueError) as error:
                raise RunFailed(f"no readable report: {error}") from None
        self.version = figures.get("version")
        return figures


def facts_of(python):
    try:
        output, _ = run_command(torch_child(python, "--torch-facts"), contestant_environment())
    except (RunFailed, OSError) as error:
        raise Missing(f"no torch in {python}: {error}") from None
    facts = json.loads(output.splitlines()[-1])
    if not facts["mkl"]:
        facts["openblas_core"] = openblas_core(torch_child(python, "--torch-facts"))
    return facts


def version_number(facts):
    return [int(number) for number in re.findall(r"\d+", facts["version"].split("+")[0])[:3]]


def contestants_of(options):
    """feral, then torch from the newest to the oldest."""
    if not os.access(options.feral, os.X_OK) or options.feral.is_dir():
        raise Missing(f"no feral at {shown_path(options.feral)}: build it with cmake --preset release, "
                      "or name it with --feral")
    if not options.data.is_dir():
        raise Missing("no Fashion-MNIST: install dataset-fashion-mnist, or name its folder with --data")
    interpreters = [(python, facts_of(python)) for python in options.torch_python]
    interpreters.sort(key=lambda pair: version_number(pair[1]), reverse=True)
    return [Feral(options.feral, feral_core(options.feral))] + [
        Torch(python, memory_format, facts) for python, facts in interpreters for memory_format in MEMORY_FORMATS]


def check_figures(figures, options):
    """Refuses a run that did other work than it was asked for."""
    wanted = {"workers": options.processes, "batch": options.batch, "samples_total": options.epochs * TRAINING_IMAGES}
    for key, value in wanted.items():
        if figures.get(key) != value:
            raise RunFailed(f"{key} is {figures.get(key)}, not {value}")
    for key in ("samples_per_second", "seconds_train", "test_accuracy"):
        if not isinstance(figures.get(key), (int, float)):
            raise RunFailed(f"{key} is {figures.get(key)}, not a number")


@dataclasses.dataclass
class Health:
    """How the machine fared just before a run."""

    load: float
    rates: list  # GFLOP/s of each probe process

    @property
    def unequal(self):
        return min(self.rates) < (1 - UNEQUAL) * max(self.rates)

    def __str__(self):
        note = " (differ by more than 20 %)" if self.unequal else ""
        return " + ".join(f"{rate:.0f}" for rate in self.rates) + note


def probe_machine(python):
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(subprocess.Popen(
            torch_child(python, "--probe-worker"), env=contestant_environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)) for _ in range(PROBE_PROCESSES)]
        for probe in probes:
            if probe.stdout.readline() != "ready\n":
                raise RunFailed("the probe of the machine did not start; is numpy installed beside torch?")
        for probe in probes:
            probe.stdin.write("go\n")
            probe.stdin.flush()
        return Health(load, [float(probe.stdout.readline()) for probe in probes])


@dataclasses.dataclass
class Run:
    contestant: str
    round: int
    health: Health
    figures: dict


def measure(contestants, options):
    runs = []
    for number in range(1, options.runs + 1):
        for contestant in contestants:
            health = probe_machine(options.torch_python[0])
            try:
                figures = contestant.run(options, seed=number)
                check_figures(figures, options)
            except (RunFailed, ValueError, IndexError, OSError) as error:
                raise RunFailed(f"{contestant.name}, run {number}: {error}") from None
            runs.append(Run(contestant.name, number, health, figures))
            print(f"run {number}, {contestant.name}: {figures['samples_per_second']:.0f} samples/s, "
                  f"accuracy {figures['test_accuracy']:.4f}; before it: probe {health} GFLOP/s, load {health.load:.2f}",
                  flush=True)
    return runs


# ---------------------------------------------------------------------------------------------------------------------
# The account


def cpu_model():
    with contextlib.suppress(OSError):
        match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if match:
            return match.group(1)
    return platform.machine()


def shown_path(path):
    """The path as seen from the repository; only the name where it lies elsewhere."""
    with contextlib.suppress(ValueError):
        return str(Path(path).resolve().relative_to(REPOSITORY))
    return Path(path).name


def shown_command(options):
    """The command that repeats this benchmark, without the paths of the machine that ran it."""
    words = ["python3", "bench/hogwild_vs_torch.py", "--runs", options.runs, "--epochs", options.epochs,
             "--processes", options.processes, "--batch", options.batch]
    for _ in options.torch_python:
        words += ["--torch-python", "python3"]
    for option, path, default in (("--feral", options.feral, DEFAULT_FERAL), ("--data", options.data, DEFAULT_DATA),
                                  ("--results", options.results, DEFAULT_RESULTS)):
        if path != default:
            words += [option, shown_path(path)]
    return shlex.join(map(str, words))


def shown_facts(facts):
    libraries = [f"oneDNN {facts['mkldnn']}" if facts["mkldnn"] else "no oneDNN"]
    if facts["mkl"]:
        libraries.append(f"MKL {facts['mkl']}")
    elif facts.get("openblas_core"):
        libraries.append(f"OpenBLAS with {facts['openblas_core']} kernels")
    return (f"torch {facts['version']}, Python {facts['python']}, ATen with {facts['kernels']} kernels, "
            f"{', '.join(libraries)}, {facts['parallel']}")


def figures_of(runs, contestant, key):
    return [run.figures[key] for run in runs if run.contestant == contestant.name]


def section(contestants, runs, options):
    """The Markdown that stands between the markers."""
    feral, *torches = contestants
    medians = {contestant.name: statistics.median(figures_of(runs, contestant, "samples_per_second"))
               for contestant in contestants}
    lines = [
        "## Hogwild: feral and PyTorch", "",
        f"`lenet` on Fashion-MNIST, {options.processes} processes with one thread each, batch {options.batch}, "
        f"{options.epochs} epochs (one epoch is one pass in total), SGD with lr {LEARNING_RATE} and momentum "
        f"{MOMENTUM}, {options.runs} runs of each contestant in turn. Samples per second, from the first batch taken "
        "to the last update.", "",
        "| contestant | median | min | max | test accuracy, median (min to max) | feral's median to this one |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for contestant in contestants:
        rates = figures_of(runs, contestant, "samples_per_second")
        accuracies = figures_of(runs, contestant, "test_accuracy")
        ratio = "" if contestant is feral else f"{medians[feral.name] / medians[contestant.name]:.2f}"
        lines.append(f"| {contestant.name} | {medians[contestant.name]:,.0f} | {min(rates):,.0f} | {max(rates):,.0f} "
                     f"| {statistics.median(accuracies):.4f} ({min(accuracies):.4f} to {max(accuracies):.4f}) "
                     f"| {ratio} |")
    newest = max((t for t in torches if t.facts is torches[0].facts), key=lambda t: medians[t.name])
    fastest = max(torches, key=lambda t: medians[t.name])
    lines += ["", f"feral to the newest torch at its best ({newest.name}): "
                  f"{medians[feral.name] / medians[newest.name]:.2f}."]
    if fastest is not newest:
        lines[-1] += (f" feral to the fastest torch here ({fastest.name}): "
                      f"{medians[feral.name] / medians[fastest.name]:.2f}.")
    kernels = f"OpenBLAS with {feral.core} kernels" if feral.core else "OpenBLAS kernels not stated"
    lines += ["", f"- Machine: {cpu_model()}, {os.cpu_count()} cores. Date: {datetime.date.today().isoformat()}.",
              f"- feral {feral.version or 'of unstated version'}, {kernels}; its loader process and its evaluation "
              "beside the training count against it."]
    lines += [f"- {shown_facts(facts)}." for facts in {id(t.facts): t.facts for t in torches}.values()]
    lines += ["- `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` unset, OMP, MKL and OpenBLAS threads 1, for all. torch "
              "warms up before the clock starts and evaluates after it has stopped.",
              f"- Command: `{shown_command(options)}`",
              "- Interpreters, in the order of the command: " + ", ".join(
                  f"`python3` with torch {next(t.facts['version'] for t in torches if t.python == python)}"
                  for python in options.torch_python) + ".", ""]
    totals = [sum(run.health.rates) for run in runs]
    slow = sum(total < (1 - UNEQUAL) * max(totals) for total in totals)
    unequal = sum(run.health.unequal for run in runs)
    lines += [f"Health of the machine: before each run two processes multiply {PROBE_SIZE} x {PROBE_SIZE} matrices, "
              f"one thread each; together {min(totals):.0f} to {max(totals):.0f} GFLOP/s. Of {len(runs)} probes {slow} "
              f"lay more than 20 % below the best, and in {unequal} the two rates differed by more than 20 %.", "",
              "<details><summary>All runs</summary>", "",
              "| run | contestant | samples/s | seconds | test accuracy | probe, GFLOP/s | load |",
              "|---:|---|---:|---:|---:|---|---:|"]
    lines += [f"| {run.round} | {run.contestant} | {run.figures['samples_per_second']:,.0f} | "
              f"{run.figures['seconds_train']:.2f} | {run.figures['test_accuracy']:.4f} | {run.health} | "
              f"{run.health.load:.2f} |" for run in runs]
    lines += ["", "</details>"]
    return "\n".join(lines)


def write_section(path, text):
    """Replaces this benchmark's section of the file, or adds it at the end."""
    content = path.read_text() if path.exists() else "# Benchmark results\n"
    block = f"{MARKER_BEGIN}\n{text}\n{MARKER_END}"
    before, begin, rest = content.partition(MARKER_BEGIN)
    _, end, after = rest.partition(MARKER_END)
    if begin and end:
        content = before + block + after
    elif begin or MARKER_END in content:
        raise RunFailed(f"{shown_path(path)} has one of the two markers without the other")
    else:
        content = f"{content.rstrip()}\n\n{block}\n"
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(content)
    scratch.replace(path)


def compare(options):
    contestants = contestants_of(options)
    runs = measure(contestants, options)
    text = section(contestants, runs, options)
    print(f"\n{text}")
    write_section(options.results, text)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def parse_options():
    parser = argparse.ArgumentParser(description="Compares feral with PyTorch Hogwild on lenet and Fashion-MNIST.")
    parser.add_argument("--runs", type=positive, default=5, help="runs of each contestant (5)")
    parser.add_argument("--epochs", type=positive, default=3, help="epochs of each run (3)")
    parser.add_argument("--processes", type=positive, default=2, help="training processes of each contestant (2)")
    parser.add_argument("--batch", type=positive, default=64, help="images in a batch (64)")
    parser.add_argument("--torch-python", action="append", metavar="PYTHON",
                        help="interpreter that has torch; may be given again, each becomes a contestant (python3)")
    parser.add_argument("--feral", type=Path, default=DEFAULT_FERAL, help="feral's binary (build/release/feral)")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, metavar="FOLDER",
                        help=f"folder of the gzip-compressed IDX files ({DEFAULT_DATA})")
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, metavar="FILE",
                        help="file whose section is replaced (bench/RESULTS.md)")
    # How this script calls itself in the interpreters under test.
    for mode in ("--torch-worker", "--torch-facts", "--probe-worker"):
        parser.add_argument(mode, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--memory-format", choices=MEMORY_FORMATS, default=MEMORY_FORMATS[0], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.torch_python = options.torch_python or ["python3"]
    return options


def main():
    options = parse_options()
    if options.torch_worker:
        torch_worker(options)
    elif options.torch_facts:
        torch_facts()
    elif options.probe_worker:
        probe_worker()
    else:
        try:
            compare(options)
        except Missing as error:
            print(error, file=sys.stderr)
            return 2
        except RunFailed as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
