#!/usr/bin/env python3
"""Puts Tulle beside its peers on identical work, in one run, and writes the table and the picture.

    cmake --build build && scripts/peers.sh && bench/compare.py

Every peer is a process that stays: they take turns, task by task and round after round, so that a
machine that slows down slows all of them, and each round's figures are compared with Tulle's of the
same round. One table is of processes that are held to one CPU and told to use one thread; the other
is of the better of that and of all CPUs. Times are medians over the rounds.

Peers that are not installed are skipped, and named.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "bench" / "peers"
PEERS = pathlib.Path(os.environ.get("TULLE_PEERS") or pathlib.Path.home() / ".cache" / "tulle-peers")
BEGIN, END = "<!-- compare:begin -->", "<!-- compare:end -->"
START_SECONDS, TASK_SECONDS = 120, 300  # a peer that takes longer is left out

BATCHES = (1, 4, 16, 64, 500)
MANY = 4096
TASKS = [("step", precision, rows) for precision in ("f32", "f64") for rows in BATCHES]
TASKS += [(task, precision, rows) for task, rows in (("row", 1), ("batch", MANY)) for precision in ("f32", "f64")]

# Key, name in the table, how many threads it can use, what is timed.
CATALOGUE = [
    ("tulle", "Tulle", True, "`tulle_trainer_step`; `tulle_session_predict`"),
    ("openblas", "C on OpenBLAS", True, "the step written out with gemm, gemv and ger, the gradient straight into the weights (bench/peers/openblas_peer.c)"),
    ("torch", "PyTorch", True, "eager: zero_grad, forward, mse_loss, backward, SGD.step; under inference_mode"),
    ("torch-compile", "PyTorch compiled", True, "the same, network and loss through torch.compile"),
    ("jax", "JAX", True, "one jitted function of value_and_grad and the update, its parameters donated"),
    ("sklearn", "scikit-learn", True, "MLPRegressor, plain SGD: an epoch of fit over many batches, by the batch; predict"),
    ("numpy", "NumPy", True, "the notebook's own step"),
    ("kann", "KANN", False, "kann_cost with gradients, and w -= rate * gradient; kann_apply1; f32 only"),
    ("fann", "FANN", False, "an epoch of FANN_TRAIN_BATCH on the batch, linear_piece for want of relu; fann_run"),
    ("onnxruntime", "ONNX Runtime", True, "InferenceSession.run of a graph of Gemm and Relu; predictions only"),
]
NAMES = {key: name for key, name, _, _ in CATALOGUE}


class Missing(Exception):
    """A peer that cannot take part, and why."""


# --- Programs ---------------------------------------------------------------------------------


def tulle_library(build):
    for name in ("libtulle.so", "libtulle.dylib"):
        if (build / name).is_file():
            return build
    sys.exit(f"compare.py: there is no libtulle in {build}; build it, or name the folder with --build")


def compile_program(folder, name, *flags):
    output = folder / f"{name}{'_f64' if '-DDOUBLE' in flags else ''}"
    source = HERE / f"{name}_peer.c"
    command = [os.environ.get("CC", "cc"), "-O3", "-march=native", str(source), *flags, "-lm", "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["the compiler failed"]
        raise Missing(errors[0].split("error: ")[-1])
    return [str(output)]


def pkg_config(*arguments):
    done = subprocess.run(["pkg-config", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"pkg-config finds no {arguments[-1]}")
    return done.stdout.split()


def commands(key, folder, build):
    """The command lines of a peer: one, or one for f32 and one for f64."""
    if key == "tulle":
        return [compile_program(folder, key, f"-L{build}", "-ltulle", f"-Wl,-rpath,{build}")]
    if key == "openblas":
        flags = pkg_config("--cflags", "--libs", "openblas")
        return [compile_program(folder, key, *flags), compile_program(folder, key, "-DDOUBLE", *flags)]
    if key == "fann":
        release = f'-DRELEASE="{pkg_config("--modversion", "fann")[0]}"'
        return [compile_program(folder, key, release, "-lfann"),
                compile_program(folder, key, release, "-DDOUBLE", "-ldoublefann")]  # fmt: skip
    if key == "kann":
        sources = [PEERS / "kann" / name for name in ("kann.c", "kautodiff.c")]
        if not all(source.is_file() for source in sources):
            raise Missing(f"there is no {PEERS / 'kann'}")
        return [compile_program(folder, key, f"-I{PEERS / 'kann'}", *map(str, sources))]
    return [[python(), str(HERE / "worker.py"), key]]


def python():
    own = PEERS / "venv" / "bin" / "python"
    return str(own) if own.is_file() else sys.executable


# --- Peers at work ----------------------------------------------------------------------------


def cpus():
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count()))


class Peer:
    """The processes of one peer, on one CPU or on all."""

    def __init__(self, key, command_lines, threads, log):
        self.key, self.threads = key, threads
        self.log = log
        self.processes = [self.start(command) for command in command_lines]
        try:
            self.version = [self.read(process, START_SECONDS) for process in self.processes][0].split(" ", 1)[1]
        except Missing:
            self.stop()
            raise

    def start(self, command):
        names = ("THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **{name: str(self.threads) for name in names}}
        pin = None
        if self.threads == 1 and hasattr(os, "sched_setaffinity"):
            pin = lambda: os.sched_setaffinity(0, {cpus()[-1]})
        return subprocess.Popen(command, env=environment, preexec_fn=pin, bufsize=0, start_new_session=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)  # fmt: skip

    def read(self, process, limit):
        if not select.select([process.stdout], [], [], limit)[0]:
            raise Missing("it does not answer")
        line = process.stdout.readline().decode().strip()
        if not line:
            self.log.seek(0)
            lines = self.log.read().strip().splitlines() or ["it ended"]
            raise Missing(lines[-1])
        return line

    def time(self, task, seconds):
        """Seconds of one run, None for what this peer does not do."""
        process = self.processes[-1 if task[1] == "f64" else 0]
        process.stdin.write(f"{task[0]} {task[1]} {task[2]} {seconds}\n".encode())
        answer = self.read(process, TASK_SECONDS)
        return None if answer == "-" else float(answer)

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


def start_peers(chosen, folder, build):
    """Returns the peers, and a line on each that is missing."""
    peers, missing = [], []
    for key, name, threaded, _ in CATALOGUE:
        if key not in chosen:
            continue
        try:
            lines = commands(key, folder, build)
            for threads in (1, len(cpus())) if threaded and len(cpus()) > 1 else (1,):
                log = open(folder / f"{key}-{threads}.log", "w+")
                peers.append(Peer(key, lines, threads, log))
                say(f"{name} {peers[-1].version}, on {threads} of {len(cpus())} CPUs")
        except Missing as reason:
            if key == "tulle":
                sys.exit(f"compare.py: Tulle itself is missing: {reason}")
            missing.append(f"{name} ({reason})")
            say(f"missing: {missing[-1]}")
    return peers, missing


def measure(peers, rounds, seconds):
    """samples[key, threads][task]: a list of times, one a round. Ctrl-C makes do with the rounds so far."""
    samples = {(peer.key, peer.threads): {task: [] for task in TASKS} for peer in peers}
    began = time.monotonic()
    try:
        for number in range(rounds + 1):  # the first is for warming up and compiling
            taken = measure_round(peers, number, seconds if number else seconds / 10)
            for key, task, figure in taken if number else []:
                samples[key][task].append(figure)
            say(f"round {number} of {rounds}, {time.monotonic() - began:.0f} s")
    except KeyboardInterrupt:
        if number < 2:
            raise
        number -= 1
    return samples, number


def measure_round(peers, number, seconds):
    """Who comes first in a task changes from round to round."""
    first, taken = number % len(peers), []
    for task in TASKS:
        for peer in peers[first:] + peers[:first]:
            figure = peer.time(task, seconds)
            if figure is not None:
                taken.append(((peer.key, peer.threads), task, figure))
    return taken


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- What comes out ---------------------------------------------------------------------------


def summary(samples):
    """figures[kind][key][task]: quartiles, and the median of the ratios to Tulle of the same round.

    kind "one" is one CPU; "best" is the better of one and all, by the median.
    """
    keys = [key for key in NAMES if any(key == peer for peer, _ in samples)]
    figures = {"one": {}, "best": {}}
    for kind, figure in figures.items():
        chosen = {}
        for key in keys:
            for task in TASKS:
                series = [tasks[task] for (peer, threads), tasks in samples.items()
                          if peer == key and tasks[task] and (kind == "best" or threads == 1)]  # fmt: skip
                if series:
                    chosen[key, task] = min(series, key=statistics.median)
        for (key, task), series in chosen.items():
            ratios = [mine / tulle for mine, tulle in zip(series, chosen["tulle", task])]
            lower, median, upper = quartiles(series)
            figure.setdefault(key, {})[" ".join(map(str, task))] = {
                "lower": lower, "median": median, "upper": upper, "times_tulle": statistics.median(ratios),
            }  # fmt: skip
    return figures


def quartiles(series):
    if len(series) < 2:
        return series * 3
    return statistics.quantiles(series, n=4, method="inclusive")


def digits(number):
    """Three of them, and no exponent."""
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def table(figure, tasks, heads):
    """Markdown; the peers in the order of their geometric means, Tulle first."""
    names = [" ".join(map(str, task)) for task in tasks]
    rows = []
    for key, cells in figure.items():
        cells = [cells.get(name) for name in names]
        known = [cell for cell in cells if cell]
        if not known:
            continue
        spread = max((cell["upper"] - cell["lower"]) / cell["median"] for cell in known)
        texts = [f"{digits(1e6 * cell['median'])} ({digits(cell['times_tulle'])})" if cell else "" for cell in cells]
        if key == "tulle":
            texts = [f"**{digits(1e6 * cell['median'])}**" for cell in cells]
        rank = statistics.geometric_mean(cell["times_tulle"] for cell in known) if key != "tulle" else 0
        rows.append((rank, f"| {NAMES[key]} | " + " | ".join(texts) + f" | {100 * spread:.0f} % |"))
    header = "| | " + " | ".join(heads) + " | spread |\n|---|" + "---:|" * (len(heads) + 1)
    return "\n".join([header] + [row for _, row in sorted(rows)])


def document(result):
    count, figures = result["cpus"], result["figures"]
    batches = [str(batch) for batch in BATCHES]
    kinds = [("one", "one CPU, one thread")] + ([("best", f"the better of one and all {count} CPUs")] if count > 1 else [])
    parts = [
        f"{result['machine']}, {count} CPUs, {result['system']}; {result['date']}; "
        f"{result['rounds']} rounds of `bench/compare.py`. Reference network 100-128-256-1, relu, squared "
        "error, plain SGD. Microseconds, medians; in brackets how many times Tulle's of the same round. "
        "Spread is the widest of the row's interquartile ranges, of its median."
    ]
    for precision in ("f32", "f64"):
        for kind, where in kinds:
            tasks = [("step", precision, batch) for batch in BATCHES]
            parts.append(f"**A training step, {precision}, {where}**, by rows in the batch")
            parts.append(table(figures[kind], tasks, batches))
    for kind, where in kinds:
        tasks = [(task, precision, rows) for task, rows in (("row", 1), ("batch", MANY)) for precision in ("f32", "f64")]
        parts.append(f"**Prediction, {where}**")
        parts.append(table(figures[kind], tasks, ["one row, f32", "f64", f"{MANY} rows, f32", "f64"]))
    versions = result["versions"]
    timed = [f"{name} {versions[key]}: {what}" for key, name, _, what in CATALOGUE if key in versions]
    parts.append("What is timed:\n\n" + "\n".join(f"- {line}" for line in timed))
    if result["missing"]:
        parts.append("Missing: " + "; ".join(result["missing"]) + ".")
    return "\n\n".join(parts)


def put_between_markers(path, text, begin=BEGIN, end=END):
    old = path.read_text() if path.is_file() else ""
    if begin not in old or end not in old:
        old = old.rstrip("\n") + f"\n\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def machine():
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where libtulle is [build]")
    parser.add_argument("--rounds", type=int, default=21, help="how often each task is measured [21]")
    parser.add_argument("--seconds", type=float, default=0.05, help="how long each time, at least [0.05]")
    parser.add_argument("--peers", default=",".join(NAMES), help="which, by commas [all: %(default)s]")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/performance.md",
                        help="the page that gets the tables, between its markers [docs/performance.md]")  # fmt: skip
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "docs/performance.svg", help="[docs/performance.svg]")
    parser.add_argument("--json", type=pathlib.Path, help="writes all figures there, quartiles too")
    parser.add_argument("--from", dest="source", type=pathlib.Path, help="write page and picture from such a file")
    options = parser.parse_args()

    if options.source:
        result = json.loads(options.source.read_text())
    else:
        result = run(options)
        if options.json:
            options.json.write_text(json.dumps(result, indent=1))
    put_between_markers(options.output, document(result))
    chart = subprocess.run([python(), str(HERE / "chart.py"), str(options.picture)], input=json.dumps(result), text=True)
    if chart.returncode != 0:
        say("compare.py: no picture: it takes matplotlib")


def run(options):
    chosen = {"tulle", *options.peers.split(",")}
    unknown = chosen - set(NAMES)
    if unknown:
        sys.exit(f"compare.py: unknown peers {', '.join(unknown)}; there are {', '.join(NAMES)}")
    folder, peers = pathlib.Path(tempfile.mkdtemp(prefix="tulle-compare-")), []
    try:
        peers, missing = start_peers(chosen, folder, tulle_library(options.build.resolve()))
        samples, rounds = measure(peers, options.rounds, options.seconds)
        return {
            "machine": machine(), "cpus": len(cpus()), "system": f"{platform.system()} {platform.release()}",
            "date": datetime.date.today().isoformat(), "rounds": rounds,
            "versions": {peer.key: peer.version for peer in peers}, "missing": missing,
            "names": NAMES, "figures": summary(samples),
        }  # fmt: skip
    finally:
        for peer in peers:
            peer.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
