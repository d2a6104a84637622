# Where results go, and that what was there stays until there is something better.
table 30 >t.csv
options='--recipe notebook --target y --drop z,split --hidden 4 --epochs 2'

echo "--- places that cannot be written"
run train t.csv $options -o nosuch/m.tulle
run train t.csv $options -o t.csv/m.tulle
mkdir folder
run train t.csv $options -o folder
run train t.csv $options -o t.csv
quietly train t.csv $options -o m.tulle
run predict m.tulle t.csv -o m.tulle
run predict m.tulle t.csv -o ./t.csv
run predict m.tulle t.csv -o nosuch/p.csv
left

echo "--- a failure leaves the old file"
cp m.tulle "$SCRATCH/old.tulle"
run train t.csv $options --lr 1e9 --batch 1 -o m.tulle 2>&1 | tail -n 2 | cut -c 1-26
cmp m.tulle "$SCRATCH/old.tulle" && echo "as it was"
echo old >p.csv
printf 'a,b,c\n1,2,3\n1,2,x\n' >bad.csv
run predict m.tulle bad.csv -o p.csv
cat p.csv

echo "--- stdout and stderr"
"$TULLE" train t.csv $options -o - 2>/dev/null | cmp - m.tulle && echo "the model on stdout"
"$TULLE" train t.csv $options -o - --quiet 2>&1 | cmp - m.tulle && echo "and nothing else"
"$TULLE" train t.csv $options --quiet -o q.tulle 2>&1 | wc -c | tr -d ' '
"$TULLE" train t.csv $options -o q.tulle 2>/dev/null | wc -c | tr -d ' '
"$TULLE" predict m.tulle t.csv -o - | head -n 1
"$TULLE" predict m.tulle t.csv -o p.csv --quiet 2>&1 | wc -c | tr -d ' '
"$TULLE" predict m.tulle t.csv 2>&1 | cmp - p.csv && echo "no log beside predictions on stdout"

echo "--- closed"
"$TULLE" info m.tulle 2>"$SCRATCH/err" >&-
echo "$? $(sed 's/write: .*/write/' "$SCRATCH/err")"
"$TULLE" train t.csv $options -o q.tulle 2>&-
echo $?
cmp q.tulle m.tulle && echo "closed stderr: no log in the model"
"$TULLE" train t.csv $options -o q.tulle --json --quiet 2>"$SCRATCH/err" >&-
echo "$? $(sed 's/write: .*/write/' "$SCRATCH/err")"
cmp q.tulle m.tulle && echo "closed stdout: no JSON in the model"
"$TULLE" train - $options <&- 2>&1 | sed 's/read: .*/read/'

echo "--- names that begin with a dash"
cp t.csv ./-t.csv
"$TULLE" train --quiet $options -o=-m.tulle -- -t.csv
cmp ./-m.tulle m.tulle && echo "after --"
left
