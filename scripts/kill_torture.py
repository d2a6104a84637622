#!/usr/bin/env python3
"""Kills `tulle train` at random moments, lets it go on from its checkpoint, and compares its model.

usage: kill_torture.py TULLE [--kills N] [--runs N] [--seed N]

Trains on a part of data/california.csv: each recipe, numbers and classes, f32 and f64 (--runs: only so many
of these, drawn at random). Every run is killed --kills times by SIGKILL, at any time or in the middle of a
checkpoint or of the model; each time it goes on, with another number of threads and other steps between
checkpoints; and where it comes to its end it begins anew, until the kills are done. Then and whenever it
ends, its model must have the bytes that training without a stop gives. After every kill
 - the model's path holds what it held before, which is nothing or another model, or the whole new one;
 - a checkpoint that has been there is there, and the next process goes on from it;
 - nothing else is left behind than one temporary file, and when a run ends, nothing.
"""
import argparse
import collections
import itertools
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = ("tabular", "ensemble", "realmlp", "plain", "notebook")
EVERY, EPOCHS = 20, 5  # of the table's rows
TEMPORARY = ".tulle.tmp-"
DEADLINE = 120  # for what takes a second on an idle machine


class Broken(Exception):
    """A promise that was."""


# --- What is trained --------------------------------------------------------------------------


def write_table(path):
    """Some rows of the table, with a column of many names, empty cells and a target of classes."""
    lines = (ROOT / "data" / "california.csv").read_text().splitlines()
    rows = [lines[0] + ",place,class"]
    for number, line in enumerate(lines[1::EVERY]):
        cells = line.split(",")
        place = f"{float(cells[6]):.0f}/{float(cells[7]):.0f}"
        price = float(cells[8])
        if number % 11 == 5:
            cells[1] = ""
        rows.append(",".join(cells + [place, "low" if price < 1.5 else "middle" if price < 2.5 else "high"]))
    path.write_text("\n".join(rows) + "\n")


def train_arguments(recipe, target, precision):
    other = "class" if target == "MedHouseVal" else "MedHouseVal"
    return [f"--target={target}", f"--drop={other}", "--split-column=split", f"--epochs={EPOCHS}",
            f"--recipe={recipe}", f"--precision={precision}"]


class Run:
    """A training, the model that it gives, and the folders for its checkpoint and its model."""

    def __init__(self, tulle, table, work, arguments):
        self.command = [tulle, "train", str(table), *arguments]
        self.checkpoints, self.models = work / "checkpoints", work / "models"
        self.checkpoint, self.model = self.checkpoints / "c.ckpt", self.models / "m.tulle"
        self.previous = self.checkpoints / "c.ckpt.previous"
        begin = time.monotonic()
        subprocess.run([*self.command, "--quiet", f"--output={work / 'expected'}"], check=True)
        self.seconds = time.monotonic() - begin
        self.expected = (work / "expected").read_bytes()

    def begin(self, old):
        """Empties the folders, but for a model that was there before."""
        for folder in (self.checkpoints, self.models):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.held = old
        if old is not None:
            self.model.write_bytes(old)

    def has_checkpoint(self):
        return self.checkpoint.exists() or self.previous.exists()

    def start(self, rng):
        options = [f"--checkpoint={self.checkpoint}", f"--checkpoint-steps={rng.choice((1, 2, 3, 7))}", "--resume",
                   f"--threads={rng.choice((1, 2, 3, 7))}", f"--output={self.model}"]
        return subprocess.Popen([*self.command, *options], stderr=subprocess.PIPE)


def temporaries(folder):
    """The temporary files, each with what changes as soon as another one takes its name."""
    found = set()
    for path in folder.glob(TEMPORARY + "*"):
        try:
            status = path.stat()
            found.add((path.name, status.st_ino, status.st_mtime_ns))
        except FileNotFoundError:
            pass
    return found


# --- Killing ----------------------------------------------------------------------------------


