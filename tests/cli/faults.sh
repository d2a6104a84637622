# Memory, threads and files that fail, and signals, at any moment: what the command says, and that it leaves
# nothing behind. Its calls are made to fail by tests/cli/faults.c.
TULLE=$(dirname "$TULLE")/tests/faulty_tulle
if [ ! -x "$TULLE" ]; then
    echo "there is no $TULLE"
    exit 77
fi
TMPDIR=$PWD
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # what ends for want of memory frees none
export TMPDIR ASAN_OPTIONS
table 40 >t.csv
mixed 60 >m.csv
data="t.csv --recipe notebook --target y --drop z,split"
quick="--hidden 4 --epochs 2 --threads 1"
quietly train $data $quick -o sound.tulle

# fault FAULT ARGUMENT...: runs tulle with it.
fault() {
    echo "fault: $1"
    TULLE_FAULT=$1
    export TULLE_FAULT
    shift
    run "$@"
    unset TULLE_FAULT
}

# sweep CHECK ARGUMENT...: lets every allocation fail by itself, of many a sample, and asks CHECK.
sweep() {
    check=$1
    shift
    calls=$(TULLE_FAULT='memory 0' "$TULLE" "$@" 2>&1 >"$SCRATCH/sound" | sed -n '$s/ calls$//p')
    rm -f m.tulle c.ckpt c.ckpt.previous log.jsonl
    left >"$SCRATCH/before"
    n=1 failed=0
    while [ $n -le "$calls" ]; do
        TULLE_FAULT="memory $n$suffix" "$TULLE" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
        status=$?
        last=$(tail -n 1 "$SCRATCH/err")
        [ $status -eq 0 ] || failed=$((failed + 1))
        $check
        [ -e m.tulle ] && cmp m.tulle sound.tulle && rm m.tulle
        left | cmp - "$SCRATCH/before"
        n=$((n < 5 ? n + 1 : n + ${step:-41}))
    done
    [ $failed -gt 3 ] && echo "$*: as it should be"
}
# It fails and says why, or there is all that there is without a fault.
says_why() {
    case $status,$last in
    "1,tulle: "*) ;;
    "0,"*) cmp "$SCRATCH/out" "$SCRATCH/sound" ;;
    *) echo "allocation $n: exit $status, $last" ;;
    esac
}
says_why_untimed() {
    [ $status -eq 0 ] || says_why
}
ends() {
    case $status in
    0 | 130) ;;
    *) echo "allocation $n: exit $status, $last" ;;
    esac
}
# From a checkpoint it goes on to the same model and log.
goes_on() {
    ends
    if [ -e c.ckpt ] || [ -e m.tulle ]; then
        quietly train $resumable
        numbers log.jsonl | cmp - "$SCRATCH/numbers"
    fi
    rm -f c.ckpt c.ckpt.previous log.jsonl
}
numbers() {
    sed 's/, "seconds": [^}]*//' "$1"
}

echo "--- memory"
sweep says_why_untimed train $data $quick -o m.tulle --json
sweep says_why info sound.tulle
sweep says_why info sound.tulle --json
sweep says_why eval sound.tulle t.csv --json
sweep says_why predict sound.tulle t.csv
sweep says_why cv $data $quick
sweep says_why tune $data $quick --trials 2 -o t.tulle
rm t.tulle
step=97
sweep says_why_untimed bench --quick --only read --threads 1 --json
unset step
for part in predict recipes; do
    for n in 5 9 13 17 21 25; do
        TULLE_FAULT="memory $n+" "$TULLE" bench --quick --only $part --threads 1 >"$SCRATCH/out" 2>"$SCRATCH/err"
        status=$? last=$(tail -n 1 "$SCRATCH/err")
        says_why
    done
done
left

echo "--- signals"
suffix='!'
sweep ends train $data $quick -o m.tulle
sweep ends predict sound.tulle t.csv -o m.tulle
step=97
sweep ends bench --quick --only read --threads 1
step=19
resumable="$data $quick -o m.tulle --checkpoint c.ckpt --checkpoint-steps 2 --resume --log log.jsonl"
quietly train $resumable
numbers log.jsonl >"$SCRATCH/numbers"
sweep goes_on train $resumable
unset suffix step
left

# The message alone, which may stand behind a line of the table that has begun.
said() {
    sed -n 's/.*! tulle/tulle/; s/tulle: .*bench-[^:]*/tulle: tulle-bench-X/; /^tulle: /p; /^(exit/p'
}

echo "--- threads that cannot be started, and processors that nobody can count"
"$TULLE" cv $data --hidden 4 --epochs 2 >"$SCRATCH/sound" 2>/dev/null
for fault in 'thread 1+' 'thread 2' 'affinity 1+'; do
    TULLE_FAULT=$fault "$TULLE" cv $data --hidden 4 --epochs 2 --threads 3 2>/dev/null |
        cmp - "$SCRATCH/sound" && echo "$fault: the same"
done
fault 'thread 3' bench --quick --threads 3 --only read | said
TULLE_FAULT='affinity 1+' "$TULLE" bench --quick --threads 2 --only read --json | grep -c '"threads": 2'

echo "--- files"
fault 'open 1' eval sound.tulle t.csv <&-
fault 'ftruncate 1' train $data $quick --quiet -o m.tulle --log log.jsonl
fault 'fclose 1' train $data $quick --quiet -o m.tulle --log log.jsonl
cmp m.tulle sound.tulle && echo "the model is there"
fault 'fdopen 1' bench --quick --threads 1 --only read | said
(ulimit -f 100 && run bench --quick --threads 1 --only read) | said
left
