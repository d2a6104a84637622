# A run can be repeated by the options that info shows, to people and to programs.
mixed 150 >t.csv
table 60 >n.csv
awk -F , -v OFS=, 'NR == 1 {print "zip,\"the \"\"real\"\" price, it'\''s\"", "y"}
    NR > 1 {print 10000 + NR % 5, $1 + NR % 3, $2}' n.csv >odd.csv

# repeat DATA OPTION...: trains, and again by what info says; --drop is not in the file.
repeat() {
    data=$1 drop=$2
    shift 2
    quietly train "$data" --drop "$drop" -o m.tulle "$@"
    command=$("$TULLE" info m.tulle | sed -n '/^command /,/[^\\]$/p' | sed '1s/^command *tulle//')
    eval "set -- $(echo "$command" | sed "s/DATA/$data/; s/VALID/$data/")"
    "$TULLE" "$@" --drop "$drop" --quiet -o again.tulle
    cmp m.tulle again.tulle && echo "the same"
}
for recipe in tabular ensemble plain notebook; do
    repeat t.csv split --target class --weight w --recipe $recipe --epochs 2 --seed 3
    repeat n.csv z,split --target y --recipe $recipe --epochs 2 --threads 1
done
repeat t.csv w --target class --split-column split --epochs 2 --missing '' --batch 20 --averaging 0.9 \
    --class-weights 'small=0.5,"big, really"=2' --loss cross_entropy --label-smoothing 0.05
repeat t.csv split --target size --loss quantile --quantiles 0.1,0.9 --hidden none --epochs 2 \
    --clamp no --precision f64 --valid 0.2 --test 0.1
repeat n.csv split --target y,z --loss huber --huber-delta 0.5 --epochs 2 --members 3 --number-dim 0 \
    --dropout 0 --parametric no --optimizer nesterov --momentum 0.8 --lr 1e-3 --schedule step \
    --fading none --valid-file n.csv
repeat odd.csv y --target '"the ""real"" price, it'\''s"' --categorical zip --epochs 1 --recipe notebook

echo "--- as people and programs see it"
"$TULLE" info m.tulle | sed -n '/^command /,/[^\\]$/p'
needs python3
"$TULLE" info m.tulle --json | python3 -c '
import json, subprocess, sys
options = json.load(sys.stdin)["training"]["options"]
words = [word for name, value in options.items() for word in ("--" + name, value)]
subprocess.check_call([sys.argv[1], "train", "odd.csv", *words, "--drop", "y", "--quiet",
                       "-o", "again.tulle"])
' "$TULLE"
cmp m.tulle again.tulle && echo "the same"

echo "--- a model that knows of no settings"
"$TULLE" info "$here/../data/model_v1.tulle" | sed -n '/^command/p; $s/.*/done/p'
