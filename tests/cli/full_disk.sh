# A full disk is a failure wherever output goes.
if [ ! -c /dev/full ]; then
    echo "there is no /dev/full"
    exit 77
fi
table 30 >t.csv
options='--recipe notebook --target y --drop z,split --hidden 4 --epochs 2'
quietly train t.csv $options
run train t.csv $options -o /dev/full --quiet
run train t.csv $options -o l.tulle --log /dev/full --quiet
cmp l.tulle t.tulle && echo "the log alone is missing"
run predict t.tulle t.csv -o /dev/full
for arguments in 'predict t.tulle t.csv' 'info t.tulle' 'info t.tulle --json' 'eval t.tulle t.csv' \
    'eval t.tulle t.csv --json' "train t.csv $options --json --quiet" help 'help train' --version; do
    "$TULLE" $arguments 2>"$SCRATCH/err" >/dev/full
    echo "$arguments: exit $?, $(sed 's/^tulle: -:/tulle: standard output:/' "$SCRATCH/err")"
done
"$TULLE" train t.csv $options -o m.tulle 2>/dev/full
echo "a log that cannot be written stops nothing: exit $?"
cmp m.tulle t.tulle
run train t.csv $options -o /dev/full --quiet --checkpoint c.ckpt --checkpoint-steps 1
rm c.ckpt c.ckpt.previous
left
