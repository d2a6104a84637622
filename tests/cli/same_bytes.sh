# The same model bytes with any number of threads, on every run, and whatever the log does.
table 400 >t.csv
for precision in f32 f64; do
    options="--recipe notebook --target y,z --drop split --hidden 64,32 --epochs 4 --precision $precision --seed 5"
    for threads in 1 2 3 0; do
        quietly train t.csv $options --threads $threads -o $precision-$threads.tulle
        cmp $precision-1.tulle $precision-$threads.tulle
    done
    "$TULLE" train t.csv $options -o again.tulle 2>/dev/null
    cmp $precision-1.tulle again.tulle && echo "$precision: the same"
done
options="--recipe notebook --target y,z --drop split --hidden 64,32 --epochs 4 --precision f64"
quietly train t.csv $options --seed 6 -o other.tulle
cmp -s f64-1.tulle other.tulle || echo "another seed: another model"

# Steps of so few operations are not worth a second thread; these are.
table 1200 >large.csv
options="--recipe notebook --target y,z --drop split --hidden 256,256 --batch 500 --epochs 3"
for threads in 1 2 3 0; do
    quietly train large.csv $options --threads $threads -o large-$threads.tulle
    cmp large-1.tulle large-$threads.tulle && echo "large steps, --threads $threads: the same"
done
