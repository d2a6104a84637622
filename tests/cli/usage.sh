# Wrong usage: one line that names what is wrong, exit status 2, nothing written.
run trian
run frobnicate
run --json train
run help trian
run help train eval

run train
run train t.csv
run train t.csv u.csv --target y
run eval m.tulle
run predict m.tulle t.csv u.csv
run info

run train t.csv --hiden 3
run train t.csv --frobnicate
run train t.csv -x
run train t.csv -output m
run eval m.tulle t.csv --hidden 3
run predict m.tulle t.csv --json
run info m.tulle --quiet
run train t.csv --target
run train t.csv --target --lr 1
run train t.csv -o
run train t.csv --json=yes
run train t.csv --seed 1 --target y --seed 2
run train t.csv -o a --output b

run train t.csv --target ''
run train t.csv --target a,,b
run train t.csv --target a,b,a
run train t.csv --drop ,
run train t.csv --output ''
run train t.csv --hidden ''
run train t.csv --hidden 3,
run train t.csv --hidden 3,x
run train t.csv --hidden 0
run train t.csv --hidden -3
run train t.csv --hidden 12345678901234567890123
run train t.csv --activation rellu
run train t.csv --activation RELU
run train t.csv --activation frobnicate
run train t.csv --loss msee
run train t.csv --optimizer adam
run train t.csv --precision f16
run train t.csv --standardize maybe
for value in -1 0 nan inf 0x1 1e999 1e-999 1,5 '' ' 1' 1e; do
    run train t.csv "--lr=$value"
done
for value in -1 0 1.5 1e3 1000000001 99999999999999999999 ''; do
    run train t.csv --batch "$value"
done
run train t.csv --epochs 0
run train t.csv --seed 4294967296
run train t.csv --threads -1
run train t.csv --valid 1
run train t.csv --test -0.1
run eval m.tulle t.csv --split tset

run train t.csv --target y,z --drop c,z
run train t.csv --target y --split-column y
run train t.csv --target y --split-column s --drop s
run train t.csv --target y --split-column s --valid 0.1
run train t.csv --target y --split-column s --test 0.1
run train t.csv --target y --valid 0.5 --test 0.5
run train t.csv --target y --test 0.95
run train t.csv --target y -o - --json
run eval m.tulle t.csv --split-column s

"$TULLE" >"$SCRATCH/out" 2>"$SCRATCH/err"
echo "alone: exit $?, $(wc -c <"$SCRATCH/out" | tr -d ' ') bytes on stdout"
head -n 1 "$SCRATCH/err"
left
