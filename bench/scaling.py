#!/usr/bin/env python3
"""Measures how training gets faster with more workers, and draws the curve: bench/scaling.svg.

    bench/scaling.py [--feral PROGRAM] [--runs 5] [--most N] [--data NAME|PATH] [--only NAME]

Each case is run with 1, 2, 4, … workers up to the cores (or --most), the numbers of workers in turn, run by run. The
figure is samples per second, by feral's own clock: from the first batch taken to the last update. Medians and extremes
go to standard output and to this benchmark's section of RESULTS.md. Needs the standard library only.
"""

import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
MARKERS = ("<!-- scaling -->", "<!-- /scaling -->")

# name, what it is, arguments, what 2 workers are to reach against 1
CASES = (
    ("evaluation off", "batch 64", ("--batch", "64", "--epochs", "3", "--evaluate-every", "0"), 1.9),
    ("as shipped", "batch 64, evaluated every epoch", ("--batch", "64", "--epochs", "3"), 1.75),
    ("single samples", "batch 1, --publish-every 4",
     ("--batch", "1", "--epochs", "1", "--lr", "0.002", "--publish-every", "4", "--evaluate-every", "0"), 1.7),
)


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}


def run(feral, data, workers, arguments):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        command = [feral, "train", "lenet", "--data", data, "--workers", str(workers), *arguments, "--report", report]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"scaling: {' '.join(command)} failed: {done.stderr.strip()}")
        with open(report, encoding="utf-8") as file:
            return json.load(file)["samples_per_second"]


def counts_up_to(most):
    counts = []
    number = 1
    while number < most:
        counts.append(number)
        number *= 2
    return counts + [most]


def measure(arguments):
    figures = {}
    for name, _, options, _ in CASES:
        if arguments.only not in name:
            continue
        samples = {workers: [] for workers in counts_up_to(arguments.most)}
        for _ in range(arguments.runs):
            for workers, list_of_runs in samples.items():
                list_of_runs.append(run(arguments.feral, arguments.data, workers, options))
        figures[name] = samples
        print(f"{name}: " + ", ".join(f"{w}: {statistics.median(s):,.0f}" for w, s in samples.items()), flush=True)
    return figures


def table(figures):
    lines = ["| case | workers | samples/s, median (lowest to highest) | against 1 worker |", "|-|-|-|-|"]
    for name, what, _, bar in CASES:
        if name not in figures:
            continue
        one = statistics.median(figures[name][1])
        for workers, samples in figures[name].items():
            ratio = statistics.median(samples) / one
            verdict = f" (bar {bar}{'' if ratio >= bar else ': **missed**'})" if workers == 2 else ""
            lines.append(f"| {name}: {what} | {workers} | {statistics.median(samples):,.0f} ({min(samples):,.0f} to "
                         f"{max(samples):,.0f}) | {ratio:.2f}{verdict} |")
    return lines


def curve(figures, most):
    """The speed-up over the number of workers, with the line that twice the workers give twice the speed."""
    width, height, left, bottom = 560, 360, 60, 50
    x = lambda workers: left + (workers - 1) / max(most - 1, 1) * (width - left - 170)
    y = lambda ratio: height - bottom - (ratio - 1) / max(most - 1, 1) * (height - bottom - 30)
    text = lambda at_x, at_y, words, more="": f'<text x="{at_x:.0f}" y="{at_y:.0f}" {more}>{words}</text>'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             'font-size="12"><rect width="100%" height="100%" fill="white"/>',
             f'<path d="M{x(1)} {y(1)} L{x(most):.0f} {y(most):.0f}" stroke="#bbb" stroke-dasharray="4" fill="none"/>',
             text(x(most) + 8, y(most) + 4, "ideal", 'fill="#888"'),
             f'<path d="M{x(1)} {y(most) - 10:.0f} V{height - bottom} H{x(most) + 10:.0f}" stroke="black" fill="none"/>']
    for workers in counts_up_to(most):
        parts.append(text(x(workers), height - bottom + 18, workers, 'text-anchor="middle"'))
        parts.append(text(left - 10, y(workers) + 4, f"{workers}×", 'text-anchor="end"'))
    parts.append(text(x(1), height - 12, "workers; speed against one worker, medians"))
    ends = []
    for colour, (name, samples) in zip(("#1b6ca8", "#d1495b", "#2e933c"), figures.items()):
        one = statistics.median(samples[1])
        points = [(x(w), y(statistics.median(s) / one)) for w, s in samples.items()]
        parts.append(f'<path d="M{" L".join(f"{a:.1f} {b:.1f}" for a, b in points)}" stroke="{colour}" '
                     'stroke-width="2" fill="none"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        at = points[-1][1] + 4
        while any(abs(at - other) < 14 for other in [y(most) + 4, *ends]):
            at += 14
        ends.append(at)
        parts.append(text(x(most) + 8, at, name, f'fill="{colour}"'))
    return "\n".join(parts) + "\n</svg>\n"


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def write_section(lines):
    path = REPOSITORY / "bench" / "RESULTS.md"
    text = path.read_text(encoding="utf-8")
    section = "\n".join([MARKERS[0], *lines, MARKERS[1]])
    pattern = re.compile(re.escape(MARKERS[0]) + ".*?" + re.escape(MARKERS[1]), re.S)
    if pattern.search(text):
        text = pattern.sub(lambda _: section, text)
    else:
        text = text.rstrip() + "\n\n" + section + "\n"
    path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feral", default=str(REPOSITORY / "build" / "release" / "feral"))
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.feral):
        sys.exit(f"scaling: {arguments.feral} is missing; build it with ./quickstart --help or name one with --feral")
    if arguments.most < 2:
        sys.exit("scaling: this takes two cores at least; --most names another number of workers")
    figures = measure(arguments)
    lines = ["## Scaling: more workers", "",
             f"{datetime.date.today()}, {cpu_name()}, {len(os.sched_getaffinity(0))} cores, lenet on "
             f"{arguments.data}, 1 loader, {arguments.runs} runs each in turn: `bench/scaling.py"
             f"{'' if arguments.runs == 5 else f' --runs {arguments.runs}'}`. Workers, the loader and, where it is on, "
             "the evaluator share the cores.", "", *table(figures)]
    if not arguments.only:
        (REPOSITORY / "bench" / "scaling.svg").write_text(curve(figures, arguments.most), encoding="utf-8")
        lines += ["", "![speed over the number of workers](scaling.svg)"]
    print("\n".join(lines))
    write_section(lines)


if __name__ == "__main__":
    main()
