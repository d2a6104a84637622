#!/usr/bin/env python3
"""Checks the rules of the house: who may include whom, which names are taken, what the library may call.

usage: check_structure.py [LIBRARY.a [LIBRARY.so]]     with the libraries, their symbols are checked too

docs/design.md gives the reasons. Prints each breach as file:line: what is wrong; exit status 1 if any.
tests/structure_check.py breaks each rule, and wants to hear of it.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> the folders that its sources may include, "tulle.h" being always allowed.
LAYERS = {
    "include": [],
    "lib/base": [],
    "lib/kernels": ["lib/base"],
    "lib/net": ["lib/base", "lib/kernels"],
    "lib/data": ["lib/base"],
    "lib/model": ["lib/base", "lib/kernels", "lib/net", "lib/data"],
    "lib/train": ["lib/base", "lib/kernels", "lib/net", "lib/data", "lib/model"],
    "cli": [],
    "examples": [],
    "bench/peers": [],
    "python/src": [],
}
# vec_<isa>.h opens a region of code for one instruction set: only the kernels' stubs may see it.
VEC_HEADER = re.compile(r"vec_(?!types|math)\w+\.h$")
MAX_LINES = 600

# What a source of the library may call only if it is one of these, and why no other may.
CALLS = (
    ("a library must not print, end the process or change what belongs to all of it",
     "printf puts putchar perror vprintf dprintf stdout stderr exit _exit "
     "_Exit quick_exit abort __assert_fail raise kill signal sigaction system popen fork setlocale setenv putenv "
     "srand", []),
    ("a library must not read the environment (but for the override that tests use)",
     "getenv secure_getenv environ", ["kernels.c"]),
    ("memory comes from the allocator that tulle_set_allocator() sets: base/memory.h",
     "malloc calloc realloc reallocarray aligned_alloc posix_memalign memalign strdup strndup __strdup __strndup "
     "asprintf vasprintf", ["memory.c"]),
    ("memory goes back to the allocator that tulle_set_allocator() sets: base/memory.h",
     "free", ["memory.c", "cpu.c"]),  # what getdelim() made
    ("files are reached through base/file_io.h, where tests let each call fail",
     "open openat creat read pread readv write pwrite writev close fsync fdatasync rename renameat unlink unlinkat "
     "remove link symlink mkstemp tmpfile ftruncate truncate mmap stat lstat fstat fstatat lseek chmod fchmod "
     "access readlink fcntl flock", ["file_io.c"]),
    ("files are reached through base/file_io.h, where tests let each call fail",
     "fopen freopen fdopen", ["cpu.c"]),  # /proc and /sys
    ("a library must not start programs, load code or open connections",
     "execl execle execlp execv execve execvp execvpe fexecve posix_spawn posix_spawnp vfork dlopen dlsym "
     "socket connect bind accept getaddrinfo", []),
    ("threads belong to base/pool.h", "pthread_create thrd_create", ["pool.c"]),
    ("its last bits depend on the C library; kernels/vec_math.h has ours",
     " ".join(f"{name} {name}f" for name in
              "exp exp2 exp10 expm1 log log2 log10 log1p pow sin cos sincos tan asin acos atan atan2 sinh cosh tanh "
              "asinh acosh atanh erf erfc lgamma tgamma cbrt hypot".split()), []),
)
# Variables that may be written to: the allocator, what CPUID has said once for all, and what tests replace.
STATE = {("memory.c", "own"), ("cpu.c", "known"), ("file_io.c", "tulle_file_io")}


def sources_in(root, *tops, suffixes=".c .h"):
    return sorted(p for top in tops for p in (root / top).rglob("*") if p.suffix in suffixes.split())


def check_includes(root, folder, path):
    text = path.read_text()
    begins_portably = re.search(r'\A[^#]*#include "(\.\./base/)?portability\.h"', text)
    if path.suffix == ".c" and folder.startswith("lib/") and not begins_portably:
        yield path, 1, 'the first include must be "../base/portability.h"'
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        name = match.group(1)
        target = (path.parent / name).resolve()
        if target == root / "include" / "tulle.h" or name == "tulle.h":
            continue
        if not target.is_file():
            yield path, number, f'"{name}" is not found from here; includes are relative to the file'
            continue
        to = str(target.parent.relative_to(root))
        if to != folder and to not in LAYERS[folder]:
            yield path, number, f"{folder} must not include from {to}"
        if VEC_HEADER.search(name) and not re.match(r"kernels_\w+_f\d\d\.c$", path.name):
            yield path, number, f"only the kernels' stubs may include {name}"


def check_sources(root):
    taken = {}
    tops = "include", "lib", "cli", "examples", "bench", "python", "tests", "scripts"
    for path in sources_in(root, *tops, suffixes=".c .h .py .sh"):
        lines = path.read_text().count("\n")
        if lines > MAX_LINES:
            yield path, MAX_LINES, f"{lines} lines; the limit is {MAX_LINES}"
        if path.name in taken:
            yield path, 1, f"the name is taken by {taken[path.name].relative_to(root)}"
        taken[path.name] = path
    for path in sources_in(root, "include", "lib", "cli", "examples", "bench", "python"):
        folder = str(path.parent.relative_to(root))
        if folder in LAYERS:
            yield from check_includes(root, folder, path)
        else:
            yield path, 1, f"{folder} is no layer of the house"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_of(path):
    return re.sub(r"/\*.*?\*/", blank, path.read_text(), flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


PUBLIC_CALL = re.compile(r"^TULLE_API [^;]*?\b(tulle_\w+)\([^;]*;", flags=re.M)
OTHER_CALL = re.compile(r"^(?!static |typedef )\w[\w *]*\b(tulle_\w+)\(", flags=re.M)


def declared_calls(root):
    """Every call of the public headers -> where it is declared."""
    return {match.group(1): (path, line_of(match.string, match.start()))
            for path in sources_in(root, "include") for match in PUBLIC_CALL.finditer(code_of(path))}


def check_headers(root):
    for path in sources_in(root, "include"):
        text, code = path.read_text(), code_of(path)
        # Calls that stand together share a comment; tulle.h has that of all *_name and *_from_name.
        for group in re.finditer(r".+(\n.+)*", text):
            calls = [call for call in PUBLIC_CALL.finditer(group.group()) if not call.group(1).endswith("_name")]
            if calls and "/*" not in group.group():
                yield path, line_of(text, group.start()), f"{calls[0].group(1)} has no comment"
        for call in OTHER_CALL.finditer(PUBLIC_CALL.sub(blank, code)):
            yield path, line_of(code, call.start()), f"{call.group(1)} is declared without TULLE_API"
        if PUBLIC_CALL.search(code) and 'extern "C"' not in code:
            yield path, 1, 'its calls are not extern "C"'


def nm(*arguments):
    return subprocess.run(["nm", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def check_symbols(root, library):
    defined = set()
    member = "?"
    for line in nm(library):
        if line.endswith(".o:"):
            member = line[:-3].removesuffix(".o")
        fields = line.split()
        if len(fields) < 2:
            continue
        kind, name = fields[-2], fields[-1]
        if sys.platform == "darwin":
            name = name.removeprefix("_")
        if kind == "U":
            name = re.sub(r"^__(\w+)_chk$", r"\1", name)  # with _FORTIFY_SOURCE
            for why, names, callers in CALLS:
                if name in names.split() and member not in callers:
                    yield library, member, f"uses {name}: {why}"
        if kind in "TDBRVWCGSui" and not name.startswith("tulle_"):
            yield library, member, f"the symbol {name} must begin with tulle_"
        if kind == "T":
            defined.add(name)
    for name, (path, line) in declared_calls(root).items():
        if name not in defined:
            yield path, line, f"{name} is declared but {library} does not define it"


def check_state(library):
    """Data that can be written to: what compilers put elsewhere only because of its addresses is not."""
    member = "?"
    for line in nm("--format=sysv", library):
        match = re.match(r"Symbols from .*\[(.*)\.o\]:", line)
        member = match.group(1) if match else member
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 7 or not re.match(r"\*COM|\.(data|bss|tdata|tbss)(?!\.rel\.ro)", fields[6]):
            continue
        name = [part for part in fields[0].split(".") if not part.isdigit()][-1]  # "name.0", "function.name"
        if fields[3] in ("OBJECT", "TLS") and (member, name) not in STATE:
            yield library, member, f"the variable {name} keeps state between calls"


def check_exports(root, library):
    exported = {line.split()[-1] for line in nm("-D", "--defined-only", library)}
    calls = declared_calls(root)
    for name in sorted(exported - calls.keys()):
        yield library, "exports", f"{name} is in no header"
    for name in sorted(calls.keys() - exported):
        yield *calls[name], f"{name} is not exported by {library}"


def breaches_in(root, library=None, shared_library=None):
    """All of them, as (file, line or member, what is wrong)."""
    found = [*check_sources(root), *check_headers(root)]
    if not declared_calls(root):
        found.append((root / "include", 0, "no call is declared"))
    if library:
        found += check_symbols(root, library)
    if sys.platform == "linux":  # other systems' nm shows this in other ways
        found += check_state(library) if library else []
        found += check_exports(root, shared_library) if shared_library else []
    return found


def main():
    found = breaches_in(ROOT, *sys.argv[1:3])
    for path, place, text in found:
        print(f"{path.relative_to(ROOT) if isinstance(path, pathlib.Path) else path}:{place}: {text}")
    if not found:
        print(f"the house is in order: {len(declared_calls(ROOT))} public calls")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
