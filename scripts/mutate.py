#!/usr/bin/env python3
"""Mutation tests of what reads and writes models and checkpoints: would a wrong line be noticed?

    scripts/mutate.py                        every mutant: many hours
    scripts/mutate.py --sample 40 --seed 7   40 of them, drawn by the seed

A mutant is a copy of the source tree with one thing changed in one function: a comparison, a constant,
&& for ||, a condition turned around, a statement left out, another value returned, other arithmetic.
It is built with AddressSanitizer, and killed if one of the tests fails. Those that survive although
nothing is wrong with the tests stand in tests/mutants.txt, each with the reason; any other survivor
means status 1.
"""
import argparse
import collections
import hashlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "mutants.txt"
MODEL_TESTS = "test_model test_model_file test_model_bytes test_model_formats test_model_traps".split()
CHECKPOINT_TESTS = "test_checkpoint_file test_resume_errors test_resume".split()
LAST_TESTS = "test_tensor_file test_model_hostile".split()
MODEL_FIRST = MODEL_TESTS + LAST_TESTS + CHECKPOINT_TESTS
CHECKPOINT_FIRST = CHECKPOINT_TESTS + LAST_TESTS + MODEL_TESTS
TESTS = {  # the most likely to notice come first
    "lib/model/tensor_file.c": ["test_tensor_file", *MODEL_FIRST],
    "lib/model/tensor_reader.c": ["test_tensor_file", *MODEL_FIRST],
    "lib/model/model_file.c": MODEL_FIRST,
    "lib/model/model_json.c": MODEL_FIRST,
    "lib/model/model_check.c": MODEL_FIRST,
    "lib/model/json_parse.c": ["test_json_parse", *MODEL_FIRST],
    "lib/model/json_pieces.c": MODEL_FIRST,
    "lib/model/record_json.c": MODEL_FIRST,
    "lib/model/checkpoint.c": CHECKPOINT_FIRST,
}

Mutant = collections.namedtuple("Mutant", "path begin end text kind")

# --- Making mutants ---------------------------------------------------------------------------

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&"}
ASSIGNMENTS = {"+=": "-=", "-=": "+=", "*=": "+=", "|=": "&="}
KEYWORDS = "if for while do else return case default switch".split()


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def masked(source):
    """The source with everything but the code of functions as blanks, position by position."""
    beside = r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^#(?:[^\n]*\\\n)*[^\n]*'
    text = re.sub(beside, lambda m: blank(m[0]), source, flags=re.DOTALL | re.MULTILINE)
    without = re.search(r"^#else$", source, re.MULTILINE)  # a build without model files
    text = text[: without.start()] if without else text
    kept, at = [], 0
    for body in re.finditer(r"^\{\n.*?^\}\n", text, re.DOTALL | re.MULTILINE):
        kept += [blank(text[at : body.start()]), body[0]]
        at = body.end()
    return "".join(kept)


def swaps(code, table, kind):
    """The binary operators of a table, which the code's layout puts between blanks."""
    names = "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
    for found in re.finditer(rf"(?<=[\w)\]] )({names})(?=\s)", code):
        yield found.start(), found.end(), table[found[0]], kind


def constants(code):
    for found in re.finditer(r"(?<![\w.])\d+(?![\w.])", code):
        yield found.start(), found.end(), {"0": "1", "1": "0"}.get(found[0], str(int(found[0]) + 1)), "constant"
    for found in re.finditer(r"\bTULLE_ERROR_\w+", code):
        other = "TULLE_ERROR_FORMAT" if found[0] == "TULLE_ERROR_IO" else "TULLE_ERROR_IO"
        yield found.start(), found.end(), other, "status"
    for found in re.finditer(r"\+\+|--", code):
        yield found.start(), found.end(), "--" if found[0] == "++" else "++", "arithmetic"


