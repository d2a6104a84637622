#!/usr/bin/env python3
"""How good and how fast the recipes are on eight tables, as a page with tables.

    cmake --build build && bench/quality.py --data FOLDER --results quality.jsonl --torch python3

Every run is a process of `tulle train TABLE --target Y --split-column split --recipe R --seed S`;
the test rows are looked at once, by it. With --torch, recipe_torch.py trains the same in PyTorch,
right after a recipe's first run, on one thread or all CPUs, whichever is faster in a short try.
Each run's result is a line of the results file, and what is there already is not run again; of runs
whose settings have changed since, only those of the newest settings count: after a change of a
recipe --redo is due. Ctrl-C writes the page with what there is.
"""

import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from compare import cpus, machine, put_between_markers

ROOT = pathlib.Path(__file__).resolve().parent.parent
TWIN = ROOT / "bench" / "recipe_torch.py"
MARKERS = "<!-- quality:begin -->", "<!-- quality:end -->"
RECIPES = ("tabular", "ensemble")
TRY_EPOCHS = 3  # of the twin, to choose its threads

# Files, targets, what scores are divided by, and others' test scores: HistGradientBoosting's with
# scikit-learn 1.2's defaults, fitted to train and valid rows, and those of PUBLISHED, of 15 seeds
# on these very splits (adult: the same test rows).
SOURCE = "Gorishniy et al., TabM repository; TabR repository"
PUBLISHED = ("MLP tuned", "TabM-mini tuned", "LightGBM default / tuned", "CatBoost default / tuned")
TABLES = {
    "california": ("california.csv", "MedHouseVal", 1, ".4626",
                   (".4948 to .4990", ".4275", ".4495 / .4352", ".4334 / .4294")),
    "house_16H": ("house_16H.csv.gz", "target", 1, "32,045",
                  ("31,117", "29,976", "32,222 / 31,774", "31,217 / 31,172")),
    "diamonds": ("diamonds.csv.gz", "price", 3989.4, ".1377",
                 (".1404", ".1315", ".1372 / .1359", ".1331 / .1335")),
    "adult": ("adult.csv.gz", "income", 1, ".8716",
              (".8540", ".8700", ".8694 / .8713", ".8730 / .8714")),
    "letter": ("letter.csv.gz", "letter", 1, ".9675", ("",) * 4),
    "concrete": ("concrete.csv.gz", "y", 1, "4.02", ("",) * 4),
    "energy": ("energy.csv.gz", "y", 1, ".472", ("",) * 4),
    "protein": ("protein.csv.gz", "y", 1, ".4877", ("",) * 4),
}  # fmt: skip


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- Runs -------------------------------------------------------------------------------------


def run_json(command):
    """What it printed, and the seconds that it took."""
    began = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit(f"quality.py: {' '.join(map(str, command))}: {why}")
    return json.loads(done.stdout), seconds


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def train(self, data, recipe, seed):
        """A line for the results; the model's info stays in the folder, for the twin."""
        file, target, *_ = TABLES[data]
        model = self.folder / f"{data}-{recipe}.tulle"
        command = [self.options.tulle, "train", self.options.data / file, "--target", target]
        command += ["--split-column", "split", "--recipe", recipe, "--seed", seed]
        _, seconds = run_json([*command, "--json", "--output", model])
        info, _ = run_json([self.options.tulle, "info", model, "--json"])
        (self.folder / "info.json").write_text(json.dumps(info))
        training = info["training"]
        metric = "accuracy" if info["task"] == "classification" else "rmse"
        settings = {k: v for k, v in training["options"].items() if k != "seed"}
        settings["number-bins"] = "auto"  # which may differ from seed to seed
        return {
            "by": "tulle", "data": data, "recipe": recipe, "seed": seed, "metric": metric,
            "valid": info["metrics"]["valid"][metric], "test": info["metrics"]["test"][metric],
            "seconds": round(seconds, 3), "best_epoch": training["best_epoch"],
            "epochs": len(training["curve"]), "settings": settings,
            "bins": training["options"].get("number-bins"), "cpus": len(cpus()),
            "version": info["tulle_version"], "date": datetime.date.today().isoformat(),
        }  # fmt: skip

    def twin(self, data, seed, threads, epochs=None):
        command = [self.options.torch, TWIN, self.options.data / TABLES[data][0]]
        command += [self.folder / "info.json", "--seed", seed, "--threads", threads]
        return run_json(command + (["--epochs", epochs] if epochs else []))[0]

    def train_twin(self, line):
        """Of the run of that line, which was the last. With --torch-epochs there is no score, and
        the time is that of as many epochs as the run had."""
        data, seed, epochs = line["data"], line["seed"], line["epochs"]
        short = self.options.torch_epochs
        tries = [
            self.twin(data, seed, threads, min(short or TRY_EPOCHS, epochs))
            for threads in sorted({1, len(cpus())})
        ]
        result = min(tries, key=lambda result: result["seconds_per_epoch"])
        if not short:
            result = self.twin(data, seed, result["threads"])
        same = {key: line[key] for key in ("data", "recipe", "seed", "metric", "settings", "cpus")}
        return {
            "by": "torch", **same,
            "test": None if short else result["test"],
            "seconds": round(result["seconds_per_epoch"] * epochs, 3), "epochs": epochs,
            "best_epoch": None if short else result["best_epoch"], "threads": result["threads"],
            "version": result["torch"], "date": line["date"],
        }  # fmt: skip

    def run(self, data, recipe, known):
        """The recipe's runs on a table that are not known, one line after the other."""
        for seed in range(1 if self.options.quick else 5):
            wants_twin = self.options.torch and seed == 0
            wants_twin = wants_twin and ("torch", data, recipe, seed) not in known
            if wants_twin or ("tulle", data, recipe, seed) not in known:
                line = self.train(data, recipe, seed)
                yield line
                if wants_twin:
                    yield self.train_twin(line)


