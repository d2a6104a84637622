# From rows to a model, its log, and what eval and predict make of it.
table 200 >table.csv
run train table.csv --recipe notebook --target y --drop z --split-column split --hidden 8,8 --epochs 20 \
    >"$SCRATCH/all"
masked <"$SCRATCH/all"
left

echo "--- again"
cp table.tulle "$SCRATCH/first.tulle"
quietly train table.csv --recipe notebook --target=y --drop=z --split-column=split --hidden=8,8 --epochs=20
cmp table.tulle "$SCRATCH/first.tulle" && echo "the same bytes"

echo "--- eval agrees"
for split in train valid test; do
    run eval table.tulle table.csv --split $split >"$SCRATCH/eval"
    line=$(sed -n '3s/  */ /gp' "$SCRATCH/eval")
    sed 's/^! *//; s/  */ /g' "$SCRATCH/all" | grep -F -q -x "$line" && echo "$split: as in the log"
done
run eval table.tulle table.csv | masked
run eval table.tulle table.csv --split-column split --split valid | masked

echo "--- predict agrees"
"$TULLE" predict table.tulle table.csv >"$SCRATCH/predicted"
head -n 1 "$SCRATCH/predicted"
wc -l <"$SCRATCH/predicted" | tr -d ' '
rmse=$("$TULLE" eval table.tulle table.csv | awk 'NR == 2 {print $4}')
paste -d , table.csv "$SCRATCH/predicted" | awk -F , -v rmse="$rmse" 'NR > 1 {
    sum += ($4 - $7) * ($4 - $7)
} END {
    error = sqrt(sum / (NR - 1)) / rmse - 1
    print (error < 1e-5 && error > -1e-5 ? "the same rmse" : "another rmse")
}'
run predict table.tulle table.csv -o predicted.csv
cmp predicted.csv "$SCRATCH/predicted" && echo "the same predictions"

echo "--- several targets, a random split, other options"
run train table.csv --recipe notebook --target y,z --drop split --valid 0.25 --test 0.25 --hidden none \
    --precision f64 --epochs 3 --batch 7 --lr 1e-2 --seed 9 --threads 1 -o two.tulle | masked
"$TULLE" predict two.tulle table.csv | head -n 1
run eval two.tulle table.csv | masked
run train table.csv --recipe notebook --target y --drop z,split --valid 0 --hidden 4 --activation tanh --epochs 30 \
    --standardize-targets no --scaling none --lr 1e-4 -o plain.tulle | masked
left
