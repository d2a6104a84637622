#!/usr/bin/env python3
"""Whether scripts/check_structure.py notices: breaks each rule of the house in a copy of it.

usage: structure_check.py COMPILER

A rule whose breach goes unnoticed is printed; exit status 1 if there is one.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True
import check_structure

# What is put at the end of a file, and what must be said of it.
BREACHES = (
    ("lib/base/pace.c", '#include "../kernels/kernels.h"\n', "lib/base must not include from lib/kernels"),
    ("lib/data/levels.h", '#include "../model/model.h"\n', "lib/data must not include from lib/model"),
    ("lib/net/front.h", '#include "../../cli/files.h"\n', "lib/net must not include from cli"),
    ("cli/info.c", '#include "../lib/model/model.h"\n', "cli must not include from lib/model"),
    ("cli/info.c", '#include "../include/tulle_model.h"\n', "cli must not include from include"),
    ("examples/notebook.c", '#include "../lib/base/rng.h"\n', "is not found from here"),
    ("include/tulle_base.h", '#include "../lib/base/pool.h"\n', "include must not include from lib/base"),
    ("lib/kernels/kernels.c", '#include "vec_avx2.h"\n', "only the kernels' stubs may include vec_avx2.h"),
    ("lib/base/new.c", "#include <stddef.h>\n", 'the first include must be "../base/portability.h"'),
    ("lib/net/new.c", '#include <math.h>\n#include "../base/portability.h"\n', 'the first include must be'),
    ("lib/other/new.c", '#include "../base/portability.h"\n', "lib/other is no layer of the house"),
    ("lib/base/deeper/new.h", "\n", "lib/base/deeper is no layer of the house"),
    ("cli/model.h", "\n", "the name is taken by cli/model.h"),
    ("tests/cli/test.sh", "\n", "the name is taken by"),
    ("tests/test_status.c", "\n" * 600, "the limit is 600"),
    ("scripts/fuzz.sh", "\n" * 600, "the limit is 600"),
    ("include/tulle_table.h", "\nTULLE_API int\ntulle_new(void);\n", "tulle_new has no comment"),
    ("include/tulle_model.h", "\n/* New. */\nint tulle_new(int x);\n", "tulle_new is declared without TULLE_API"),
    ("include/tulle_new.h", "/* New. */\nTULLE_API int tulle_new(void);\n", 'its calls are not extern "C"'),
)

HEADER = """
/* Three calls. */
TULLE_API int tulle_exported(int x);
TULLE_API enum tulle_status
tulle_hidden(void);
TULLE_API const char *tulle_missing(const char *);
"""
SOURCE = """
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((visibility("default"))) int tulle_exported(int x)
{
    static int calls;
    static const char *const constant[] = {"a", "b"};
    char *copy = malloc(x + 1);
    printf("%s %d\\n", constant[x & 1], ++calls);
    if (open(getenv("HOME"), O_RDONLY) < 0 && fopen("/", "r"))
        exit((int)exp(x + calls));
    free(copy);
    return calls;
}
void tulle_hidden(void) {}
__attribute__((visibility("default"))) void tulle_undeclared(void) {}
void other_prefix(void) {}
_Thread_local int tulle_last;
"""
SYMBOL_BREACHES = [f"uses {name}: " for name in "malloc free open fopen getenv exit exp".split()]
SYMBOL_BREACHES += ["printf: ", "the symbol other_prefix must begin with tulle_",
                    "tulle_missing is declared but"]
LINUX_BREACHES = ["the variable calls", "the variable tulle_last", "tulle_undeclared is in no header",
                  "tulle_hidden is not exported", "tulle_missing is not exported"]


def says(expected, *arguments):
    found = [text for _, _, text in check_structure.breaches_in(*arguments)]
    missing = [text for text in expected if not any(text in line for line in found)]
    for text in missing:
        print(f"structure_check.py: nothing was said of this breach: {text}")
    return not missing


def check_sources(root):
    tops = "include", "lib", "cli", "examples", "tests", "scripts"
    for path in check_structure.sources_in(ROOT, *tops, suffixes=".c .h .py .sh"):
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    result = not check_structure.breaches_in(root)
    if not result:
        print("structure_check.py: the house is not in order to begin with")
    for name, text, expected in BREACHES:
        path = root / name
        before = path.read_text() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_text((before or "") + text)
        result &= says([expected], root)
        path.unlink() if before is None else path.write_text(before)
    return result


def check_libraries(root, compiler):
    (root / "include").mkdir()
    (root / "include" / "tulle.h").write_text(HEADER)
    (root / "bad.c").write_text(SOURCE)
    for command in ([compiler, "-O0", "-fPIC", "-fvisibility=hidden", "-c", "bad.c"], ["ar", "rc", "libbad.a", "bad.o"],
                    [compiler, "-shared", "bad.o", "-o", "libbad.so", "-lm"]):
        subprocess.run(command, cwd=root, check=True, stderr=subprocess.DEVNULL)
    expected = SYMBOL_BREACHES + (LINUX_BREACHES if sys.platform == "linux" else [])
    if any("constant" in text for _, _, text in check_structure.breaches_in(root, root / "libbad.a")):
        print("structure_check.py: a constant was taken for state")
        return False
    return says(expected, root, root / "libbad.a", root / "libbad.so")


def main():
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        result = check_sources(pathlib.Path(one).resolve())
        result &= check_libraries(pathlib.Path(other).resolve(), sys.argv[1])
    print(f"{len(BREACHES) + len(SYMBOL_BREACHES) + len(LINUX_BREACHES)} breaches, each noticed" if result else "FAILED")
    return 0 if result else 1


if __name__ == "__main__":
    sys.exit(main())