def read_results(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def key_of(line):
    return line["by"], line["data"], line["recipe"], line["seed"]


def current(lines):
    """The newest line of each run, of those with the settings of the recipe's newest run."""
    newest = {(line["data"], line["recipe"]): line["settings"] for line in lines}
    return {
        key_of(line): line
        for line in lines
        if line["settings"] == newest[line["data"], line["recipe"]]
    }


def run_all(options, results):
    with tempfile.TemporaryDirectory(prefix="tulle-quality-") as folder, open(results, "a") as file:
        bench = Bench(options, pathlib.Path(folder))
        for data in options.tables:
            for recipe in options.recipes:
                known = {} if options.redo else current(read_results(results))
                for line in bench.run(data, recipe, known):
                    file.write(json.dumps(line) + "\n")
                    file.flush()
                    score = "" if line["test"] is None else f" {line['metric']} {line['test']:.5g},"
                    say(f"{data}, {recipe}, seed {line['seed']}, {line['by']}:{score} "
                        f"{line['seconds']:.1f} s")  # fmt: skip


# --- The page ---------------------------------------------------------------------------------


def score_text(data, score):
    """As in the published tables: .4626, 32,045, 4.02."""
    score /= TABLES[data][2]
    if score >= 1000:
        return f"{score:,.0f}"
    return f"{score:.2f}" if score >= 1 else f"{score:.4f}".lstrip("0")


def seconds_text(seconds):
    return f"{seconds:.1f}" if seconds < 99.95 else f"{seconds:.0f}"


def spread_text(data, runs):
    scores = [run["test"] for run in runs]
    if not scores:
        return ""
    if len(scores) == 1:
        return f"**{score_text(data, scores[0])}**"
    middle, least, most = (score_text(data, f(scores)) for f in (statistics.median, min, max))
    return f"**{middle}** [{least} to {most}]"


def median_of(runs, name):
    return statistics.median(run[name] for run in runs)


def metric_text(data, runs):
    if runs[0]["metric"] == "accuracy":
        return "accuracy"
    divisor = TABLES[data][2]
    return "RMSE" if divisor == 1 else f"RMSE / {divisor}"


def table(head, rows, left):
    line = "|" + "---|" * left + "---:|" * (len(head) - left)
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head,)] + [line]
                     + ["| " + " | ".join(cells) + " |" for cells in rows])  # fmt: skip


def scores_table(runs):
    head = ["data", "metric", *(f"`{recipe}`" for recipe in RECIPES), "HistGradientBoosting"]
    rows = []
    for data, (*_, boosting, published) in TABLES.items():
        of_recipes = [runs.get(("tulle", data, recipe), []) for recipe in RECIPES]
        if any(of_recipes):
            metric = metric_text(data, next(filter(None, of_recipes)))
            spreads = [spread_text(data, runs) for runs in of_recipes]
            rows.append([data, metric, *spreads, boosting, *published])
    return table([*head, *PUBLISHED], rows, 2)


