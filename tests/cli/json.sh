# --json prints one JSON object and nothing else, with the members that others rely on.
needs python3
table 60 >t.csv
check() {
    python3 -c '
import json, sys

def shape(value):
    if isinstance(value, dict):
        return "{" + ", ".join(key + ": " + shape(item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(sorted({shape(item) for item in value})) + "]"
    return type(value).__name__

def refuse(text):
    raise ValueError(text)

print(shape(json.load(sys.stdin, parse_constant=refuse)))
'
}
for target in y y,z; do
    echo "--- $target"
    options="--recipe notebook --target $target --hidden 4 --epochs 2 -o m.tulle --json --quiet"
    "$TULLE" train t.csv $options --split-column split --drop c | check
    "$TULLE" info m.tulle --json | check
    "$TULLE" eval m.tulle t.csv --json | check
    "$TULLE" eval m.tulle t.csv --json --split test | check
    "$TULLE" train t.csv $options --drop split --valid 0 | check
done

echo "--- no r2, and names that JSON must escape"
printf 'a\\"b,\033[1m\n1,5\n2,5\n3,5\n4,5\n' >odd.csv
"$TULLE" train odd.csv --recipe notebook --target "$(printf '\033[1m')" --valid 0 --epochs 1 --json --quiet | check
"$TULLE" eval odd.tulle odd.csv --json --quiet | check
"$TULLE" info odd.tulle --json | python3 -c '
import json, sys
info = json.load(sys.stdin)
print([column["name"] for column in info["inputs"] + info["targets"]])
'
