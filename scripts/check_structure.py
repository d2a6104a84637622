#!/usr/bin/env python3
"""Checks the rules of the house: who may include whom, which names are taken, what the library may call.

usage: check_structure.py [LIBRARY.a [LIBRARY.so]]     with the libraries, their symbols are checked too

docs/design.md gives the reasons. Prints each breach as file:line: what is wrong; exit status 1 if any.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> the folders that its sources may include, "tulle.h" being always allowed.
LAYERS = {
    "lib/base": [],
    "lib/kernels": ["lib/base"],
    "lib/net": ["lib/base", "lib/kernels"],
    "lib/data": ["lib/base"],
    "lib/model": ["lib/base", "lib/kernels", "lib/net", "lib/data"],
    "lib/train": ["lib/base", "lib/kernels", "lib/net", "lib/data", "lib/model"],
    "cli": [],
    "examples": [],
    "bench": [],
    "python/src": [],
}
# vec_<isa>.h opens a region of code for one instruction set: only the kernels' stubs may see it.
VEC_HEADER = re.compile(r"vec_(?!types|math)\w+\.h$")
MAX_LINES = 600
# What a library must not do: print, end the process, read the environment (kernels.c's one look aside).
FORBIDDEN_CALLS = {"printf", "puts", "putchar", "perror", "vprintf", "__printf_chk", "exit", "_exit", "abort",
                   "getenv", "secure_getenv", "system", "stdout", "stderr", "__assert_fail", "setlocale"}
ALLOWED_CALLS = {("kernels.c", "getenv")}

breaches = []


def breach(path, line, text):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def check_includes(folder, path):
    if path.suffix == ".c" and folder.startswith("lib/") and not re.search(r'\A[^#]*#include "(\.\./base/)?portability\.h"', path.read_text()):
        breach(path, 1, 'the first include must be "../base/portability.h"')
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        name = match.group(1)
        if name in ("tulle.h", "../include/tulle.h", "../../include/tulle.h"):
            continue
        target = (path.parent / name).resolve()
        if not target.is_file():
            breach(path, number, f'"{name}" is not found from here; includes are relative to the file')
            continue
        to = str(target.parent.relative_to(ROOT))
        if to != folder and to not in LAYERS[folder]:
            breach(path, number, f"{folder} must not include from {to}")
        if VEC_HEADER.search(name) and not re.match(r"kernels_\w+_f\d\d\.c$", path.name):
            breach(path, number, f"only the kernels' stubs may include {name}")


def check_sources():
    taken = {}
    for path in sorted(p for top in ("include", "lib", "cli", "examples", "bench", "python", "tests") for p in (ROOT / top).rglob("*.[ch]")):
        lines = path.read_text().count("\n")
        if lines > MAX_LINES:
            breach(path, MAX_LINES, f"{lines} lines; the limit is {MAX_LINES}")
        if path.name in taken:
            breach(path, 1, f"the name is taken by {taken[path.name].relative_to(ROOT)}")
        taken[path.name] = path
        folder = str(path.parent.relative_to(ROOT))
        if folder in LAYERS:
            check_includes(folder, path)
        elif folder.startswith("lib"):
            breach(path, 1, f"{folder} is no layer of the library")


def declared_calls():
    headers = "".join(path.read_text() for path in sorted((ROOT / "include").glob("*.h")))
    headers = re.sub(r"/\*.*?\*/", "", headers, flags=re.S)
    return set(re.findall(r"TULLE_API [^;]*?\b(tulle_\w+)\(", headers))


def check_symbols(library):
    defined = set()
    member = "?"
    for line in subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.endswith(".o:"):
            member = line[:-3].removesuffix(".o")
        fields = line.split()
        if len(fields) < 2:
            continue
        kind, name = fields[-2], fields[-1]
        if sys.platform == "darwin":
            name = name.removeprefix("_")
        if kind == "U" and name in FORBIDDEN_CALLS and (member, name) not in ALLOWED_CALLS:
            breaches.append(f"{library}({member}): uses {name}, which a library must not")
        if kind in "TDBRVWCGSui" and not name.startswith("tulle_"):
            breaches.append(f"{library}({member}): the symbol {name} must begin with tulle_")
        if kind == "T":
            defined.add(name)
    for name in sorted(declared_calls() - defined):
        breaches.append(f"include: {name} is declared but {library} does not define it")


def check_exports(library):
    output = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1] for line in output.splitlines()}
    for name in sorted(exported ^ declared_calls()):
        breaches.append(f"{library}: {name} is {'exported, but in no header' if name in exported else 'not exported'}")


check_sources()
if len(sys.argv) > 1:
    check_symbols(sys.argv[1])
if len(sys.argv) > 2 and sys.platform == "linux":
    check_exports(sys.argv[2])
print("\n".join(breaches) if breaches else "the house is in order")
sys.exit(1 if breaches else 0)
