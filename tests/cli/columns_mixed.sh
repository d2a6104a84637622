# Missing cells, categories, levels that training has not seen, and values beyond its range.
mixed 200 >t.csv
run train t.csv --recipe notebook --target w --drop split,class --hidden 8 --epochs 3 --task regression -o m.tulle | masked
run info m.tulle | sed -n '/enters/,/^$/p' | masked
"$TULLE" predict m.tulle t.csv >reference.csv

echo "--- an unseen level is a missing one, and its text alone decides"
printf 'size,colour,town,flag\n10,violet,t3,yes\n10,?,t3,yes\n10,,t3,yes\n' >new.csv
"$TULLE" predict m.tulle new.csv | sed 1d | sort -u | wc -l | tr -d ' '
printf 'size,colour,town,flag\n10,red,nowhere,yes\n10,red,,yes\n' >new.csv
"$TULLE" predict m.tulle new.csv | sed 1d | sort -u | wc -l | tr -d ' '
awk 'NR == 1 || NR > 100' t.csv >later.csv # other levels come first
"$TULLE" predict m.tulle later.csv | sed 1d >later_predicted.csv
tail -n +101 reference.csv | cmp - later_predicted.csv && echo "the same predictions"

echo "--- beyond the range"
printf 'size,colour,town,flag,w\n1e6,red,t1,yes,1\n-5,mauve,t99,no,2\n,?,,,0\n12,red,t2,no,1\n' >far.csv
run eval m.tulle far.csv --warn-range | masked
run eval m.tulle far.csv --warn-range --json --quiet | sed -n '/out_of_range/,$p'
run predict m.tulle far.csv --warn-range -o p.csv
run predict m.tulle t.csv --warn-range -o p.csv
"$TULLE" predict m.tulle far.csv --warn-range 2>&1 >p.csv | grep -c 'out of range'

echo "--- what is missing"
sed 's/?/none/; s/^,/none,/' t.csv >none.csv
run train none.csv --recipe notebook --target w --drop split,class --epochs 1 2>&1 | tail -n 2
run train none.csv --recipe notebook --target w --drop split,class --hidden 8 --epochs 3 --task regression \
    --missing none -o n.tulle --quiet
"$TULLE" predict n.tulle none.csv --missing none | cmp - reference.csv && echo "the same as ?"
run predict n.tulle none.csv -o p.csv
cmp p.csv reference.csv && echo "the same without being told again"
run predict n.tulle none.csv --missing NA -o p.csv
"$TULLE" eval n.tulle none.csv >"$SCRATCH/eval"
"$TULLE" eval n.tulle none.csv --missing none | cmp - "$SCRATCH/eval" && echo "the same for eval"
run eval n.tulle none.csv --missing NA
sed 's/,none,/,"no, none",/' none.csv >quoted.csv
"$TULLE" predict n.tulle quoted.csv --missing 'none,"no, none"' | cmp - reference.csv && echo "a list with a comma"
run train none.csv --recipe notebook --target w --drop split,class --hidden 8 --epochs 3 --task regression --numeric size \
    --missing '"no, none"' -o q.tulle
run train t.csv --recipe notebook --target w --drop split,class --hidden 4 --epochs 1 --missing '' 2>&1 | grep inputs
sed '1!s/^,/5,/' t.csv >full.csv
quietly train full.csv --recipe notebook --target w --drop split,class --hidden 4 --epochs 1 --missing '' -o l.tulle
run info l.tulle | grep '^colour'
"$TULLE" predict l.tulle full.csv | cksum >"$SCRATCH/bare"
"$TULLE" predict l.tulle full.csv --missing '' | cksum | cmp - "$SCRATCH/bare" && echo "a ? is a level without being told again"

echo "--- declared, and otherwise prepared"
awk -F , 'NR == 1 {print "zip,y"} NR > 1 {print 10000 + NR % 5 "," NR % 5 + NR % 7}' t.csv >zip.csv
run train zip.csv --recipe notebook --target y --categorical zip --hidden none --epochs 2 2>&1 | grep -e input -e network
run info zip.tulle | sed -n '/^zip/p'
printf 'zip\n10004\n' >one.csv
"$TULLE" predict zip.tulle one.csv | wc -l | tr -d ' '
for scaling in none standard robust quantile; do
    run train t.csv --recipe notebook --target class --drop w,split --scaling $scaling --hidden 8 --epochs 2 \
        -o s.tulle --one-hot-levels 0 --embedding-dim 3 --quiet
    run info s.tulle | grep -e '^network' -e '^inputs' -e '  colour' | masked
done
sed 's/^size/Size/' t.csv | sed 's/^\([^,]*\),/\1,\1,7,/; 1s/Size,Size,7/size,copy,constant/' >dull.csv
run train dull.csv --recipe notebook --target w --drop split,class --hidden 4 --epochs 1 -o d.tulle 2>&1 | grep -e inputs: -e 'left out'
left
