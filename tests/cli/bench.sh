# The lines of every part, the members of the JSON, and nothing left behind; not the figures.
needs python3
TMPDIR=$PWD
export TMPDIR

# What stands before the figures, which must be of the one form or the other.
lines() {
    "$TULLE" bench --quick --threads 1 "$@" >"$SCRATCH/out" || echo "(exit $?)"
    sed -E '1,2d; s/^  (generic|avx2|avx512|neon)( +f)/  LEVEL\2/' "$SCRATCH/out" >"$SCRATCH/lines"
    cut -c 1-46 "$SCRATCH/lines" | sed -E 's/LEVEL +/LEVEL /; s/ +$//'
    number='[0-9]+(\.[0-9]+)?'
    time=" +$number +(s|ms|us|ns)"
    tail -n +3 "$SCRATCH/out" | grep '^  ' | cut -c 47- |
        grep -v -E -x " +$number|$time +$number|$time +$number +$number($time)?"
}
for part in step shapes recipes predict read widths; do
    echo "--- $part"
    lines --only $part
done

echo "--- all but the widths, and one more line for many threads"
"$TULLE" bench --quick --threads 2 >"$SCRATCH/out"
grep -c '^  ' "$SCRATCH/out"
grep '^[a-z]' "$SCRATCH/out" | grep -v '^tulle' | sed 's/   .*//'

echo "--- JSON"
for part in step predict read; do
    "$TULLE" bench --quick --threads 1 --only $part --json | python3 -c '
import json, sys

def refuse(text):
    raise ValueError(text)

def members(value):
    return {key: members(item) for key, item in value.items()} if isinstance(value, dict) else type(value).__name__

bench = json.load(sys.stdin, parse_constant=refuse)
lines = bench.pop("lines")
print(members(bench))
seen = []
for line in lines:
    if members(line) not in seen:
        seen.append(members(line))
        print(line["part"], line["subject"] if line["part"] != "peak" else "", members(line))
print(all(line["seconds"]["lower"] <= line["seconds"]["median"] <= line["seconds"]["upper"]
          for line in lines if "seconds" in line))
'
done

echo "--- in the usual folder, which is /tmp"
(TMPDIR='' && lines --only read)
(unset TMPDIR && lines --only read)

echo "--- wrong use, and no place for a file"
run bench --only steps
run bench --only
run bench 16
run bench --quiet
(TMPDIR=/nowhere && "$TULLE" bench --quick --threads 1 --only read 2>&1 >/dev/null)
echo "(exit $?)"

echo "--- interrupted"
"$TULLE" bench --only read >/dev/null 2>&1 &
taken $!
sleep 0.3
kill -INT $!
wait $!
echo "(exit $?)"
ls
