# Ctrl-C and SIGTERM: their exit status, and no file.
table 2000 >t.csv
stop() {
    signal=$1
    shift
    : >"$SCRATCH/err" # there is one to look into, however late the process starts
    "$TULLE" "$@" 2>"$SCRATCH/err" &
    process=$!
    until grep -q '^network' "$SCRATCH/err"; do # training has begun
        kill -0 $process || return
        sleep 0.05
    done
    kill -$signal $process
    wait $process
    echo "$signal: exit $?, $(tail -n 1 "$SCRATCH/err")"
}
stop INT train t.csv --target y --drop z,split --epochs 1000000
stop TERM train t.csv --target y --drop z,split --epochs 1000000
left

echo "--- waiting for stdin"
quietly train t.csv --target y --drop z,split --hidden 4 --epochs 1
mkfifo "$SCRATCH/pipe"
waiting() {
    "$TULLE" "$@" <"$SCRATCH/pipe" 2>"$SCRATCH/err" >/dev/null &
    process=$!
    exec 9>"$SCRATCH/pipe"
    head -n 100 t.csv >&9
    sleep 0.5
    until [ "$2 $4" != "t.tulle -o" ] || ls -A | grep -q tmp; do # it has begun to write
        kill -0 $process || return
        sleep 0.05
    done
    kill -INT $process
    wait $process
    echo "$1: exit $?, $(tail -n 1 "$SCRATCH/err")"
    exec 9>&-
}
waiting predict t.tulle - -o p.csv
waiting predict t.tulle -
waiting eval t.tulle -
waiting train - --target y --drop z,split
left
