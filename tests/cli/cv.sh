# Cross-validation: the table, the same results by any number of threads, what it refuses.
needs python3
table 203 >t.csv
mixed 300 >m.csv
options="--recipe plain --hidden 8 --epochs 4"
run cv t.csv --target y --drop z,split $options 2>&1 | timeless | masked
run cv t.csv --target y,z --drop split $options --folds 2 2>&1 | grep -v '^!' | masked
run cv m.csv --target class --drop w $options --folds 3 --seed 3 2>&1 | timeless | masked

echo "--- the same by any number of threads"
"$TULLE" cv m.csv --target class --drop w,split $options --threads 1 2>&1 | timeless >one.txt
"$TULLE" cv m.csv --target class --drop w,split $options --threads 4 2>&1 | timeless >four.txt
cmp one.txt four.txt && echo "same"

echo "--- JSON: every row is tested once, of each class alike"
# Of the 10 rows of class r no more than one may be missing from a fold's training, and 5 have no class.
awk 'BEGIN {print "x,class"; for (i = 0; i < 95; i++) print i "," (i < 10 ? "r" : i < 90 ? "s" : "")}' >c.csv
"$TULLE" cv c.csv --target class $options --folds 10 --json --quiet >cv.json
python3 -c '
import json, math, statistics
found = json.load(open("cv.json"))
print(sorted(found), sorted(found["folds"][0]))
print({json.dumps(fold["rows"], sort_keys=True) for fold in found["folds"]})
tests = [fold["test"] for fold in found["folds"]]
print("rows:", found["mean"]["rows"])
print("both classes in each fold:", all(test["auc"] is not None for test in tests))
for name in ("accuracy", "log_loss"):
    values = [test[name] for test in tests]
    print(name, math.isclose(found["mean"][name], statistics.mean(values)),
          math.isclose(found["deviation"][name], statistics.stdev(values), abs_tol=1e-12))
'

echo "--- rare classes: learned wherever they are not tested"
awk 'BEGIN {print "x,class"; for (i = 0; i < 31; i++) print i "," (i == 30 ? 2 : i % 2)}' >r.csv
awk 'BEGIN {print "x,class"; for (i = 0; i < 31; i++) print i "," (i == 30 ? "c" : i % 2 ? "b" : "a")}' >s.csv
run cv r.csv --target class $options --loss cross_entropy 2>&1 | timeless | sed '/network/d' | masked
"$TULLE" cv s.csv --target class $options --quiet >s.txt
"$TULLE" cv r.csv --target class --task classification $options --quiet | cmp - s.txt && echo "as text"

echo "--- how long it takes, if it is long"
: >"$SCRATCH/long" # there before the loop asks for it
"$TULLE" cv t.csv --target y --epochs 1000000 --recipe plain 2>"$SCRATCH/long" &
until grep -q 'about .* to go$' "$SCRATCH/long"; do
    kill -0 $! || break
    sleep 0.1
done
kill $!
wait $!
echo "exit $?"

echo "--- other ways to learn"
awk 'BEGIN {print "x,class"; for (i = 0; i < 30; i++) print i "," (i == 0 ? 3 : i == 1 ? 0 : 1 + i % 2)}' >l.csv
run cv l.csv --target class $options --loss cross_entropy --keep-best no 2>&1 | grep -e note -e '^! fold 1' | sed 's/, .*//'
sed '2,3d' l.csv | sed 's/,2$/,0/' >b.csv
run cv b.csv --target class $options --loss binary_cross_entropy --threads 9 2>&1 | grep -e regression -e classification -e '^mean' | masked
run cv t.csv --target y --drop z,split --epochs 2 --hidden 8 --folds 2 2>&1 | grep '^! fold' | masked

echo "--- refused"
run cv t.csv
run cv t.csv --target y --folds 1
run cv t.csv --target y --folds x
run cv t.csv --target q --quiet
run cv t.csv --target y --split-column split
run cv t.csv --target y -o m.tulle
head -n 4 t.csv >few.csv
run cv few.csv --target y
run cv t.csv --target y --drop z,split --recipe notebook --lr 1e6 --threads 1 --quiet 2>&1 | masked
left
