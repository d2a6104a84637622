# Training that is stopped at any moment, and goes on, ends in the same bytes.
mixed 400 >t.csv
options="--recipe notebook --target class --drop w --split-column split --hidden 48,32 --epochs 400 --optimizer adamw
    --lr 0.002 --schedule cosine --weight-decay 0.01 --dropout 0.1 --averaging 0.99 --clip-norm 5"
quietly train t.csv $options -o reference.tulle --log reference.jsonl

# start FILE ARGUMENT...: trains until the file is there, in the process $process.
start() {
    until_there=$1
    shift
    "$TULLE" train t.csv $options --checkpoint c.ckpt "$@" 2>"$SCRATCH/err" >/dev/null &
    process=$!
    until [ -e "$until_there" ]; do
        kill -0 $process 2>/dev/null || break
        sleep 0.02
    done
}
# What it was writing is left behind, until the next one writes that file. The shell is to say nothing
# about it.
shoot() {
    kill -9 $process
    wait $process
} 2>/dev/null
# begin FILE ARGUMENT...: starts and shoots, again from what is there now, until that was in the middle, and
# not where the checkpoint before is for a moment not there or another name of the checkpoint.
begin() {
    mkdir "$SCRATCH/before"
    for file in c.ckpt c.ckpt.previous log.jsonl; do
        [ ! -e $file ] || cp $file "$SCRATCH/before"
    done
    while
        rm -f c.ckpt.previous # comes again with the second checkpoint
        start "$@"
        shoot
        [ -e m.tulle ] || [ ! -e "$1" ] || cmp -s c.ckpt c.ckpt.previous
    do
        rm -f m.tulle c.ckpt c.ckpt.previous log.jsonl
        cp "$SCRATCH"/before/* . 2>/dev/null # none at the beginning
    done
    rm -r "$SCRATCH/before"
}
numbers() {
    sed 's/, "seconds": [^}]*//' "$1"
}

echo "--- kill -9, again and again"
begin c.ckpt --checkpoint-steps 50 -o m.tulle --log log.jsonl --threads 1
for threads in 2 1 3; do
    begin c.ckpt.previous --checkpoint-steps 70 -o m.tulle --log log.jsonl --threads $threads --resume
done
run train t.csv $options --checkpoint c.ckpt --resume -o m.tulle --log log.jsonl --threads 1 >"$SCRATCH/all"
grep 'c.ckpt' "$SCRATCH/all" | sed '1d; s/[0-9][0-9]*/N/g'
cmp m.tulle reference.tulle && echo "the same model"
numbers reference.jsonl >"$SCRATCH/expected"
numbers log.jsonl | cmp - "$SCRATCH/expected" && echo "the same log"
run train t.csv $options --checkpoint c.ckpt --resume -o again.tulle --quiet
cmp again.tulle reference.tulle && echo "and once more"
ln -f c.ckpt c.ckpt.previous # as when it was killed while it kept the one before
run train t.csv $options --checkpoint c.ckpt --resume -o again.tulle --quiet
cmp again.tulle reference.tulle && echo "and from two names of one file"
left

echo "--- no run is lost by leaving out a word"
run train t.csv $options --checkpoint c.ckpt -o m.tulle
mv c.ckpt kept
run train t.csv $options --checkpoint c.ckpt -o m.tulle
mv kept c.ckpt

echo "--- another run's"
different() {
    run train t.csv $options --checkpoint c.ckpt --resume -o other.tulle --quiet "$@" |
        sed '1d; s/[0-9][0-9.]*/N/g'
}
different --seed 4
different --batch 16
different --loss cross_entropy --label-smoothing 0.1
different --init he
sed '7s/^[^,]*/50/' t.csv >other.csv
run train other.csv $options --checkpoint c.ckpt --resume -o other.tulle --quiet | sed 1d
run train t.csv $options --checkpoint c.ckpt --resume -o other.tulle --quiet \
    --missing 'NA,N/A,NaN,nan,null,?,zz' | sed 1d
run train t.csv --recipe notebook --target class --checkpoint c.ckpt --resume -o other.tulle --quiet | sed 1d

