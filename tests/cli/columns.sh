# eval and predict find columns by name.
table 50 | sed "1s/a,b,c,y,z/width,length,height,price,rent/" >table.csv
quietly train table.csv --recipe notebook --target price,rent --drop split --hidden 4 --epochs 3 -o m.tulle
"$TULLE" predict m.tulle table.csv >"$SCRATCH/reference"
head -n 1 "$SCRATCH/reference"

awk -F , '{print "text" NR "," $3 "," $2 ",," $1}' table.csv | sed '1s/.*/note,height,length,more,width/' \
    >shuffled.csv
"$TULLE" predict m.tulle shuffled.csv | cmp - "$SCRATCH/reference" && echo "any order, and others"
"$TULLE" predict m.tulle - <table.csv | cmp - "$SCRATCH/reference" && echo "stdin"

echo "--- one is missing"
cut -d , -f 1,3- table.csv >missing.csv
run predict m.tulle missing.csv
run eval m.tulle missing.csv
sed '1s/length/lenght/' table.csv >renamed.csv
run predict m.tulle renamed.csv -o p.csv
cut -d , -f 1-3 table.csv >inputs.csv
run eval m.tulle inputs.csv
run eval m.tulle table.csv --split all | masked
"$TULLE" predict m.tulle inputs.csv | cmp - "$SCRATCH/reference" && echo "no need of targets"

echo "--- the split"
run eval m.tulle table.csv --split test
run eval m.tulle table.csv --split test --split-column splat
run eval m.tulle table.csv --split test --split-column split | masked
"$TULLE" eval m.tulle table.csv --split valid --split-column split >"$SCRATCH/valid"
for name in val validation; do
    "$TULLE" eval m.tulle table.csv --split $name --split-column split | cmp - "$SCRATCH/valid" &&
        echo "$name: valid"
done
sed 's/test/train/' table.csv >untested.csv
run eval m.tulle untested.csv --split test --split-column split
left

echo "--- names"
printf 'größe,"a ""b"", c",t\\e[31m,y\n1,2,3,4\n2,3,4,5\n4,3,2,1\n0,0,1,1\n' |
    sed 's/\\e/'"$(printf '\033')"'/' >names.csv
run train names.csv --recipe notebook --target 'größe' --hidden 2 --epochs 1 | masked
run predict names.tulle names.csv | masked
# What a terminal obeys beyond ASCII, beside what it shows.
printf '\302\240\302\205\177,\342\200\247\342\200\250,\342\200\256\342\200\257,\342\201\245\342\201\246,\342\201\251\342\201\252,\342\202\254,\303\205\n1,2,3,4,5,6,7\n4,3,2,1,0,6,5\n' >marks.csv
run predict names.tulle marks.csv
"$TULLE" train marks.csv --recipe notebook --target "$(printf '\303\205')" --hidden 2 --epochs 1 2>&1 | head -n 1
"$TULLE" info marks.tulle --json | grep '"name"'
printf 'size,"price, EUR","a ""b""",y\n1,2,3,4\n2,3,5,5\n4,3,2,1\n0,0,1,1\n' >commas.csv
run train commas.csv --recipe notebook --target '"price, EUR",y' --drop '"a ""b"""' --hidden 2 --epochs 1 | masked
run predict commas.tulle names.csv
run train commas.csv --recipe notebook --target cost --epochs 1
run train commas.csv --recipe notebook --target '"a ""b""",y' --drop size --hidden 2 --epochs 1 --quiet
"$TULLE" predict commas.tulle commas.csv | head -n 1

echo "--- one row, one column"
printf 'y\n1\n' >one.csv
run train one.csv --recipe notebook --target y
printf 'size,price\n1,2\n' >one.csv
run train one.csv --recipe notebook --target price
sed -n 1,2p commas.csv >one.csv
run predict commas.tulle one.csv -o p.csv
run info commas.tulle | sed -n '/^trained/p' | masked
