#!/bin/sh
# Looks into the shared library and programs as they were built for what cmake/hardening.cmake asks the
# compiler and the linker for. Elsewhere than on Linux it is skipped (77).
#
# usage: check_hardening.sh CONFIGURATION LIBRARY.so [PROGRAM...]
set -eu
configuration=$1 library=$2
shift
command -v readelf >/dev/null && readelf -h "$library" >/dev/null 2>&1 || exit 77

failed=0
check() { # check FILE WHAT COMMAND...: the command must succeed
    file=$1 what=$2
    shift 2
    "$@" && return
    echo "check_hardening.sh: $(basename "$file"): $what" >&2
    failed=1
}
has() { printf '%s\n' "$1" | grep -qE "$2"; }
lacks() { ! has "$@"; }

for file in "$@"; do
    segments=$(readelf -lW "$file") dynamic=$(readelf -dW "$file") calls=$(nm -D "$file")
    check "$file" "its stack is executable" has "$segments" 'GNU_STACK.* RW +0x'
    check "$file" "a segment can be both written and executed" lacks "$segments" 'LOAD.* RWE '
    check "$file" "addresses are not made read-only (RELRO)" has "$segments" GNU_RELRO
    check "$file" "calls are not bound at the start (BIND_NOW)" has "$dynamic" BIND_NOW
    check "$file" "not at random addresses (PIE)" has "$segments" 'file type is DYN'
    check "$file" "its code is patched at the start (TEXTREL)" lacks "$dynamic" TEXTREL
    check "$file" "stacks are not guarded (-fstack-protector)" has "$calls" __stack_chk_fail
    # Other C libraries and builds that are not optimised have no such checks.
    if [ "$configuration" != Debug ] && has "$calls" '@GLIBC'; then
        check "$file" "buffers' sizes are not checked (_FORTIFY_SOURCE)" has "$calls" '__[a-z]+_chk@'
    fi
done
[ $failed = 0 ] && echo "hardened: $*"
