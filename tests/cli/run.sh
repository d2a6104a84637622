#!/bin/sh
# Usage: run.sh TULLE_BINARY [NAME...]
#
# Runs the tests of the command: each NAME.sh here (all, unless some are named) in an empty folder,
# and compares what it prints with NAME.expected. A test that ends with status 77 is skipped: it
# needs what this machine lacks. Ends with status 1 if a test failed, 77 if all were skipped.
#
#   UPDATE=1 run.sh TULLE_BINARY [NAME...]    writes the .expected files; read the diff afterwards

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: run.sh TULLE_BINARY [NAME...]" >&2; exit 2; }
TULLE=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
[ -x "$TULLE" ] || { echo "run.sh: $TULLE is no program" >&2; exit 2; }
shift
[ $# -gt 0 ] || set -- $(cd "$here" && ls *.sh | sed 's/\.sh$//' | grep -v -x -e run -e support)

LC_ALL=C
export TULLE LC_ALL
passed=0 failed=0 skipped=0
for name; do
    SCRATCH=$(mktemp -d) || exit 2
    export SCRATCH
    mkdir "$SCRATCH/work"
    (cd "$SCRATCH/work" && . "$here/support.sh" && . "$here/$name.sh") >"$SCRATCH/output" 2>&1 \
        </dev/null
    status=$?
    [ $status -eq 77 ] || [ -z "$UPDATE" ] || cp "$SCRATCH/output" "$here/$name.expected"
    if [ $status -eq 77 ]; then
        skipped=$((skipped + 1))
        echo "SKIP $name: $(tail -n 1 "$SCRATCH/output")"
    elif diff -u "$here/$name.expected" "$SCRATCH/output" && [ $status -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name (status $status; lines with - were expected, with + were printed)"
    fi
    chmod -R u+w "$SCRATCH"
    rm -rf "$SCRATCH"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] || exit 1
[ $passed -gt 0 ] || exit 77
