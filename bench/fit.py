#!/usr/bin/env python3
"""How many times as fast as scikit-learn's MLPs the package's are: fit, partial_fit and predictions.

    pip install . scikit-learn && python bench/fit.py --data FOLDER

Both get the same data and settings with recipe="sklearn", so many epochs that scikit-learn takes some --seconds,
without a stopping rule; that they did the same is checked: as many epochs, and losses that agree. Each runs in
processes of its own, one on one thread and one on all CPUs, in turn within each round. A ratio is the median over
rounds of scikit-learn's time, on one thread or all, whichever is faster by its median, to Tulle's of the same round;
on one thread that of CPU times, which other programs on the machine change less.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import warnings

import numpy as np

from compare import cpus, machine, put_between_markers, say
from fit_cases import CASES, GROUPS, Case

MARKERS = "<!-- fit:begin -->", "<!-- fit:end -->"
ROOT = pathlib.Path(__file__).resolve().parent.parent
AGREE = {"f64": 1e-6, "f32": 2e-2}  # relative, at the end of the losses of several epochs


# --- A process that does what it is told ------------------------------------------------------


class Worker:
    """One library on so many threads; its estimators and data stay from task to task."""

    def __init__(self, library, threads, folder):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **{name: str(threads) for name in names}}
        command = [sys.executable, __file__, "--worker", library, "--threads", str(threads), "--data", str(folder)]
        self.library, self.threads = library, threads
        self.process = subprocess.Popen(command, env=environment, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip

    def ask(self, **task):
        self.process.stdin.write(json.dumps(task) + "\n")
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"fit.py: the process of {self.library} ended")
        return json.loads(line)

    def stop(self):
        self.process.kill()
        self.process.wait()


def serve(library, threads, folder):
    """Answers lines of stdin with lines of stdout."""
    warnings.simplefilter("ignore")
    if library == "tulle":
        from tulle import MLPClassifier, MLPRegressor, __version__

        extra = {"recipe": "sklearn"} | ({"n_threads": 1} if threads == 1 else {})
    else:
        from sklearn import __version__
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        extra = {}
    classes, known = {"classification": MLPClassifier, "regression": MLPRegressor}, {}
    for line in sys.stdin:
        task = json.loads(line)
        if task["do"] == "version":
            answer = __version__
        else:
            case, key = CASES[task["case"]], (task["case"], task["precision"])
            if key not in known:
                known = {key: case.data(folder, task["precision"])}  # one table at a time
            answer = case.run(known[key], classes[case.kind], extra, task)
        print(json.dumps(answer), flush=True)


# --- Rounds -----------------------------------------------------------------------------------


def epochs_for(case: Case, worker, name, precision, seconds):
    """So many that they take scikit-learn `seconds`; for predictions and partial_fit, calls."""
    count = case.first
    while True:
        taken = worker.ask(do="time", case=name, precision=precision, count=count)["seconds"]
        wanted = max(case.first, min(case.most, int(count * seconds / max(taken, 1e-6))))
        if taken >= seconds / 3 or count >= wanted:
            return wanted if taken >= seconds / 3 else count
        count = min(wanted, count * 20)


def check_same_work(name, precision, answers):
    """Epochs and losses of a round."""
    curves = [answer["losses"] for answer in answers.values()]
    if len({len(curve) for curve in curves}) != 1:
        sys.exit(f"fit.py: {name}, {precision}: epochs differ: {[len(curve) for curve in curves]}")
    first = np.array(curves[0])
    worst = max([float(np.max(np.abs(curve - first) / (np.abs(first) + 1e-3), initial=0)) for curve in curves])
    if not worst <= AGREE[precision]:
        say(f"fit.py: {name}, {precision}: losses differ by {worst:.1e} of themselves")
    return worst


def measure(name, precision, workers, versions, options):
    case = CASES[name]
    count = epochs_for(case, workers["sklearn", 1], name, precision, options.seconds)
    keys, series = list(workers), {key: [] for key in workers}
    worst = 0
    for number in range(options.rounds + 1):  # the first is for warming up
        first = number % len(keys)
        answers = {}
        for key in keys[first:] + keys[:first]:
            answers[key] = workers[key].ask(do="time", case=name, precision=precision, count=count)
            if number:
                series[key].append((answers[key]["seconds"], answers[key]["cpu"]))
        worst = max(worst, check_same_work(name, precision, answers))
    return {"case": name, "precision": precision, "count": count, "worst": worst, "load": os.getloadavg()[0],
            "versions": versions, "rounds": options.rounds,
            "seconds": [[*key, times] for key, times in series.items()]}  # fmt: skip


def ratios(result):
    """The ratios (median, lowest, highest) by time on all threads, and by CPU time on one; and scikit-learn's time."""
    walls, cpu = ({(library, threads): [pair[kind] for pair in pairs] for library, threads, pairs in result["seconds"]}
                  for kind in (0, 1))  # fmt: skip
    most = max(threads for _, threads in walls)
    peer = min((walls["sklearn", threads] for threads in {1, most}), key=statistics.median)
    found = []
    for theirs, ours in ((peer, walls["tulle", most]), (cpu["sklearn", 1], cpu["tulle", 1])):
        rounds = [a / b for a, b in zip(theirs, ours)]
        found.append((statistics.median(rounds), min(rounds), max(rounds)))
    return *found, statistics.median(peer) / result["count"]


