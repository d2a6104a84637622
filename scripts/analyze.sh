#!/bin/sh
# Static analysis of the library and the command: cppcheck, gcc -fanalyzer and clang-tidy. Prints every
# finding that is not justified: in place (NOLINT), in scripts/cppcheck.txt, in .clang-tidy, or below. Exit
# status 1 if there is one; but 77, skipped, where only a tool of another version than CI's finds one, or
# a tool is missing.
#
# usage: analyze.sh [quick]     quick: without clang-tidy and the kernels
set -eu
cd "$(dirname "$0")/.."
quick=${1:-}
sh scripts/deps.sh analyze "$quick" || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobs=$(getconf _NPROCESSORS_ONLN)
settings="-std=c11 -DTULLE_WITH_MODEL_FILES -DTULLE_WITH_GZIP"

# All tables of kernels are stamped from one template: the plain one and a vector one show it all.
find lib cli -name '*.c' ! -name 'kernels_*_f*.c' | sort >"$work/files"
[ "$quick" = quick ] || ls lib/kernels/kernels_generic_f32.c lib/kernels/kernels_avx2_f64.c >>"$work/files"

status=0
fell() { # fell TOOL: it did not come to its end, whatever it has found
    tail -n 5 "$work/said"
    echo "analyze.sh: $1 failed" >&2
    status=1
}
report() { # report TOOL VERSION KNOWN-VERSION: what it has said is in $work/said
    grep -E '[0-9]: (warning|error|style|performance|portability)' "$work/said" | sort -u >"$work/findings" || true
    cat "$work/findings"
    echo "$1 $2: $(wc -l <"$work/files") files, $(wc -l <"$work/findings") findings"
    [ -s "$work/findings" ] || return 0
    case $2 in
    "$3"*) status=1 ;;
    *) [ $status = 1 ] || status=77 ;;
    esac
}

# shellcheck disable=SC2086 # words, on purpose
cppcheck -j "$jobs" --std=c11 -DTULLE_WITH_MODEL_FILES -DTULLE_WITH_GZIP -D__x86_64__ -D__linux__ -D__GNUC__ \
    --quiet --inline-suppr --enable=warning,style,performance,portability --suppressions-list=scripts/cppcheck.txt \
    --template='{file}:{line}: {severity}: {message} [{id}]' --file-list="$work/files" >"$work/said" 2>&1 ||
    fell cppcheck
report cppcheck "$(cppcheck --version | sed 's/[^0-9]*//')" 2.10

# gcc 12 takes the size of a vector for that of its elements, and its lanes, set one by one, for not set.
kernels="-Wno-analyzer-shift-count-overflow -Wno-analyzer-use-of-uninitialized-value"
while read -r file; do
    case $file in
    */kernels_*_f*) flags=$kernels ;;
    *) flags= ;;
    esac
    echo "-O1 $settings -Wall -Wextra -Wno-missing-field-initializers -fanalyzer $flags -c $file -o /dev/null"
done <"$work/files" | xargs -P "$jobs" -I{} sh -c 'gcc {}' >"$work/said" 2>&1 || fell gcc
report "gcc -fanalyzer" "$(gcc -dumpfullversion)" 12.

if [ "$quick" != quick ]; then
    # shellcheck disable=SC2086
    xargs -P "$jobs" -I{} clang-tidy --quiet {} -- $settings <"$work/files" >"$work/said" 2>&1 || fell clang-tidy
    report clang-tidy "$(clang-tidy --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" 14.
fi
exit $status
