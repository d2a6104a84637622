#!/usr/bin/env python3
"""Mutation tests of what reads and writes models and checkpoints: would a wrong line be noticed?

    scripts/mutate.py                        every mutant: an hour or two
    scripts/mutate.py --sample 40 --seed 7   40 of them, drawn by the seed

A mutant is the library with one thing changed in one function: a comparison, a constant, && for ||, a
condition turned around, a statement left out, another value returned, other arithmetic. One whose
machine code is the original's, as users build it, is none (trivial compiler equivalence: Papadakis et
al., ICSE 2015). The others are killed if one of the tests fails, as users build it or, should all pass,
under AddressSanitizer. Those that survive although nothing is wrong with the tests stand in
tests/mutants.txt, each below its reason; any other survivor means status 1, and so does an
explanation of nothing.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "mutants.txt"
MODEL_TESTS = "test_model_formats test_model_traps test_model test_model_file test_model_bytes".split()
CHECKPOINT_TESTS = "test_checkpoint_traps test_checkpoint_file test_resume_errors".split()
LAST_TESTS = "test_out_of_memory_files test_model_hostile test_out_of_memory test_resume".split()
LAST_TESTS += "test_hostile_checkpoint test_hostile_models".split()
MODEL_FIRST = [*MODEL_TESTS, "test_tensor_file", *CHECKPOINT_TESTS, *LAST_TESTS]
CHECKPOINT_FIRST = [*CHECKPOINT_TESTS, "test_tensor_file", *MODEL_TESTS, *LAST_TESTS, "test_io_faults"]
STATE_TESTS = "test_resume_errors test_checkpoint_traps test_hostile_checkpoint test_resume".split()
STATE_TESTS += "test_io_faults_training test_out_of_memory_training test_early_stopping test_training_bits".split()
WRITER_TESTS = "test_temporary_files test_power_cut test_checkpoint_file test_model_file test_model_bytes".split()
WRITER_TESTS += "test_out_of_memory_files test_io_faults test_io_faults_tables test_io_faults_training".split()
TESTS = {  # the quick and those most likely to notice come first
    "lib/model/tensor_file.c": ["test_tensor_file", *MODEL_FIRST, "test_io_faults"],
    "lib/model/tensor_reader.c": ["test_tensor_file", *MODEL_FIRST, "test_io_faults"],
    "lib/model/model_file.c": MODEL_FIRST,
    "lib/model/model_json.c": MODEL_FIRST,
    "lib/model/model_check.c": MODEL_FIRST,
    "lib/model/json_parse.c": ["test_json_parse", *MODEL_FIRST],
    "lib/model/json_pieces.c": MODEL_FIRST,
    "lib/model/json_text.c": ["test_json_parse", *MODEL_FIRST],
    "lib/model/record_json.c": MODEL_FIRST,
    "lib/model/checkpoint.c": CHECKPOINT_FIRST,
    "lib/train/training_state.c": ["test_resume_traps", *STATE_TESTS],
    "lib/base/file_writer.c": ["test_file_writer", "test_links", "test_streams", *WRITER_TESTS],
}
# Those with an allocator of their own leave little to the sanitizer.
LONG = {"test_io_faults", "test_hostile_checkpoint", "test_hostile_models", "test_resume"}
LONG |= {"test_out_of_memory_files", "test_out_of_memory", "test_out_of_memory_training", "test_training_bits"}
LONG |= {"test_io_faults_tables", "test_io_faults_training"}
SANITIZED_TESTS = {path: [test for test in tests if test not in LONG] for path, tests in TESTS.items()}

# `place` is the function, and which of its mutants that read the same this is, if it has several.
Mutant = collections.namedtuple("Mutant", "path begin end text kind line place before after")

# A mutant that root ran could put a file in the place of /dev/null, and all that follow would fail.
NOBODY = 65534 if os.geteuid() == 0 else None

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
    """Not in `= {0}`, which says that all is 0 and would change one member; nor the length of an array,
    which a test cannot tell from a greater one."""
    length = r"^ *(?:\w+ )+\**\w+\[\d+\](?= =|;)"
    code = re.sub(length, lambda m: blank(m[0]), code.replace("= {0}", "= { }"), flags=re.MULTILINE)
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


def functions(source, code):
    """What stands before the body of each, and the body."""
    for body in re.finditer(r"^\{\n.*?^\}\n", code, re.DOTALL | re.MULTILINE):
        head = source[: body.start()].rstrip("\n").split("\n\n")[-1]
        yield re.sub(r"/\*.*?\*/\s*", "", head, flags=re.DOTALL), body


def returns(source, code):
    """Of each return of a function what it must not be able to return unnoticed."""
    for head, body in functions(source, code):
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


def on_its_lines(change, source):
    """The lines where the change stands, before and after it, blanks made one."""
    at, to, text = change[:3]
    begin, end = source.rfind("\n", 0, at) + 1, source.find("\n", to)
    changed = source[begin:at] + text + source[to:end]
    return " ".join(source[begin:end].split()), " ".join(changed.split())


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
    mutants, known = [], collections.Counter()
    bodies = [(re.search(r"(\w+)\(", head)[1], body.end()) for head, body in functions(source, code)]
    for change in sorted(set(found)):
        function = next(name for name, end in bodies if change[0] < end)
        lines = on_its_lines(change, source)
        known[function, lines] += 1
        number = known[function, lines]
        place = function if number == 1 else f"{function} {number}"
        line = source.count("\n", 0, change[0]) + 1
        mutants.append(Mutant(path, *change, line, place, *lines))
    return mutants


def described(mutant):
    """As it stands in tests/mutants.txt."""
    return f"{mutant.path} {mutant.place}\n- {mutant.before}\n+ {mutant.after}"


# --- Trying them ------------------------------------------------------------------------------


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Build:
    """Library and tests as a preset makes them. A mutant's object then goes before the library into
    each test's link, in which nothing else is new."""

    def __init__(self, source, folder, preset, tests):
        self.folder = folder
        settings = ["-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DTULLE_BUILD_EXAMPLES=OFF"]
        command = ["cmake", "--preset", preset, "-B", str(folder), *settings]
        subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)
        command = ["cmake", "--build", str(folder), "--target", *tests]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self.compile_commands = {
            entry["file"]: shlex.split(entry["command"])
            for entry in json.loads((folder / "compile_commands.json").read_text())
        }
        self.source, self.links, self.limits = source, {}, {}
        for test in tests:
            command = ["ninja", "-C", str(folder), "-t", "commands", f"tests/{test}"]
            lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
            self.links[test] = lines[-1]
            begin = cpu_seconds()
            if not self.is_passed(folder / "tests" / test, folder / "tmp", 600):
                sys.exit(f"mutate.py: {test} fails without any mutant")
            self.limits[test] = 2 + int(4 * (cpu_seconds() - begin))

    def make_object(self, path, text, folder):
        """None where it does not compile."""
        source, made = folder / pathlib.Path(path).name, folder / "mutant.o"
        source.write_text(text)
        original = str(self.source / path)
        command = [str(source) if word == original else word for word in self.compile_commands[original]]
        command[command.index("-o") + 1] = str(made)
        command += ["-w", "-iquote", str(pathlib.Path(original).parent)]
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return made if done.returncode == 0 else None

    def is_passed(self, program, temporary, limit):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        if NOBODY:
            os.chown(temporary, NOBODY, NOBODY)
        environment = os.environ | {
            "TMPDIR": str(temporary),
            "CMOCKA_TEST_ABORT": "1",  # the first failure decides
            "MALLOC_PERTURB_": "165",  # freed and fresh memory is not what it happens to be
            "ASAN_OPTIONS": "hard_rss_limit_mb=4096",
        }
        memory = "" if "-fsanitize" in str(self.links) else "ulimit -v 8000000;"
        process = subprocess.Popen(
            ["sh", "-c", f'{memory} ulimit -c 0 -t {limit}; exec "$0"', str(program)], cwd=temporary,
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, user=NOBODY, group=NOBODY, extra_groups=[] if NOBODY else None,
        )  # fmt: skip
        try:
            return process.wait(60 + 10 * limit) in (0, 77)
        except subprocess.TimeoutExpired:
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):  # also what a test that failed has left behind
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def killer(self, made, tests, folder):
        """The first of the tests that fails with the object, or None."""
        program = folder / "test"
        for test in tests:
            link = self.links[test].replace(f"-o tests/{test} ", f"-o {program} {made} ")
            done = subprocess.run(link, shell=True, cwd=self.folder, stderr=subprocess.DEVNULL)
            if done.returncode != 0 or not self.is_passed(program, folder / "tmp", self.limits[test]):
                return test
        return None


