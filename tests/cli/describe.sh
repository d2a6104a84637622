# What is rare in models, as info and eval tell it: what trainers make, many targets and classes, columns
# with a level or two, names that are no text.
echo "--- by a trainer of one's own"
run info "$here/../data/model_trainer.tulle" | sed '1d; s/^[^ ]*data/data/'

echo "--- an ensemble's network"
"$TULLE" info "$here/../data/model_v3.tulle" --json | sed -n '/"front"/,/}/p; /"layers"/,/}/p'

echo "--- a dozen of everything"
awk 'BEGIN {
    srand(3)
    printf "a,b"; for (t = 1; t <= 12; t++) printf ",t%d", t; print ",class"
    for (i = 0; i < 60; i++) {
        printf "%d,%d", i % 13, i % 12
        for (t = 1; t <= 12; t++) printf ",%d", i % 13 + t * (i % 12)
        print ",k" i % 12
    }
}' >many.csv
targets=$(head -n 1 many.csv | cut -d , -f 3-14)
options="--recipe notebook --hidden 4 --epochs 1"
quietly train many.csv --target $targets --drop class $options -o many.tulle
run info many.tulle | grep ^task
quietly train many.csv --target class --drop $targets $options -o classes.tulle
run eval classes.tulle many.csv | masked
run info classes.tulle | sed -n '/^targets/,/^class/p'

echo "--- few levels, and what is missing"
awk 'BEGIN {
    print "\"\"\"q\"\", as it is\",yes,one,void,w,y"
    for (i = 0; i < 40; i++)
        print i % 7 "," (i % 5 ? i % 2 ? "yes" : "no" : "") "," (i % 3 ? "only" : "") ",," 1 + i % 2 "," i % 11
}' >few.csv
run train few.csv --target y $options --scaling quantile --loss quantile --quantiles 0.2,0.8 -o few.tulle | masked
run info few.tulle | sed -n '/enters as/,/^one/p' | masked
"$TULLE" info few.tulle --json | grep -A 1 '"quantiles": \['
run eval few.tulle few.csv --weight w | masked
sed 's/,[0-9]*$/,k&/; s/,k,/,k/; 1s/.*/a,yes,one,void,w,y/' few.csv >kinds.csv
quietly train kinds.csv --target y $options -o kinds.tulle
"$TULLE" eval kinds.tulle kinds.csv --weight w --json | sed -n '/"matrix"/,/\]/p' | masked | sort -u
run train few.csv --target y $options --valid-file few.csv -o valid.tulle | grep ^!.*few.csv
awk -F , -v OFS=, '{print NR == 1 ? "a" : $1, NR == 1 ? "y" : $6, NR == 1 ? "split" : NR % 4 ? "train" : "test"}' few.csv >split.csv
run train split.csv --target y $options --valid-file split.csv --split-column split -o valid.tulle | grep ^!.*split.csv

echo "--- names that a terminal or a JSON reader would stumble over"
printf 'd\177l,\302\205next,p\302\240s,\342\202\254,y\n1,2,4,1,5\n2,3,5,0,6\n4,3,1,1,7\n0,0,1,3,8\n' >odd.csv
run train odd.csv --target y $options -o odd.tulle | grep ^!.*odd.csv | cat -v
"$TULLE" info odd.tulle --json | sed -n 's/^ *"name": //p' | cat -v
latin=$(printf 'caf\351.tulle')
cp odd.tulle "$latin"
"$TULLE" info "$latin" --json | sed -n 2p
rm "$latin"
