# The search: its table, the rule that stops trials, and that the best is what `tulle train` makes.
needs python3
table 200 >t.csv
data="t.csv --target y --drop z --split-column split"
fixed="--hidden 12 --epochs 20"
run tune $data $fixed --trials 14 -o m.tulle | timeless >"$SCRATCH/all"
sed -n '2p; /^best/,$p' "$SCRATCH/all" | masked |
    sed -E 's/--[a-z-]+ [a-z0-9N]+/--OPTION VALUE/g; s/(--OPTION VALUE ?)+/OPTIONS/; s/[0-9]+/N/g' | uniq
sed -n '3,/^$/p' "$SCRATCH/all" | wc -l | tr -d ' '

echo "--- the same by any number of threads"
for threads in 1 5; do
    "$TULLE" tune $data $fixed --trials 14 --threads $threads --json -o m$threads.tulle >json$threads 2>"$SCRATCH/log"
    timeless <"$SCRATCH/log" >log$threads
    grep -v -e '"seconds"' -e '"model"' json$threads >results$threads
done
cmp results1 results5 && cmp m1.tulle m5.tulle && echo "same results and model"
diff log1 log5 | grep '^[<>]'

echo "--- as 'tulle train' with the options of each trial says"
python3 -c '
import json, math, os, subprocess, sys
tulle, data, fixed = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
found = json.load(open("json1"))
print(sorted(found), sorted(found["trials"][0]))
curves = []
for trial in found["trials"]:
    if os.path.exists("log"):
        os.remove("log")
    options = [word for name, value in trial["options"].items() for word in ("--" + name, value)]
    model = "t%d.tulle" % trial["trial"]
    subprocess.run([tulle, "train", *data, *fixed, *options, "--log", "log", "-o", model, "--quiet"])
    curves.append([json.loads(line)["valid_loss"] for line in open("log")])
epochs, rungs = 20, [2, 4, 10]  # 20/15, 20/5 and 20 * 7/15, rounded up
assert all(len(curve) == epochs for curve in curves)
stops = []
for i, curve in enumerate(curves):
    stop = None
    for rung in rungs:
        before = [min(curves[j][:rung]) for j in range(i) if stops[j] is None or stops[j] >= rung]
        better = sum(loss < min(curve[:rung]) for loss in before)
        if stop is None and len(before) >= 3 and 2 * better > len(before):
            stop = rung
    stops.append(stop)
for trial, curve, stop in zip(found["trials"], curves, stops):
    assert trial["outcome"] == ("stopped" if stop else "finished"), (trial, stop)
    assert trial["epochs"] == (stop or epochs), (trial, stop)
    assert math.isclose(trial["valid_loss"], min(curve[:stop])), trial
print("some are stopped:", any(stops), "and some later:", len(set(stops)) > 2)
best = min((min(curve), i + 1) for i, (curve, stop) in enumerate(zip(curves, stops)) if not stop)[1]
print("best:", best == found["best"])
print("its model:", open("m1.tulle", "rb").read() == open("t%d.tulle" % best, "rb").read())
' "$TULLE" "$data" "$fixed"
rm -f t*.tulle log json* results* log*

echo "--- what is given is not searched, nor multiples of nothing"
run tune $data $fixed --recipe plain --trials 2 --lr 0.01 --scaling robust -o p.tulle 2>&1 |
    sed -n 's/ epochs .* r2 / ... /p; /^! trial 1/s/[0-9]\.[0-9e-]*/N/p'
searched() {
    run tune $data --trials 2 --lr 0.01 --batch 20 --scaling robust -o p.tulle "$@" 2>&1 |
        sed -n '/^! tulle/p; s/ epochs .* r2 / ... /p'
}
searched $fixed --number-dim 3 --number-bins 0 --number-frequencies 8 --weight-decay 0.1 --bias-decay 1
searched $fixed --recipe plain --number-dim 3 --number-bins 8
searched --recipe plain --hidden none --epochs 2

echo "--- a budget: one trial at least"
run tune $data $fixed --budget 0.000001s -o b.tulle 2>&1 | sed -n '/^best/p; /! [0-9]* trial/p'
ls b.tulle

run tune $data $fixed --recipe tabular --number-dim 0 --bias-decay 0.5 --trials 2 -o p.tulle 2>&1 | grep -o 'weight-decay'

echo "--- many trials, that end by themselves, or have nothing to learn from"
awk -F , -v OFS=, '{print $1, $2, $4, NR == 1 ? "same" : 1}' t.csv >same.csv
run tune same.csv --target y --recipe plain --hidden 4 --epochs 20 --patience 1 --lr 0.03 --trials 70 --threads 2 \
    -o many.tulle >"$SCRATCH/all"
grep -e '^! note' -e '^! [0-9]* trials' "$SCRATCH/all" | sed 's/[0-9][0-9]* \(finished\|stopped\)/N \1/g'
run tune t.csv --target y --drop z,split --recipe notebook --hidden 4 --epochs 4 --keep-best no --trials 3 --budget 1h \
    -o many.tulle 2>&1 | grep '^! [0-9]* trials'
rm many.tulle
"$TULLE" tune $data $fixed --recipe notebook --activation relu --dropout 0 --batch 4 --scaling none --trials 8 --json --quiet \
    -o d.tulle >json
python3 -c '
import json
for trial in json.load(open("json"))["trials"]:
    diverged = trial["outcome"] == "diverged"
    if diverged and (trial["valid_loss"] is not None or trial["valid"] is not None):
        print(trial)
'
grep -q diverged json && echo "those that diverge have no figures"
(ulimit -f 8 && run tune $data --recipe notebook --hidden 64,64 --epochs 1 --trials 1 --quiet -o large.tulle) | sed -n '/^best/p; /^!/p; /^(/p'

echo "--- refused"
run tune t.csv
run tune $data --budget 10
run tune $data --budget 0s
run tune $data --trials 0
run tune $data --checkpoint c
run tune $data -o -
run tune t.csv --target y --valid 0 --drop z,split --trials 3 --quiet -o v.tulle
run tune $data $fixed --recipe notebook --lr 1e6 --batch 4 --activation relu --dropout 0 --scaling none --trials 2 \
    --quiet -o d.tulle 2>&1 | masked
left
