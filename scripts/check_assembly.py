#!/usr/bin/env python3
"""Reads the machine code of the kernels: a product's sums must stay in registers, and every one of its
multiply-adds be fused and as wide as the instruction set's vectors.

usage: check_assembly.py LIBRARY.a [OBJDUMP]

A compiler that loses sight of a tile (a loop over its sums left rolled, one register too few) still gives
right results, several times slower. So this disassembles every kernels_<isa>_<type>.c of the library but
the generic ones, and looks at the innermost loops that have fused multiply-adds and no other arithmetic on
floating-point numbers (an activation's loop has) and call nothing. Those that store nothing are the product loops, where a
tile's sums run over k:

  - none of these loops may refer to the stack (a product loop may walk along a buffer there);
  - a product loop's multiply-adds must all be of whole vectors, and no loop that stores nothing may
    multiply without adding;
  - for every number of rows from 1 to TILE_ROWS there must be one with TILE_VECS multiply-adds a row, or a
    multiple of that, as compilers unroll.

Names of functions play no part. For each table it prints the number of product loops and the instructions
per multiply-add of the whole tile. Exit status 77 where there is no objdump.
"""
import pathlib
import re
import shutil
import subprocess
import sys

KERNELS = pathlib.Path(__file__).resolve().parent.parent / "lib/kernels"


class X86:
    """What instructions look like in AT&T's notation: the last operand is written."""
    formats = re.compile("x86-64")
    vectors = {"avx2": re.compile("%ymm"), "avx512": re.compile("%zmm")}
    fused = re.compile(r"vfn?m(add|sub)\d")
    arithmetic = re.compile(r"v(add|sub|mul|div|sqrt|min|max|cmp|round|rndscale)[ps][sd]")
    multiply = re.compile(r"v?mul[ps][sd]")
    store = re.compile(r"v?mov\w* .*\)$")
    jump = re.compile(r"j")
    leaves = re.compile(r"jmp|ret|ud2")
    call = re.compile(r"call")
    memory = re.compile(r"\(%(\w+)(?:,%(\w+))?")
    stack = "rsp"

    @staticmethod
    def writes(text):
        """Yields (register, the one that it is made from, which may be itself, or None)."""
        last = re.search(r"%(?:[re]?([a-ds][ipx]|bp|sp)|(r\d+)d?)$", text)
        if last and not re.match("cmp|test|push", text):
            register = last[2] or "r" + last[1]
            source = re.match(r"(?:mov %|lea \S*\(%)(\w+)", text)
            moved = re.match("add|sub|and|inc|dec", text)
            yield register, register if moved else source and source[1]


class Arm64:
    """The same for aarch64: the first operand is written."""
    formats = re.compile("aarch64|arm64")
    vectors = {"neon": re.compile(r"\.(4s|2d)")}
    fused = re.compile(r"fn?m(la|ls|add|sub)\b")
    arithmetic = re.compile(r"f(add|sub|mul|div|sqrt|min|max|cm|rint)")
    multiply = re.compile(r"fn?mul")
    store = re.compile(r"st")
    jump = re.compile(r"b |b\.|cbn?z|tbn?z")
    leaves = re.compile(r"(b|br|ret|brk|udf)( |$)")
    call = re.compile(r"blr? ")
    memory = re.compile(r"\[(\w+)(?:, (x\d+))?")
    stack = "sp"

    @staticmethod
    def writes(text):
        match = re.match(r"(?!st|cmp|cmn|tst|cb|tb)\w+ [wx](\d+)(?:, ([wx]\d+|sp))?", text)
        if match:
            moved = re.match("mov|add|sub", text)
            yield "x" + match[1], match[2] if moved else None
            if text.startswith("ldp") and match[2]:
                yield "x" + match[2][1:], None
        walk = re.search(r"\[(x\d+)(\], |.*\]!)", text)
        if walk:
            yield walk[1], walk[1]


def disassemble(library, objdump):
    """Yields (isa, type, file format, functions) for each table of the library. A function is a list of
    (address, text) of its instructions."""
    output = subprocess.run([objdump, "-d", "--no-show-raw-insn", library], capture_output=True, text=True,
                            check=True).stdout
    parts = re.split(r"^(.*\.o)\)?:\s+file format (.*)$", output, flags=re.M)
    for member, form, code in zip(parts[1::3], parts[2::3], parts[3::3]):
        table = re.search(r"\bkernels_(\w+)_(f\d\d)\.", member)
        if not table:
            continue
        functions = []
        for body in re.split(r"^[0-9a-f]+ <.*>:$", code, flags=re.M)[1:]:
            lines = re.findall(r"^\s*([0-9a-f]+):\s+(.*)$", body, flags=re.M)
            functions.append([(int(address, 16), " ".join(re.sub(r"\s(#|//) .*", "", text).split()))
                              for address, text in lines])
        yield table.group(1), table.group(2), form, functions


