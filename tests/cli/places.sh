# Paths that lead to the same file in other ways, and logs in odd places; what is there is never lost.
table 40 >t.csv
options="--recipe notebook --target y --drop z,split --hidden 4 --epochs 3"

echo "--- links"
ln -s "$PWD/later.tulle" absolute
run train t.csv $options -o absolute --log later.tulle
ln -s round.tulle loop.tulle
ln -s loop.tulle round.tulle
run train t.csv $options -o m.tulle --log loop.tulle --quiet
mkdir one two
run train t.csv $options -o one/m.tulle --log two/m.tulle --quiet
run train t.csv $options -o one/new --log ./one/../one/new
run train t.csv $options -o nosuch/new --log one/new
left

echo "--- the log"
numbers() {
    sed 's/, "seconds": [^}]*//' "$1"
}
quietly train t.csv $options -o m.tulle --log log.jsonl
numbers log.jsonl >"$SCRATCH/expected"
{ echo first && "$TULLE" train t.csv $options -o m.tulle --log /dev/stdout --quiet && echo last; } >>all.jsonl
sed -n '1p; $p' all.jsonl
numbers all.jsonl | sed '1d; $d' | cmp - "$SCRATCH/expected" && echo "between what else is on stdout"
"$TULLE" train t.csv $options -o m.tulle --log /dev/fd/5 --quiet 5>five.jsonl
numbers five.jsonl | cmp - "$SCRATCH/expected" && echo "by number"

echo "--- going on after the end, and with a log that has lost lines"
quietly train t.csv $options -o m.tulle --checkpoint c.ckpt --checkpoint-steps 1 --log log.jsonl
cp m.tulle reference.tulle
run train t.csv $options -o m.tulle --checkpoint c.ckpt --checkpoint-steps 1 --resume --log log.jsonl |
    grep -v -e '^!  ' -e '^! $' | masked
cmp m.tulle reference.tulle && echo "the same model"
wc -l <log.jsonl | tr -d ' '