class Verdicts:
    """Of machine code, in a file for the next run: "killed by TEST", "survived". What survived earlier
    runs is tried again, as the tests may have learned more."""

    def __init__(self, path):
        self.path, self.known = path, {}
        if path and path.is_file():
            lines = map(json.loads, path.read_text().splitlines())
            self.known = {key: verdict for key, verdict in lines if verdict != "survived"}

    def add(self, key, verdict):
        self.known[key] = verdict
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps([key, verdict]) + "\n")


class Workplace:
    """A copy of the sources, which nobody changes, and what is built of it."""

    def __init__(self, folder, paths, verdicts):
        self.folder, self.paths, self.verdicts = folder, paths, verdicts
        shutil.rmtree(folder / "source", ignore_errors=True)
        ignore = shutil.ignore_patterns("build", ".git", "__pycache__")
        shutil.copytree(ROOT, folder / "source", ignore=ignore)
        self.plain, self.sanitized = self.build("release", TESTS), None
        self.lock = threading.Lock()
        self.sources = {path: (folder / "source" / path).read_text() for path in paths}
        self.originals = {path: self.digest(path, self.sources[path], folder)[0] for path in paths}

    def build(self, preset, tests):
        needed = dict.fromkeys(test for path in self.paths for test in tests[path])
        return Build(self.folder / "source", self.folder / preset, preset, list(needed))

    def build_sanitized(self):
        with self.lock:
            self.sanitized = self.sanitized or self.build("asan", SANITIZED_TESTS)
        return self.sanitized

    def digest(self, path, text, folder):
        made = self.plain.make_object(path, text, folder)
        return made and hashlib.sha256(path.encode() + made.read_bytes()).hexdigest(), made

    def try_mutant(self, mutant):
        """What became of it: "uncompilable", "equivalent", "killed by TEST" or "survived"."""
        folder = self.folder / threading.current_thread().name
        folder.mkdir(exist_ok=True)
        path, source = mutant.path, self.sources[mutant.path]
        text = source[: mutant.begin] + mutant.text + source[mutant.end :]
        digest, made = self.digest(path, text, folder)
        if not made:
            return "uncompilable"
        if digest == self.originals[path]:
            return "equivalent"
        if digest in self.verdicts.known:
            return self.verdicts.known[digest]
        killer = self.plain.killer(made, TESTS[path], folder)
        if not killer:
            sanitized = self.build_sanitized()
            made = sanitized.make_object(path, text, folder)
            killer = sanitized.killer(made, SANITIZED_TESTS[path], folder)
        verdict = f"killed by {killer}" if killer else "survived"
        self.verdicts.add(digest, verdict)
        return verdict