def times_table(runs):
    head = ["data", "recipe", "bins", "epochs", "best", "s", "PyTorch s", "ratio",
            "PyTorch's test score"]  # fmt: skip
    rows = []
    for data in TABLES:
        for recipe in RECIPES:
            own = runs.get(("tulle", data, recipe))
            twins = runs.get(("torch", data, recipe))
            if not own:
                continue
            seconds = median_of(own, "seconds")
            bins = sorted({run["bins"] for run in own if run.get("bins")}, key=int)
            cells = [data, f"`{recipe}`", " or ".join(bins), f"{median_of(own, 'epochs'):.0f}",
                     f"{statistics.median(run['best_epoch'] or 0 for run in own):.0f}",
                     f"**{seconds_text(seconds)}**"]  # fmt: skip
            if twins:
                (twin,) = twins
                score = "" if twin["test"] is None else score_text(data, twin["test"])
                per_epoch = seconds / median_of(own, "epochs")
                ratio = twin["seconds"] / twin["epochs"] / per_epoch
                cells += [seconds_text(twin["seconds"]), f"{ratio:.1f}", score]
            rows.append(cells + [""] * (len(head) - len(cells)))
    return table(head, rows, 2)


def document(lines):
    runs = {}
    for line in lines:
        runs.setdefault((line["by"], line["data"], line["recipe"]), []).append(line)
    own = [line for line in lines if line["by"] == "tulle"]
    seeds = max(len(series) for series in runs.values())
    spread = "the score of one seed"
    if seeds > 1:
        spread = f"the median of {seeds} seeds [least to most], or the score of one"
    versions = {by: set() for by in ("tulle", "torch")}
    for line in lines:
        versions[line["by"]].add(line["version"].split("+")[0])
    names = {by: ", ".join(sorted(versions[by])) for by in versions}
    parts = [
        f"{machine()}, {own[-1]['cpus']} CPUs; {max(line['date'] for line in lines)}; Tulle "
        f"{names['tulle']}. Test rows; {spread}. "
        "HistGradientBoosting: scikit-learn 1.2 as it is, fitted to train and valid rows. The "
        f"others are published, of 15 seeds each on the same splits, of adult on the same test "
        f"rows ({SOURCE}).",
        scores_table(runs),
        "Seconds are those of the whole command, medians; best is the epoch that the model is of.",
        times_table(runs),
    ]
    if names["torch"]:
        parts[2] += (
            f" PyTorch {names['torch']}'s are those of as many epochs alone "
            "(bench/recipe_torch.py), without reading the table and importing it, on one thread or "
            "all CPUs, whichever is faster; the ratio is PyTorch's to Tulle's, of an epoch."
        )
    return "\n\n".join(parts)


def chosen(text, names):
    words = text.split(",")
    unknown = [word for word in words if word not in names]
    if unknown:
        sys.exit(f"quality.py: unknown {', '.join(unknown)}; there are {', '.join(names)}")
    return words


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, path = parser.add_argument, pathlib.Path
    add("--data", type=path, required=True, help="the folder with the tables")
    add("--tulle", type=path, default=ROOT / "build" / "tulle", help="the command [build/tulle]")
    add("--results", type=path, required=True, help="a file of JSON lines that is added to")
    add("--tables", default=",".join(TABLES), help="which, by commas [%(default)s]")
    add("--recipes", default=",".join(RECIPES), help="[%(default)s]")
    add("--quick", action="store_true", help="seed 0 alone, not 0 to 4")
    add("--redo", action="store_true", help="run again what the results have already")
    add("--torch", metavar="PYTHON", help="compare with PyTorch, of this Python")
    add("--torch-epochs", type=int, metavar="N", help="only time N of its epochs, for no score")
    add("--output", type=path, default=ROOT / "docs" / "quality.md",
        help="the page that gets the tables, between its markers [docs/quality.md]")  # fmt: skip
    options = parser.parse_args()
    options.tables = chosen(options.tables, list(TABLES))
    options.recipes = chosen(options.recipes, RECIPES)
    if options.torch and subprocess.run([options.torch, "-c", "import torch"]).returncode != 0:
        sys.exit(f"quality.py: {options.torch} has no PyTorch")
    return options


def main():
    options = parse_arguments()
    try:
        run_all(options, options.results)
    except KeyboardInterrupt:
        say("quality.py: interrupted")
    lines = list(current(read_results(options.results)).values())
    if not any(line["by"] == "tulle" for line in lines):
        sys.exit("quality.py: there are no results")
    put_between_markers(options.output, document(lines), *MARKERS)


if __name__ == "__main__":
    main()
