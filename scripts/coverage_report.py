#!/usr/bin/env python3
"""Prints which lines and branches of lib/ (its kernels aside) and cli/ the tests never reached.

    scripts/coverage_report.py BUILD-FOLDER        after a run there; scripts/coverage.sh does both

Status 1 below the bars that stand here. What need not be reached says why in a comment beside it,

    if (errno == EINTR) /* not covered: no signal arrives here in a test */

which excuses the branches of that line, and the lines that are indented below it where they are not
run. A comment that begins a line is about the next line, and one above a function about all of it.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_BAR, BRANCHES_BAR = 100, 95  # per cent, of everything
# What reads files that strangers may have made: every branch.
READERS = [
    "lib/base/utf8.c",
    "lib/data/byte_source.c",
    "lib/data/csv_reader.c",
    "lib/data/levels.c",
    "lib/data/npy_reader.c",
    "lib/data/number.c",
    "lib/data/number_map.c",
    "lib/data/table_columns.c",
    "lib/data/table_reader.c",
    "lib/model/checkpoint.c",
    "lib/model/json_parse.c",
    "lib/model/json_pieces.c",
    "lib/model/model_check.c",
    "lib/model/model_file.c",
    "lib/model/model_json.c",
    "lib/model/record_json.c",
    "lib/model/tensor_file.c",
    "lib/model/tensor_reader.c",
    "lib/train/training_state.c",
]
MARK = re.compile(r"/\*(?:(?!\*/).)*?\bnot covered: .*?\*/", re.DOTALL)


class File:
    """Counts of one source: of its lines, and of the branches of each (line, function)."""

    def __init__(self, path):
        self.lines = collections.Counter()
        self.branches = {}
        self.text = (ROOT / path).read_text().splitlines()
        self.excused, self.excused_below = self.find_marks()

    def find_marks(self):
        """The lines that are excused, and those that are where they are not run."""
        excused, below = set(), set()
        text = "\n".join(self.text)
        for mark in MARK.finditer(text):
            line = text.count("\n", 0, mark.start())
            stands_alone = self.text[line].lstrip().startswith("/*")
            if stands_alone:
                line = text.count("\n", 0, mark.end()) + 1
            if stands_alone and re.match(r"\w", self.text[line]):
                excused.update(range(line + 1, self.text.index("}", line) + 2))
                continue
            excused.add(line + 1)
            depth = indentation(self.text[line])
            for follower in range(line + 1, len(self.text)):
                if self.text[follower] and indentation(self.text[follower]) <= depth:
                    break
                below.add(follower + 1)
        return excused, below

    def add(self, line, function, count, branches):
        """The same line may come from several objects: a header's."""
        self.lines[line] += count
        known = self.branches.setdefault((line, function), [0] * len(branches))
        known += [0] * (len(branches) - len(known))
        for i, branch in enumerate(branches):
            known[i] += branch["count"]

    def is_excused(self, line):
        return line in self.excused or (line in self.excused_below and not self.lines[line])

    def count(self):
        """Lines reached, lines, branches reached, branches: without those that are excused."""
        lines = [count for line, count in self.lines.items() if count or not self.is_excused(line)]
        branches = [
            count
            for (line, _), counts in self.branches.items()
            for count in counts
            if count or not self.is_excused(line)
        ]
        return [sum(map(bool, lines)), len(lines), sum(map(bool, branches)), len(branches)]

    def branches_at(self, line):
        return [count for (at, _), counts in self.branches.items() if at == line for count in counts]

    def count_excused(self):
        return sum(self.is_excused(at) and not (n and all(self.branches_at(at))) for at, n in self.lines.items())

    def missed(self):
        """Pairs (line, what was not reached there)."""
        for line in sorted(self.lines):
            counts = self.branches_at(line)
            never = [str(i) for i, count in enumerate(counts) if not count]
            if self.is_excused(line):
                continue
            if not self.lines[line]:
                yield line, "never run"
            elif never:
                yield line, f"branch {','.join(never)} of {len(counts)}"


def indentation(line):
    return len(line) - len(line.lstrip())


def is_wanted(path):
    return path.startswith(("lib/", "cli/")) and not path.startswith("lib/kernels/")


def read_counts(build):
    notes = [
        str(path)
        for target in ("tulle_objects", "tulle_cli", "tulle_command")
        for path in sorted((build / "CMakeFiles" / f"{target}.dir").rglob("*.gcno"))
    ]
    if not notes:
        sys.exit(f"coverage_report.py: {build} was not built with -ftest-coverage")
    command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", *notes]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"coverage_report.py: gcov failed: {done.stderr.strip()}")
    files = {}
    for document in map(json.loads, done.stdout.splitlines()):
        for source in document["files"]:
            path = pathlib.Path(document["current_working_directory"], source["file"]).resolve()
            if ROOT not in path.parents or not is_wanted(name := str(path.relative_to(ROOT))):
                continue
            file = files.setdefault(name, File(name))
            for line in source["lines"]:
                function = line.get("function_name", "")
                file.add(line["line_number"], function, line["count"], line["branches"])
    return files


def per_cent(reached, total):
    return 100 * reached / total if total else 100


def print_row(name, counts):
    lines, all_lines, branches, all_branches = counts
    print(
        f"{name:34} {lines:6} of {all_lines:5} {per_cent(lines, all_lines):6.2f} %"
        f" {branches:6} of {all_branches:5} {per_cent(branches, all_branches):6.2f} %"
    )


def sum_counts(files):
    return [sum(column) for column in zip(*(file.count() for file in files))]


def report(files):
    """Prints all; returns what is below the bars, as lines of text."""
    for name in sorted(files):
        for line, what in files[name].missed():
            print(f"{name}:{line}: {what}: {files[name].text[line - 1].strip()}")
    print(f"\n{'':34} {'lines':>24} {'branches':>24}")
    for name in sorted(files):
        print_row(name, files[name].count())
    print()
    for folder in sorted({str(pathlib.Path(name).parent) for name in files}):
        print_row(folder, sum_counts(files[n] for n in files if n.startswith(folder + "/")))
    total = sum_counts(files.values())
    readers = sum_counts(files[name] for name in READERS)
    print_row("file readers", readers)
    print_row("all", total)
    marks = sum(len(MARK.findall("\n".join(file.text))) for file in files.values())
    excused = sum(file.count_excused() for file in files.values())
    print(f"excused: {excused} lines or branches of lines, by {marks} comments with their reasons")
    below = []
    if per_cent(*total[:2]) < LINES_BAR:
        below.append(f"lines: {total[1] - total[0]} are not reached")
    if per_cent(*total[2:]) < BRANCHES_BAR:
        below.append(f"branches: below {BRANCHES_BAR} %")
    if readers[2] < readers[3]:
        below.append(f"file readers: {readers[3] - readers[2]} branches are not reached")
    return below


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    below = report(read_counts(parser.parse_args().build))
    for line in below:
        print(f"coverage_report.py: {line}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