def read_explained():
    """The mutants described in blocks; what else stands there are the reasons."""
    pattern = r"^lib/\S+ .*\n- .*\n\+ .*$"
    return set(re.findall(pattern, EXPLAINED.read_text(), re.MULTILINE)) if EXPLAINED.is_file() else set()


def run(mutants, options):
    """Prints each mutant that is not killed; returns how many came to which end."""
    explained, counts = read_explained(), collections.Counter()
    paths = sorted({mutant.path for mutant in mutants})
    workplace = Workplace(options.folder.resolve(), paths, Verdicts(options.results))
    tried = [mutant for mutant in mutants if described(mutant) not in explained]
    counts["explained"] = len(mutants) - len(tried)
    with concurrent.futures.ThreadPoolExecutor(options.jobs, "job") as pool:
        for mutant, verdict in zip(tried, pool.map(workplace.try_mutant, tried)):
            counts[verdict.split()[0]] += 1
            if verdict == "survived":
                print(f"{mutant.path}:{mutant.line}: {mutant.kind}\n{described(mutant)}", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="of these sources only, such as lib/model/checkpoint.c")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print the mutants, try none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many are tried at a time")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "mutants", help="to build in")
    parser.add_argument("--results", type=pathlib.Path, help="a file of verdicts, to go on from and add to")
    options = parser.parse_args()
    paths = options.files or list(TESTS)
    if unknown := [path for path in paths if path not in TESTS]:
        parser.error(f"there are no tests named for {unknown[0]}; there are for {', '.join(TESTS)}")
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    stale = {text for text in read_explained() if text.split()[0] in paths} - {described(m) for m in mutants}
    if options.sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    if options.list:
        for mutant in mutants:
            print(f"{mutant.path}:{mutant.line}: {mutant.kind}\n{described(mutant)}")
        print(f"{len(mutants)} mutants")
        return 0
    counts = run(mutants, options)
    for text in sorted(stale):
        print(f"{EXPLAINED.name} explains what is no mutant:\n{text}")
    print(
        f"{len(mutants)} mutants: {counts['killed']} killed, {counts['equivalent']} the same machine code, "
        f"{counts['uncompilable']} do not compile, {counts['explained']} explained in tests/{EXPLAINED.name}, "
        f"{counts['survived']} survived"
    )
    return 1 if counts["survived"] or stale else 0


if __name__ == "__main__":
    sys.exit(main())
