# Weights of rows, valid rows from a file of their own, early stopping, and the log of epochs.
table 200 >t.csv
awk -F , 'NR == 1 {print $0 ",w"} NR > 1 {print $0 "," NR % 3}' t.csv >w.csv
options="--recipe notebook --target y --drop z --split-column split --hidden 8 --epochs 5"
run train w.csv $options --weight w -o w.tulle | masked
run eval w.tulle w.csv --split test --weight w >"$SCRATCH/weighted"
masked <"$SCRATCH/weighted"
run eval w.tulle w.csv --split test | masked
quietly train w.csv $options --weight w -o again.tulle --json >"$SCRATCH/json"
sed -n '/"test"/,/}/s/.*"rmse": \([0-9.]*\),/\1/p' "$SCRATCH/json" >"$SCRATCH/rmse"
awk 'NR == FNR {rmse = $1; next} $2 == "test" {d = $4 / rmse - 1; print (d < 1e-5 && d > -1e-5)}' \
    "$SCRATCH/rmse" "$SCRATCH/weighted"

echo "--- weights that are whole count rows"
awk -F , 'NR == 1 || $7 > 0' w.csv | awk -F , -v OFS=, 'NR == 1 {print} NR > 1 {for (i = 0; i < $7; i++) print}' \
    >repeated.csv
"$TULLE" eval w.tulle w.csv --weight w | awk 'NR == 2 {print $4, $5, $6}' >"$SCRATCH/a"
"$TULLE" eval w.tulle repeated.csv 2>/dev/null | awk 'NR == 2 {print $4, $5, $6}' | cmp - "$SCRATCH/a" &&
    echo "the same metrics"

echo "--- a file of valid rows"
grep -v -e valid t.csv | sed 's/,[a-z]*$//' >train.csv
grep -e valid -e split t.csv | sed 's/,[a-z]*$//' >valid.csv
grep -v -e valid -e test t.csv | sed 's/,[a-z]*$//' >only.csv
run train only.csv --recipe notebook --target y --drop z --valid-file valid.csv --hidden 8 --epochs 5 -o v.tulle | masked
run info v.tulle | grep rows
grep -v test t.csv >two.csv
quietly train two.csv $options -o column.tulle
"$TULLE" predict v.tulle t.csv >"$SCRATCH/p"
"$TULLE" predict column.tulle t.csv | cmp - "$SCRATCH/p" && echo "as by a split column"
run train only.csv --recipe notebook --target y --drop z --valid-file - --hidden 8 --epochs 5 -o v.tulle --quiet <valid.csv
"$TULLE" predict v.tulle t.csv | cmp - "$SCRATCH/p" && echo "from stdin"
cut -d , -f 2- valid.csv >short.csv
run train only.csv --recipe notebook --target y --drop z --valid-file short.csv -o v.tulle

echo "--- a split column that is not named is an input, with a word"
run train t.csv --recipe notebook --target y --drop z --hidden none --epochs 1 -o s.tulle 2>&1 | grep -e note -e inputs

echo "--- the best epoch, and the last"
run train t.csv --recipe notebook --target y --drop z --split-column split --hidden 8 --epochs 3000 --lr 0.2 \
    --patience 3 -o p.tulle >"$SCRATCH/all"
grep -e ended -e best "$SCRATCH/all" | sed 's/[0-9.]\{1,\}/N/g'
run info p.tulle | grep -e trained | sed 's/[0-9.]\{1,\}/N/g'
run train t.csv $options --keep-best no -o p.tulle 2>&1 | grep -e best -e ended
run info p.tulle | grep losses | masked

echo "--- the log of epochs"
run train t.csv $options --log log.jsonl -o l.tulle --quiet
sed -E 's/(loss|rate|seconds)": [0-9.e-]+/\1": N/g' log.jsonl
python3 -c '
import json, subprocess, sys

lines = [json.loads(line) for line in open("log.jsonl")]
info = json.loads(subprocess.check_output([sys.argv[1], "info", "l.tulle", "--json"]))
for line in lines:
    del line["seconds"]
print("as in the model:", lines == info["training"]["curve"])
' "$TULLE"
run train t.csv $options --valid 0 --log new.jsonl
run train t.csv --recipe notebook --target y --drop z,split --valid 0 --hidden none --epochs 2 --lr 1e-6 --log log.jsonl --quiet
sed -E 's/(loss|rate|seconds)": [0-9.e-]+/\1": N/g' log.jsonl
run train t.csv $options --log nosuch/log.jsonl
run train t.csv $options --log t.csv
run train bad.csv $options --log new.jsonl
"$TULLE" train t.csv $options --log /dev/stdout -o l.tulle --quiet | wc -l | tr -d ' '
cp log.jsonl before.jsonl
run train bad.csv $options --log log.jsonl
cmp log.jsonl before.jsonl && echo "a run that does not begin leaves the log"
left
