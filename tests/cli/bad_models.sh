# Files that are no models, or no longer.
printf 'a,y\n1,2\n3,4\n5,6\n' >t.csv
quietly train t.csv --recipe notebook --target y --hidden 4 --epochs 3
size=$(wc -c <t.tulle | tr -d ' ')
every() {
    run info $1
    run eval $1 t.csv
    run predict $1 t.csv -o p.csv
}
every nosuch.tulle
every t.csv 2>&1 | masked
: >empty.tulle
run info empty.tulle
run info .

echo "--- cut short at every length"
length=0
while [ $length -lt $size ]; do
    head -c $length t.tulle >cut.tulle
    "$TULLE" info cut.tulle >"$SCRATCH/out" 2>"$SCRATCH/err"
    status=$?
    case $status,$(cat "$SCRATCH/out"),$(cat "$SCRATCH/err") in
    "1,,tulle: cut.tulle: "*) ;;
    *) echo "length $length: exit $status, $(cat "$SCRATCH/err")" ;;
    esac
    length=$((length + 37))
done

echo "--- one byte changed"
offset=0
while [ $offset -lt $size ]; do
    byte=$(od -A n -t u1 -j $offset -N 1 t.tulle | tr -d ' ')
    {
        head -c $offset t.tulle
        printf "\\$(printf %03o $((byte ^ 1)))"
        tail -c +$((offset + 2)) t.tulle
    } >flipped.tulle
    "$TULLE" info flipped.tulle >"$SCRATCH/out" 2>"$SCRATCH/err"
    status=$?
    case $status,$(cat "$SCRATCH/out"),$(cat "$SCRATCH/err") in
    "1,,tulle: flipped.tulle: "*) ;;
    *) echo "offset $offset: exit $status, $(cat "$SCRATCH/err")" ;;
    esac
    offset=$((offset + 41))
done

echo "--- more at the end, a newer format"
{ cat t.tulle && echo; } >longer.tulle
run info longer.tulle | sed 's/[0-9][0-9]* \(bytes\|are\)/N \1/g; s/take [0-9]*/take N/'
LC_ALL=C sed 's/"format_version":"3"/"format_version":"9"/' t.tulle >damaged.tulle
run info damaged.tulle
LC_ALL=C sed 's/e5bb676973e6a812/2e53ce656c270f2c/; s/"format_version":"1"/"format_version":"9"/' \
    "$here/../data/model_v1.tulle" >newer.tulle
every newer.tulle
left