echo "--- damaged"
rm -f c.ckpt c.ckpt.previous m.tulle
begin c.ckpt.previous --checkpoint-steps 50 -o m.tulle
size=$(wc -c <c.ckpt | tr -d ' ')
cp c.ckpt.previous first
cp c.ckpt whole
head -c $((size / 2)) whole >c.ckpt
run train t.csv $options --checkpoint c.ckpt --resume -o m.tulle | grep c.ckpt | sed 1d | sed 's/[0-9][0-9]*/N/g'
cmp m.tulle reference.tulle && echo "the same model"
rm c.ckpt
cp first c.ckpt.previous
run train t.csv $options --checkpoint c.ckpt --resume -o m.tulle | grep c.ckpt | sed 1d | sed 's/[0-9][0-9]*/N/g'
cmp m.tulle reference.tulle && echo "the same model"
head -c 100 whole >c.ckpt
head -c 100 whole >c.ckpt.previous
run train t.csv $options --checkpoint c.ckpt --resume -o other.tulle --quiet | sed 1d
printf 'my,data\n' >c.ckpt
run train t.csv $options --checkpoint c.ckpt | sed 1d
run train t.csv $options --checkpoint c.ckpt --resume -o other.tulle --quiet | sed 1d
cat c.ckpt
rm -f c.ckpt c.ckpt.previous first whole kept other.csv

echo "--- signals"
PATH=$(dirname "$TULLE"):$PATH
mv t.csv "it's a table.csv"
begin_and_stop() {
    : >"$SCRATCH/err"
    "$TULLE" train $options -o s.tulle --checkpoint c.ckpt -- "it's a table.csv" 2>"$SCRATCH/err" &
    process=$!
    until grep -q '^network' "$SCRATCH/err"; do
        kill -0 $process 2>/dev/null || break
        sleep 0.02
    done
    kill -$1 $process 2>/dev/null
    wait $process
    status=$?
    [ $status -eq 0 ]
}
stop() {
    while begin_and_stop $1; do # the end came first
        rm -f s.tulle c.ckpt c.ckpt.previous
    done
    echo "$1: exit $status"
    tail -n 1 "$SCRATCH/err"
    left
    eval "$(tail -n 1 "$SCRATCH/err" | sed 's/.*with: //')" 2>&1 | grep c.ckpt | sed 's/[0-9][0-9]*/N/g'
    cmp s.tulle reference.tulle && echo "the same model"
    rm -f c.ckpt c.ckpt.previous s.tulle
}
stop INT
stop TERM

echo "--- too large for the disk"
# The model has some 10 KB, the checkpoint five times that. A block has 512 bytes or 1024.
(ulimit -f 48 && exec "$TULLE" train $options -o s.tulle --checkpoint c.ckpt --checkpoint-steps 2000 \
    -- "it's a table.csv") 2>&1 | grep -e written -e wrote
cmp s.tulle reference.tulle && echo "the same model"
rm s.tulle
endless=$(echo $options | sed 's/--epochs 400/--epochs 1000000/')
: >"$SCRATCH/err"
(ulimit -f 48 && exec "$TULLE" train $endless -o s.tulle --checkpoint c.ckpt \
    -- "it's a table.csv" 2>"$SCRATCH/err") &
process=$!
until grep -q '^network' "$SCRATCH/err"; do
    kill -0 $process || break
    sleep 0.02
done
kill -INT $process
wait $process
echo "INT: exit $?"
tail -n 1 "$SCRATCH/err"
left

echo "--- what diverges does so again"
run train "it's a table.csv" --recipe notebook --target size --lr 1e6 --valid 0 --checkpoint c.ckpt --checkpoint-steps 1 --quiet |
    sed 's/the loss is [^;]*/the loss is N/'
rm -f c.ckpt c.ckpt.previous

echo "--- places"
mv "it's a table.csv" t.csv
run train t.csv $options --checkpoint nosuch/c.ckpt
run train t.csv $options --checkpoint t.csv
run train t.csv $options --checkpoint t.tulle
run train t.csv $options --checkpoint -
mkdir far
: >far/c.ckpt
ln -s far/c.ckpt link
run train t.csv $options --checkpoint link --log far/c.ckpt.previous
rm -r far link
left
