# Classification: text labels there and back, probabilities, the confusion matrix, class weights.
mixed 300 >t.csv
counted() {
    masked | sed '/^is .* predicted/,$s/  [0-9]\{1,\}/  COUNT/g'
}
run train t.csv --recipe notebook --target class --drop w --split-column split --hidden 16 --epochs 60 --lr 0.05 -o m.tulle |
    masked
run eval m.tulle t.csv | counted
run info m.tulle | sed -n '/^task/p; /^network/p; /enters/,$p' | masked

echo "--- predict writes the labels, and agrees with eval"
"$TULLE" predict m.tulle t.csv >p.csv
sort p.csv | uniq -c | sed 's/^ *[0-9]* //'
"$TULLE" predict m.tulle t.csv --proba >proba.csv
head -n 1 proba.csv
awk -F , 'NR > 1 {sum = $1 + $2 + $3; if (sum < 0.999999 || sum > 1.000001) print "sum " sum}' proba.csv
wc -l <proba.csv | tr -d ' '
python3 -c '
import csv, json, subprocess, sys

def table(name):
    return list(csv.reader(open(name)))

rows, labels, probabilities = table("t.csv"), table("p.csv"), table("proba.csv")
names = [name.split(":", 1)[1] for name in probabilities[0]]
truth = [row[5] for row in rows[1:]]
predicted = [row[0] for row in labels[1:]]
best = [names[max(range(3), key=lambda i: float(row[i]))] for row in probabilities[1:]]
print("the most probable class:", best == predicted)
found = json.loads(subprocess.check_output([sys.argv[1], "eval", "m.tulle", "t.csv", "--json"]))
matrix = [[sum(t == a and p == b for t, p in zip(truth, predicted)) for b in names] for a in names]
print("classes:", found["confusion"]["classes"] == names, names)
print("confusion:", found["confusion"]["matrix"] == matrix)
accuracy = sum(t == p for t, p in zip(truth, predicted)) / len(truth)
print("accuracy:", abs(found["accuracy"] - accuracy) < 1e-12, accuracy > 0.8)
print("members:", sorted(found))
' "$TULLE"

echo "--- two classes"
run train t.csv --recipe notebook --target flag --drop class,w,split --hidden none --epochs 2 -o two.tulle | masked
"$TULLE" predict two.tulle t.csv --proba | head -n 1
run eval two.tulle t.csv --json | grep -v -E '^ *[0-9.]+,?$' | masked
grep -e ,no, -e flag t.csv >one.csv
run eval two.tulle one.csv | counted
run predict two.tulle t.csv --proba --missing '' -o proba.csv

echo "--- numbers as classes"
awk -F , 'NR == 1 {print "a,y"} NR > 1 && $1 != "" {print $1 "," int($1 / 25)}' t.csv >n.csv
run train n.csv --recipe notebook --target y --hidden 8 --epochs 2 2>&1 | grep -e note -e ression | masked
run train n.csv --recipe notebook --target y --hidden 8 --epochs 2 --task classification | masked
"$TULLE" predict n.tulle n.csv | sed 1d | sort -u | grep -v '^[0-3]$'
run train n.csv --recipe notebook --target y --hidden 8 --epochs 2 --categorical y -o c.tulle 2>&1 | grep classif
sed 's/,3$/,9/' n.csv >unknown.csv
run eval n.tulle unknown.csv | counted

echo "--- class weights"
count() {
    quietly train t.csv --recipe notebook --target class --drop w,split --hidden 8 --epochs 3 -o w.tulle "$@"
    "$TULLE" predict w.tulle t.csv | grep -c really
}
plain=$(count) more=$(count --class-weights 'small=0.1,it'\''s=0.1') balanced=$(count --class-weights balanced)
[ "$more" -gt "$plain" ] && echo "what weighs more is predicted more often"
[ "$(count --class-weights '"big, really"=10,small=1')" -gt "$plain" ] && echo "whatever it is called"
[ "$balanced" -gt "$plain" ] && echo "and so are the few"
run train t.csv --recipe notebook --target size --drop split --hidden none --epochs 1 -o r.tulle --quiet
run predict r.tulle t.csv --proba
left