def read(process, until=None):
    """What the process says up to this text, or to its end."""
    deadline = time.monotonic() + DEADLINE
    said = b""
    while until is None or until not in said:
        if not select.select([process.stderr], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Broken("training stands still")
        piece = os.read(process.stderr.fileno(), 65536)
        if not piece:
            break
        said += piece
    return said


def wait_for(process, is_time):
    """Until it is time or the process has ended."""
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and not is_time():
        if time.monotonic() > deadline:
            raise Broken("training stands still")
        time.sleep(0.0001)


def wait_for_moment(process, run, kind, rng):
    """Waits for a moment of that kind to kill the process in, unless it ends before."""
    end = time.monotonic() + rng.uniform(0, 1.2 * run.seconds)
    if kind != "any time":
        folder = run.models if kind == "model" else run.checkpoints
        for _ in range(1 if kind == "model" else rng.randint(1, 3)):
            before = temporaries(folder)
            wait_for(process, lambda: temporaries(folder) - before)
        end = time.monotonic() + rng.uniform(0, 0.002)
    wait_for(process, lambda: time.monotonic() >= end)


def go_on(run, rng, kind):
    """Goes on with the run until a moment of that kind, or None: to its end. Its exit status and what it said."""
    process = run.start(rng)
    said = b""
    try:
        if kind:
            if rng.random() < 0.8:  # others may die before they have read anything
                said = read(process, until=b"note: ")
            wait_for_moment(process, run, kind, rng)
            process.kill()
        said += read(process)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    return process.returncode, said.decode()


def check_model(run, may_be_old):
    found = run.model.read_bytes() if run.model.exists() else None
    if found != run.expected and not (may_be_old and found == run.held):
        raise Broken("the model's file is gone" if found is None else
                     f"the model's file, of {len(found)} bytes, is neither the old one nor the new one")
    run.held = found


def check_others(run, most_temporaries):
    known = {run.checkpoint.name, run.previous.name, run.model.name}
    for folder in (run.checkpoints, run.models):
        names = [path.name for path in folder.iterdir() if path.name not in known]
        strange = [name for name in names if not name.startswith(TEMPORARY)]
        if strange:
            raise Broken(f"there is a file {strange[0]}")
        if len(names) > most_temporaries:
            raise Broken(f"there are {len(names)} temporary files")


def kill_once(run, rng, kind, counts):
    """Goes on with the run, and checks what it leaves. Whether it was killed before its end."""
    had_checkpoint = run.has_checkpoint()
    before = {folder: temporaries(folder) for folder in (run.checkpoints, run.models)}
    status, said = go_on(run, rng, kind)
    was_killed = status == -signal.SIGKILL
    if status != 0 and not was_killed:
        raise Broken(f"training failed: {(said.strip().splitlines() or ['it said nothing'])[-1]}")
    if had_checkpoint and (not run.has_checkpoint() or "begins at the beginning" in said):
        raise Broken("the checkpoint was lost")
    check_model(run, may_be_old=was_killed)
    check_others(run, most_temporaries=1 if was_killed else 0)
    counts["kills" if was_killed else "ends"] += 1
    if was_killed:
        counts["checkpoint"] += bool(temporaries(run.checkpoints) - before[run.checkpoints])
        counts["model"] += bool(temporaries(run.models) - before[run.models])
    return was_killed


def torture(run, kills, old, rng):
    """Kills the run so many times. Counts of that, of kills in the middle of a checkpoint and of a model, and
    of how often it came to its end."""
    counts = collections.Counter()
    was_killed = False
    while counts["kills"] < kills or was_killed:
        if not was_killed:
            run.begin(rng.choice((None, old)))
        kind = rng.choice(("any time", "any time", "checkpoint", "model")) if counts["kills"] < kills else None
        was_killed = kill_once(run, rng, kind, counts)
    return counts


# --- All of it --------------------------------------------------------------------------------


def count_text(counts):
    return "{:4} kills, {:3} in a checkpoint, {:3} in the model; {:3} ends".format(
        *(counts[key] for key in ("kills", "checkpoint", "model", "ends")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tulle")
    parser.add_argument("--kills", type=int, default=20, help="of each run [20]")
    parser.add_argument("--runs", type=int, help="so many, drawn at random [all]")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    runs = list(itertools.product(RECIPES, ("MedHouseVal", "class"), ("f32", "f64")))
    if options.runs is not None:
        runs = rng.sample(runs, options.runs)
    totals = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="tulle-kill-") as name:
        work = pathlib.Path(name)
        table = work / "table.csv"
        write_table(table)
        old = Run(options.tulle, table, work, train_arguments("plain", "MedHouseVal", "f32") + ["--seed=1"]).expected
        for described in runs:
            print(f"{' '.join(described):28}", end="", flush=True)
            try:
                run = Run(options.tulle, table, work, train_arguments(*described))
                counts = torture(run, options.kills, old, rng)
            except Broken as broken:
                sys.exit(f"\nkill_torture.py: {broken}; seed {options.seed}")
            print(count_text(counts), flush=True)
            totals += counts
    print(f"all survived: {count_text(totals)}, always with the same bytes")


main()
