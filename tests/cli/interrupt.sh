# Ctrl-C, SIGTERM, SIGHUP and SIGQUIT: their exit status, and no file.
table 2000 >t.csv
stop() {
    signals=$1
    shift
    : >"$SCRATCH/err" # there is one to look into, however late the process starts
    "$TULLE" "$@" 2>"$SCRATCH/err" &
    process=$!
    until grep -q '^network' "$SCRATCH/err"; do # training has begun
        kill -0 $process || return
        sleep 0.05
    done
    for signal in $signals; do
        kill -$signal $process
        sleep 0.1
    done 2>"$SCRATCH/gone"
    wait $process
    echo "$signals: exit $?, $(tail -n 1 "$SCRATCH/err")"
}
stop INT train t.csv --recipe notebook --target y --drop z,split --epochs 1000000
stop TERM train t.csv --recipe notebook --target y --drop z,split --epochs 1000000
stop QUIT train t.csv --recipe notebook --target y --drop z,split --epochs 1000000
stop INT cv t.csv --recipe notebook --target y --drop z,split --epochs 1000000
stop INT tune t.csv --recipe notebook --target y --drop z,split --epochs 1000000
if [ -z "$(sh -c 'kill -HUP $$; echo ignored')" ]; then
    stop HUP train t.csv --recipe notebook --target y --drop z,split --epochs 1000000
else # by whoever started the tests
    echo "HUP: exit 129, tulle: interrupted; no file was written"
fi 2>"$SCRATCH/gone"
(trap '' HUP && stop "HUP TERM" train t.csv --recipe notebook --target y --drop z,split --epochs 1000000)
left

echo "--- a search keeps the best so far"
"$TULLE" tune t.csv --recipe notebook --target y --drop z,split --epochs 20 --budget 1h -o best.tulle \
    2>"$SCRATCH/err" >"$SCRATCH/out" &
process=$!
until grep -q '^trial 1' "$SCRATCH/err"; do
    kill -0 $process || break
    sleep 0.05
done
kill -INT $process
wait $process
echo "exit $?, $(grep interrupted "$SCRATCH/err"), $(grep wrote "$SCRATCH/err"), $(grep -c '^best: trial' "$SCRATCH/out")"
run eval best.tulle t.csv >/dev/null && rm best.tulle
left

echo "--- waiting for stdin"
quietly train t.csv --recipe notebook --target y --drop z,split --hidden 4 --epochs 1
mkfifo "$SCRATCH/pipe"
waiting() {
    "$TULLE" "$@" <"$SCRATCH/pipe" 2>"$SCRATCH/err" >/dev/null &
    process=$!
    exec 9>"$SCRATCH/pipe"
    head -n 100 t.csv >&9
    taken $process
    sleep 0.5
    until [ "$2 $4" != "t.tulle -o" ] || ls -A | grep -q tmp; do # it has begun to write
        kill -0 $process || return
        sleep 0.05
    done
    kill -INT $process
    kill -INT $process 2>"$SCRATCH/gone" # at once again: the first is being obeyed
    wait $process
    echo "$1: exit $?, $(tail -n 1 "$SCRATCH/err")"
    exec 9>&-
}
waiting predict t.tulle - -o p.csv
waiting predict t.tulle -
waiting eval t.tulle -
waiting train - --recipe notebook --target y --drop z,split
left

echo "--- stuck in pipes that nobody else has open"
mkfifo "$SCRATCH/silent" "$SCRATCH/silent.tulle"
"$TULLE" predict t.tulle "$SCRATCH/silent" -o p.csv 2>"$SCRATCH/err" &
reading=$!
"$TULLE" train t.csv --recipe notebook --target y --drop z,split --hidden 4 --epochs 1 -o "$SCRATCH/silent.tulle" \
    2>"$SCRATCH/err" &
writing=$!
"$TULLE" predict t.tulle "$SCRATCH/silent" -o p.csv 2>"$SCRATCH/err" &
asked=$!
"$TULLE" predict t.tulle "$SCRATCH/silent" -o p.csv 2>"$SCRATCH/err" &
alarmed=$!
for process in $reading $writing $asked $alarmed; do
    taken $process
done
sleep 1
kill -INT $reading
kill -TERM $writing
kill -INT $asked
kill -ALRM $alarmed
sleep 0.2
kill -TERM $asked # at once: it is being obeyed
while sleep 0.5 && kill -TERM $asked; do # once it is meant
    :
done 2>"$SCRATCH/gone"
wait $asked
echo "asked again: exit $?"
wait $alarmed
echo "an alarm: exit $?"
wait $reading
echo "predict: exit $?"
wait $writing
echo "train: exit $?"
left

echo "--- beyond ulimit -f"
(ulimit -f 8 && run train t.csv --recipe notebook --target y --drop z,split --epochs 1 --quiet -o large.tulle)
left