def closing(code, opening):
    """Where the parenthesis ends that begins there."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError("a parenthesis without an end")


def conditions(source, code):
    """Turned around, where it is not a comparison, which has mutants of its own; and each choice."""
    for found in re.finditer(r"\b(?:if|while) (\()", code):
        end = closing(code, found.start(1))
        condition = source[found.start(1) : end]
        if not re.search(r"^\(!| (?:[<>]=?|[!=]=) ", condition):
            yield found.start(1), end, f"(!{condition})", "condition"
    for found in re.finditer(r"(?<=\s)\?(?=\s)", code):
        yield found.start(), found.end(), "&& 0 ?", "condition"
        yield found.start(), found.end(), "|| 1 ?", "condition"
    for found in re.finditer(r"(?<=[\s(])!(?=[\w(*])", code):
        yield found.start(), found.end(), "", "condition"


def statement_end(code, at):
    depth = 0
    while code[at] != ";" or depth:
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(code[at], 0)
        at += 1
    return at + 1


def removals(code):
    """Calls, assignments and jumps; not declarations, without which nothing compiles."""
    before = "{"
    at = 0
    for line in code.splitlines(keepends=True):
        text = line.strip()
        begin, at = at + len(line) - len(line.lstrip()), at + len(line)
        begins = before[-1] in ";{})" or before.endswith(("else", "do", ":"))
        before = text or before
        first = re.match(r"\w*", text)[0]
        is_declaration = re.match(r"(?:\w+ )+\**\w+", text) and first != "goto"
        if begins and re.match(r"[\w*(]", text) and first not in KEYWORDS and not is_declaration:
            if not text.endswith(":"):
                yield begin, statement_end(code, begin), ";", "removed"


def returns(source, code):
    """Of each return of a function what it must not be able to return unnoticed."""
    for body in re.finditer(r"^\{\n.*?^\}\n", code, re.DOTALL | re.MULTILINE):
        head = source[: body.start()].rstrip("\n").split("\n\n")[-1]
        head = re.sub(r"/\*.*?\*/\s*", "", head, flags=re.DOTALL)
        for found in re.finditer(r"\breturn ", body[0]):
            begin = body.start() + found.end()
            end = statement_end(code, begin) - 1
            value = source[begin:end]
            if "*" in head.split("(")[0]:
                others = ["NULL"]
            elif "enum tulle_status" in head.split("(")[0]:
                others = ["TULLE_OK", "TULLE_ERROR_IO"]
            else:
                others = ["0", "1"]
            if re.fullmatch(r"\w+", value) and value in (*others, "TULLE_OK"):
                others = ["TULLE_ERROR_IO"] if value == "TULLE_OK" else []  # 0 and 1 have theirs
            elif len(others) == 2 and "tulle_status" in head:
                others = ["TULLE_OK"]
            for other in others:
                yield begin, end, other, "return"


def mutants_of(path):
    source = (ROOT / path).read_text()
    code = masked(source)
    found = [
        *swaps(code, COMPARISONS, "comparison"),
        *swaps(code, LOGIC, "logic"),
        *swaps(code, ARITHMETIC, "arithmetic"),
        *swaps(code, ASSIGNMENTS, "arithmetic"),
        *constants(code),
        *conditions(source, code),
        *removals(code),
        *returns(source, code),
    ]
    return [Mutant(path, *change) for change in sorted(set(found))]


def line_of(mutant, source):
    return source.count("\n", 0, mutant.begin) + 1


def describe(mutant, source):
    """The change on the lines where it stands, blanks made one: what tests/mutants.txt names."""
    begin = source.rfind("\n", 0, mutant.begin) + 1
    end = source.find("\n", mutant.end)
    changed = source[begin : mutant.begin] + mutant.text + source[mutant.end : end]
    return " ".join(source[begin:end].split()), " ".join(changed.split())


# --- Trying them ------------------------------------------------------------------------------


class Workplace:
    """A copy of the sources, its build, and what the tests take there unchanged."""

    def __init__(self, folder, tests):
        self.source, self.build = folder / "source", folder / "build"
        shutil.rmtree(self.source, ignore_errors=True)
        ignore = shutil.ignore_patterns("build", ".git", "__pycache__")
        shutil.copytree(ROOT, self.source, ignore=ignore)
        command = ["cmake", "--preset", "asan", "-B", str(self.build), "-DTULLE_BUILD_EXAMPLES=OFF"]
        subprocess.run(command, cwd=self.source, check=True, stdout=subprocess.DEVNULL)
        self.limits = {}
        for test in tests:
            begin = time.monotonic()
            if not self.make(test) or not self.passes(test, 600):
                sys.exit(f"mutate.py: {test} fails without any mutant")
            self.limits[test] = 10 + 5 * (time.monotonic() - begin)

    def make(self, target):
        command = ["cmake", "--build", str(self.build), "-j", "2", "--target", target]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).returncode == 0

    def passes(self, test, limit):
        command = [str(self.build / "tests" / test)]
        try:
            done = subprocess.run(
                command, cwd=self.build / "tests", timeout=limit,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return done.returncode in (0, 77)

    def try_mutant(self, mutant, source):
        """What became of it: "killed by TEST", "survived" or "uncompilable"."""
        file = self.source / mutant.path
        file.write_text(source[: mutant.begin] + mutant.text + source[mutant.end :])
        try:
            if not self.make("tulle"):
                return "uncompilable"
            for test in TESTS[mutant.path]:
                if not self.make(test) or not self.passes(test, self.limits[test]):
                    return f"killed by {test}"
            return "survived"
        finally:
            file.write_text(source)


def read_explained():
    """{(path, line, changed line)} of blocks in which a reason follows."""
    explained = set()
    if EXPLAINED.is_file():
        pattern = r"^(\S+\.c)\n- (.*)\n\+ (.*)\n"
        explained = set(re.findall(pattern, EXPLAINED.read_text(), re.MULTILINE))
    return explained


class Verdicts:
    """Those of earlier runs, in a file; of survivors only until the tests have learned more."""

    def __init__(self, path):
        self.path, self.known = path, {}
        if path and path.is_file():
            for line in path.read_text().splitlines():
                key, verdict = json.loads(line)
                self.known[key] = verdict

    def key(self, mutant, source):
        whole = f"{mutant.path}\0{source}\0{mutant[1:]}"
        return hashlib.sha256(whole.encode()).hexdigest()

    def find(self, mutant, source):
        verdict = self.known.get(self.key(mutant, source), "survived")
        return None if verdict == "survived" else verdict

    def add(self, mutant, source, verdict):
        self.known[self.key(mutant, source)] = verdict
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps([self.key(mutant, source), verdict]) + "\n")


def run(mutants, workplace, verdicts):
    """Prints each mutant that is not killed; returns how many came to which end."""
    explained, counts = read_explained(), collections.Counter()
    sources = {path: (ROOT / path).read_text() for path in TESTS}
    for mutant in mutants:
        source = sources[mutant.path]
        before, after = describe(mutant, source)
        verdict = verdicts.find(mutant, source)
        if (mutant.path, before, after) in explained:
            verdict = "explained"
        elif not verdict:
            verdict = workplace().try_mutant(mutant, source)
            verdicts.add(mutant, source, verdict)
        if verdict == "survived":
            print(f"{mutant.path}:{line_of(mutant, source)}: {mutant.kind}\n- {before}\n+ {after}", flush=True)
        counts[verdict.split()[0]] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="of these sources only, such as lib/model/checkpoint.c")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print the mutants, try none")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "mutants", help="to build in")
    parser.add_argument("--results", type=pathlib.Path, help="a file of verdicts, to go on from and add to")
    options = parser.parse_args()
    paths = options.files or list(TESTS)
    if unknown := [path for path in paths if path not in TESTS]:
        parser.error(f"there are no tests named for {unknown[0]}; there are for {', '.join(TESTS)}")
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    if options.sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    if options.list:
        for mutant in mutants:
            source = (ROOT / mutant.path).read_text()
            before, after = describe(mutant, source)
            print(f"{mutant.path}:{line_of(mutant, source)}: {mutant.kind}\n- {before}\n+ {after}")
        print(f"{len(mutants)} mutants")
        return 0
    made = []

    def workplace():
        if not made:
            made.append(Workplace(options.folder.resolve(), sorted({t for p in paths for t in TESTS[p]})))
        return made[0]

    counts = run(mutants, workplace, Verdicts(options.results))
    print(
        f"{len(mutants)} mutants: {counts['killed']} killed, {counts['survived']} survived, "
        f"{counts['explained']} explained in {EXPLAINED.relative_to(ROOT)}, {counts['uncompilable']} do not compile"
    )
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
