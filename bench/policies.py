#!/usr/bin/env python3
"""Measures what each update policy costs: training speed and accuracy, one job after the other.

    bench/policies.py [--runs 3] [--epochs 5] [--workers 2] [--model lenet] [--data fashion-mnist] [--results FILE]

The policies take turns, run by run, so that a change of the machine's pace meets all of them. Medians and extremes go
to standard output and, unless --results is empty, between this benchmark's marks in docs/memory-model.md. Needs only
the standard library and a built feral. Exits with 2 where feral is missing, with 1 where a run fails.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
MARK_BEGIN = "<!-- policies -->"
MARK_END = "<!-- /policies -->"

# What the table names, and the options for it.
WAYS = (
    ("racy", ()),
    ("atomic-add", ("--policy", "atomic-add")),
    ("locked", ("--policy", "locked")),
    ("snapshot", ("--policy", "snapshot")),
    ("racy, every 4", ("--publish-every", "4")),
    ("atomic-add, every 4", ("--policy", "atomic-add", "--publish-every", "4")),
    ("deterministic", ("--deterministic",)),
)


def environment():
    """Of a contestant: the CPU's own kernels, whatever this machine exports."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "FERAL_"))}


def train(options, ways):
    """The report of one run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(options.feral), "train", options.model, "--data", options.data, "--epochs", str(options.epochs),
                   "--workers", str(options.workers), "--loaders", "1", "--batch", str(options.batch),
                   "--report", str(report), *ways]
        run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
        return json.loads(report.read_text())


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def table(options, reports):
    base = statistics.median(report["samples_per_second"] for report in reports["racy"])
    lines = [
        f"{options.model} on {options.data}, {options.workers} workers and 1 loader, batch {options.batch}, "
        f"{options.epochs} epochs; median (lowest to highest) of {options.runs} runs that took turns.",
        "",
        "| policy | samples/s | beside racy | test accuracy |",
        "| --- | --- | ---: | --- |",
    ]
    for name, _ in WAYS:
        speeds = [report["samples_per_second"] for report in reports[name]]
        accuracies = [report["test_accuracy"] for report in reports[name]]
        lines.append(f"| {name} | {spread(speeds, ',.0f')} | {statistics.median(speeds) / base:.2f} × | "
                     f"{spread(accuracies, '.4f')} |")
    command = f"python3 bench/policies.py --runs {options.runs} --epochs {options.epochs}"
    for option in ("workers", "batch", "model", "data"):
        if getattr(options, option) != options.standard[option]:
            command += f" --{option} {getattr(options, option)}"
    lines += ["", f"- Machine: {cpu_name()}, {len(os.sched_getaffinity(0))} cores. "
              f"Date: {datetime.date.today()}.", f"- Command: `{command}`."]
    return "\n".join(lines)


def write_between_marks(path, text):
    page = path.read_text()
    before, rest = page.split(MARK_BEGIN, 1)
    after = rest.split(MARK_END, 1)[1]
    path.write_text(f"{before}{MARK_BEGIN}\n{text}\n{MARK_END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feral", type=Path, default=REPOSITORY / "build" / "release" / "feral")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--model", default="lenet")
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--results", default=str(REPOSITORY / "docs" / "memory-model.md"),
                        help="page with this benchmark's marks; empty: standard output only")
    options = parser.parse_args()
    options.standard = {name: parser.get_default(name) for name in ("workers", "batch", "model", "data")}
    if not options.feral.exists():
        print(f"{options.feral}: not built; ./quickstart builds it", file=sys.stderr)
        sys.exit(2)
    reports = {name: [] for name, _ in WAYS}
    for run in range(options.runs):
        for name, ways in WAYS:
            reports[name].append(train(options, ways))
            print(f"run {run + 1}, {name}: {reports[name][-1]['samples_per_second']:,.0f} samples/s, "
                  f"accuracy {reports[name][-1]['test_accuracy']:.4f}", file=sys.stderr, flush=True)
    text = table(options, reports)
    print(text)
    if options.results:
        write_between_marks(Path(options.results), text)


if __name__ == "__main__":
    main()