# --- What comes out ---------------------------------------------------------------------------


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def document(results):
    loads, versions = [result["load"] for result in results], results[-1]["versions"]
    parts = [
        f"{machine()}, {len(cpus())} CPUs, load {min(loads):.0f} to {max(loads):.0f}; {datetime.date.today()}; "
        f"Tulle {versions['tulle']}, scikit-learn {versions['sklearn']}, NumPy {versions['numpy']}; "
        f"{results[-1]['rounds']} rounds of `bench/fit.py`. For f64 and f32 each: scikit-learn's time of an epoch or a "
        "call, the better of one thread and all; how many times Tulle's on all CPUs that is, in brackets the lowest "
        "and highest of a round; and the ratio of CPU times on one thread."
    ]
    for group, heading in GROUPS.items():
        lines = [f"**{heading}**\n\n| | f64 | times | one | f32 | times | one |\n|---|" + "---:|" * 6]
        for name in [name for name, case in CASES.items() if case.group == group]:
            found = {result["precision"]: ratios(result) for result in results if result["case"] == name}
            if found:
                cells = [cell for precision in ("f64", "f32") for cell in cells_of(found.get(precision))]
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
        if len(lines) > 1:
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def cells_of(found):
    if not found:
        return "", "", ""
    times, one, seconds = found
    return duration(seconds), "**{:.1f}** ({:.1f} to {:.1f})".format(*times), f"{one[0]:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data", help="where the tables are [data]")
    parser.add_argument("--cases", default="", help="only those that this regular expression is found in")
    parser.add_argument("--precisions", default="f64,f32", help="[f64,f32]")
    parser.add_argument("--rounds", type=int, default=7, help="[7]")
    parser.add_argument("--seconds", type=float, default=0.4, help="of scikit-learn in each round, about [0.4]")
    parser.add_argument("--output", type=pathlib.Path, help="the page that gets the tables, between its markers")
    parser.add_argument("--json", type=pathlib.Path, help="appends each case's times there")
    parser.add_argument("--from", dest="source", type=pathlib.Path, help="no runs: the tables of such a file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return serve(options.worker, options.threads, options.data)
    results = read(options.source) if options.source else run(options)
    text = document(results)
    print(text)
    if options.output:
        put_between_markers(options.output, text, *MARKERS)


def read(source):
    found = [json.loads(line) for line in source.read_text().splitlines()]
    return list({(result["case"], result["precision"]): result for result in found}.values())  # the latest


def run(options):
    workers = {(library, threads): Worker(library, threads, options.data)
               for threads in sorted({1, len(cpus())}) for library in ("sklearn", "tulle")}  # fmt: skip
    try:
        versions = {library: worker.ask(do="version") for (library, _), worker in workers.items()}
        return measure_all(options, workers, versions | {"numpy": np.__version__})
    finally:
        for worker in workers.values():
            worker.stop()


def measure_all(options, workers, versions):
    results = []
    for name in [name for name in CASES if re.search(options.cases, name)]:
        for precision in options.precisions.split(","):
            result = measure(name, precision, workers, versions, options)
            results.append(result)
            times, one, seconds = ratios(result)
            say(f"{name:46} {precision} {duration(seconds):>8} {{:5.1f}} ({{:.1f}} to {{:.1f}})".format(*times)
                + "   one {:5.1f} ({:.1f} to {:.1f})".format(*one)
                + f"   x{result['count']}, losses {result['worst']:.0e}, load {result['load']:.0f}")  # fmt: skip
            if options.json:
                with options.json.open("a") as file:
                    file.write(json.dumps(result) + "\n")
    return results


if __name__ == "__main__":
    main()
