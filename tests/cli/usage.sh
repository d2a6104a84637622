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
run train t.csv --target -o m
run train t.csv -o
run train t.csv --json=yes
run train t.csv --seed 1 --target y --seed 2
run train t.csv -o a --output b

run train t.csv --target ''
run train t.csv --target a,,b
run train t.csv --target a,b,a
run train t.csv --drop ,
run train t.csv --target '"a,b'
run train t.csv --drop '"a,b"c'
run train t.csv --drop 'a,""'
run train t.csv --numeric '"a,b",c,"a,b"'
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
run train t.csv --optimizer adamm
run train t.csv --task regresion
run train t.csv --scaling minmax
run train t.csv --init xavier
run train t.csv --schedule cosin
run train t.csv --fading cosine
run train t.csv --parametrization mup
run train t.csv --recipe tabula
run train t.csv --precision f16
run train t.csv --standardize-targets maybe
run train t.csv --keep-best 1
for value in -1 0 nan inf 0x1 1e999 1e-999 1,5 '' ' 1' 1e; do
    run train t.csv "--lr=$value"
done
for value in -1 0 1.5 1e3 1000000001 99999999999999999999 '' Auto; do
    run train t.csv --batch "$value"
done
run train t.csv --epochs 0
run train t.csv --epochs automatic
run train t.csv --target y --batch auto --epochs auto --number-bins auto --number-frequencies 4
for option in momentum beta1 beta2 averaging dropout label-smoothing warmup; do
    run train t.csv --$option 1
    run train t.csv --$option -0.1
done
for option in weight-decay bias-lr mix-lr factor-lr number-lr number-deviation bias-decay clip-norm \
    checkpoint-seconds; do
    run train t.csv --$option -1
    run train t.csv --$option x
done
run train t.csv --epsilon 0
run train t.csv --huber-delta 0
run train t.csv --schedule-factor 0
run train t.csv --schedule-factor 1.5
run train t.csv --schedule-epochs 0
run train t.csv --patience -1
run train t.csv --checkpoint-steps 1.5
run train t.csv --one-hot-levels x
run train t.csv --embedding-dim 0
run train t.csv --members 0
run train t.csv --number-dim -1
run train t.csv --number-frequencies -1
run train t.csv --number-bins x
for value in '' 0 1 0.5, 0.9,0.1 0.5,0.5 0.1,x nan; do
    run train t.csv --quantiles "$value"
done
for value in '' a a= =1 a=x a=-1 a=1,a=2 balanced,a=1 a=inf '"a,b"' '"a,b=1' '"a,b"c=1'; do
    run train t.csv --class-weights "$value"
done
run train t.csv --missing NA,,x
run train t.csv --missing NA,NA
run predict m.tulle t.csv --missing '"NA'
run train t.csv --categorical ''
run train t.csv --weight ''
run train t.csv --parametric
run train t.csv --parametric maybe
run train t.csv --resume=yes
run train t.csv --seed 4294967296
run train t.csv --threads -1
run train t.csv --valid 1
run train t.csv --test -0.1
run eval m.tulle t.csv --split tset
for value in '' s 5 -1s 0m 1,5h xh; do
    run tune t.csv --budget "$value"
done
run train t.csv --loss "$(printf '%1200s' x | tr ' ' x)" | cut -c 1-40

run train t.csv --target y,z --drop c,z
run train t.csv --target y --split-column y
run train t.csv --target y --split-column s --drop s
run train t.csv --target y --split-column s --valid 0.1
run train t.csv --target y --split-column s --test 0.1
run train t.csv --target y --valid 0.5 --test 0.5
run train t.csv --target y --test 0.95
run train t.csv --target y -o - --json
run train t.csv --target y --weight y
run train t.csv --target y --weight w --drop w
run train t.csv --target y --weight s --split-column s
run train t.csv --target y --numeric a --categorical b,a
run train t.csv --target y --valid-file v.csv --valid 0.2
run train t.csv --target y --valid-file v.csv --test 0.2
run train - --target y --valid-file -
run train t.csv --target y --quantiles 0.1,0.9
run train t.csv --target y --huber-delta 2 --loss mse
run train t.csv --target y --label-smoothing 0.1 --loss mse
run train t.csv --target y --momentum 0.9 --optimizer adam
run train t.csv --target y --beta1 0.9 --optimizer rmsprop
run train t.csv --target y --beta2 0.9 --recipe notebook
run train t.csv --target y --momentum 0.9
run train t.csv --target y --epsilon 1e-6 --optimizer nesterov
run train t.csv --target y --number-frequencies 8 --number-dim 0
run train t.csv --target y --number-lr 0.5 --recipe plain
run train t.csv --target y --number-bins 16 --number-frequencies 8
run train t.csv --target y --number-bins 0 --number-frequencies 0
run train t.csv --target y --number-bins 16 --number-deviation 1
run train t.csv --target y --mix-lr 0.5 --parametric no
run train t.csv --target y --factor-lr 0.5 --input-factors no
run train t.csv --target y --members 4 --input-factors no
run train t.csv --target y --recipe ensemble --input-factors no
run train t.csv --target y --schedule-factor 0.5
run train t.csv --target y --schedule-epochs 5 --schedule cosine
run train t.csv --target y --bias-decay 1 --recipe plain
run train t.csv --target y --bias-decay 1 --weight-decay 0
run train t.csv --target y --optimizer nesterov
run train t.csv --target y --resume
run train t.csv --target y --checkpoint-seconds 5
run train t.csv --target y --checkpoint-steps 5
run train t.csv --target y --checkpoint c --checkpoint-steps 5 --checkpoint-seconds 5
run train t.csv --target y --log -
run train t.csv --target y --log m -o m
run train t.csv --target y --log c --checkpoint c
run train t.csv --target y --log c.previous --checkpoint c
run train t.csv --target y --log ./c.previous --checkpoint c
run train t.csv --target y -o c.previous --checkpoint c
run train t.csv --target y --valid-file c.previous --checkpoint c
run train c.previous --target y --checkpoint c
run train t.csv --target y --checkpoint -
run train t.csv --target y --checkpoint /dev/null
run train t.csv --target y --checkpoint .
run predict m.tulle t.csv --weight w
run eval m.tulle t.csv --proba
run eval m.tulle t.csv --split-column s

"$TULLE" >"$SCRATCH/out" 2>"$SCRATCH/err"
echo "alone: exit $?, $(wc -c <"$SCRATCH/out" | tr -d ' ') bytes on stdout"
head -n 1 "$SCRATCH/err"
left