def innermost_loops(function, machine):
    """Yields (first, last) of each loop: a conditional jump back over code that runs from end to end, within
    which nothing jumps back and into the middle of which nothing jumps from elsewhere. (Where that is not
    so, the compiler has put a part of an outer loop, with the inner one, in another place.)"""
    index = {address: i for i, (address, _) in enumerate(function)}
    jumps = []
    for i, (_, text) in enumerate(function):
        target = machine.jump.match(text) and re.search(r"\b(?:0x)?([0-9a-f]+) <", text)
        if target and int(target.group(1), 16) in index:
            jumps.append((i, index[int(target.group(1), 16)]))
    back = [(first, last) for last, first in jumps if first <= last]
    for first, last in back:
        if any(first <= at < last for _, at in back):
            continue
        if any(machine.leaves.match(text) for _, text in function[first:last + 1]):
            continue
        if not any(first < to <= last and not first <= at <= last for at, to in jumps):
            yield first, last


def stack_reference(function, first, last, machine, writes):
    """The first instruction of a loop that refers to the stack, or None. A register points there if it is
    the stack's or was last made from one that does, as far as the code tells when read straight upwards.
    writes: register -> (where, source) of all that sets it in the function. A loop that stores nothing may
    walk along a buffer there."""
    stores = any(machine.store.match(text) for _, text in function[first:last + 1])
    for at in range(first, last + 1):
        for memory in machine.memory.finditer(function[at][1]):
            registers = [register for register in memory.groups() if register]
            walks = any(first <= where <= last for register in registers for where, _ in writes.get(register, []))
            if not stores and walks:
                continue
            for register in registers:
                where = at
                while register and register != machine.stack:
                    earlier = [write for write in writes.get(register, []) if write[0] < where]
                    where, register = earlier[-1] if earlier else (0, None)
                if register:
                    return function[at][1]
    return None


def check_table(isa, functions, machine):
    """Returns a line on what was found, and the faults."""
    header = (KERNELS / f"vec_{isa}.h").read_text()
    rows, vecs = (int(re.search(rf"#define {name} (\d+)", header).group(1)) for name in ("TILE_ROWS", "TILE_VECS"))
    faults, loops = [], 0
    shortest = {}  # instructions of a product loop, by its number of multiply-adds
    for function in functions:
        writes = {}
        for at, (_, text) in enumerate(function):
            for register, source in machine.writes(text):
                writes.setdefault(register, []).append((at, source))
        for first, last in innermost_loops(function, machine):
            body = [text for _, text in function[first:last + 1]]
            fused = [text for text in body if machine.fused.match(text)]
            stores = any(machine.store.match(text) for text in body)
            bare = [text for text in body if machine.multiply.match(text)]
            if bare and not stores:
                faults.append(f"the loop at {function[first][0]:x} multiplies without adding: {bare[0]}")
            if not fused or any(machine.arithmetic.match(text) or machine.call.match(text) for text in body):
                continue
            name = f"the loop of {len(fused)} multiply-adds at {function[first][0]:x}"
            reference = stack_reference(function, first, last, machine, writes)
            if reference:
                faults.append(f"{name} refers to the stack: {reference}")
            if stores:
                continue
            loops += 1
            narrow = [text for text in fused if not machine.vectors[isa].search(text)]
            if narrow:
                faults.append(f"{name} has a narrow one: {narrow[0]}")
            shortest[len(fused)] = min(len(body), shortest.get(len(fused), len(body)))
    for r in range(1, rows + 1):
        if not any(count % (r * vecs) == 0 for count in shortest):
            faults.append(f"no loop has the {r * vecs} multiply-adds of {r} x {vecs} vectors")
    cost = min((shortest[count] / count for count in shortest if count % (rows * vecs) == 0), default=float("nan"))
    return f"{loops} product loops; the tile of {rows} x {vecs} vectors: {cost:.2f} instructions a multiply-add", faults


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    objdump = shutil.which(sys.argv[2] if len(sys.argv) == 3 else "objdump")
    if not objdump:
        print("check_assembly.py: no objdump here, the kernels' machine code is not checked")
        sys.exit(77)
    tables = failed = 0
    for isa, precision, form, functions in disassemble(sys.argv[1], objdump):
        for machine in (X86, Arm64):
            if isa in machine.vectors and machine.formats.search(form):
                line, faults = check_table(isa, functions, machine)
                print(f"{isa} {precision}: {line}", *faults, sep=f"\n{isa} {precision}: ")
                tables += 1
                failed += len(faults)
    if not tables:
        print("check_assembly.py: the library has no table of kernels that it knows")
    sys.exit(1 if failed or not tables else 0)


main()
