# Data that cannot be used: one line that says what and where, and no file.
attempt() {
    cat >t.csv
    case $* in
    *--target*) run train t.csv --recipe notebook --hidden 4 --epochs 3 "$@" ;;
    *) run train t.csv --recipe notebook --hidden 4 --epochs 3 --target y "$@" ;;
    esac
}
run train nosuch.csv --target y
run train . --target y
printf '' | attempt
printf '\n\n' | attempt
printf 'a,y\n' | attempt
printf 'a,y\n1,2\n3\n' | attempt
printf 'a,y\n1,2\n3,4,5\n' | attempt
printf 'a,y\n1,2\n3,n/a\n' | attempt
printf 'a,y\n1,2\n\n3,nan\n' | attempt
printf 'a,y\n1,2\n-inf,3\n' | attempt
printf 'a,y\n1,2\n1e999,3\n' | attempt
printf 'a,y\n1,2\n3,-1e308\n' | attempt
printf 'a,y\n1,2\n"3,4\n' | attempt
printf 'a,a,y\n1,2,3\n4,5,6\n' | attempt
printf 'rooms,y\n1,2\n3,4\n' | attempt --drop room
printf 'rooms,price\n1,2\n3,4\n' | attempt
printf 'a,y\n1,2\n' | attempt
printf 'y\n1\n2\n3\n' | attempt
printf 'a,y,s\n1,2,train\n3,4,tset\n' | attempt --split-column s
printf 'a,y\n1,2\n,\n' | attempt
printf 'a,y\n,1\n,2\n,4\n' | attempt
printf 'a,y\nx,1\n2,2\nz,4\n' | attempt --numeric a
printf 'a,y\nx1,1\nx2,2\nx3,4\n' | attempt --task classification
printf 'a,y\n1,yes\n2,yes\n4,yes\n' | attempt
printf 'a,y\n1,yes\n2,no\n4,yes\n' | attempt --task regression
printf 'a,y\n1,yes\n2,no\n4,yes\n' | attempt --loss mse
printf 'a,y\n1,yes\n2,no\n4,maybe\n5,no\n' | attempt --loss binary_cross_entropy
printf 'a,y,z\n1,yes,4\n2,no,5\n4,yes,6\n' | attempt --target y,z
printf 'a,y\n1,yes\n2,no\n4,yes\n' | attempt --class-weights no=2,maybe=3
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --class-weights balanced
printf 'a,y\n1,-2\n2,4\n4,7\n' | attempt --loss poisson
printf 'a,y,w\n1,2,1\n2,4,-1\n4,7,1\n' | attempt --weight w
printf 'a,y,w\n1,2,0\n2,4,0\n4,7,0\n' | attempt --weight w
printf 'a,y,w\n1,2,x\n2,4,0\n4,7,0\n' | attempt --weight w
printf 'a,y,w\n1,2,1\n2,4,0\n4,7,0\n' | attempt --weight v
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --categorical b
printf 'alpha,y\n1,2\n2,4\n4,7\n' | attempt --numeric alhpa
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --valid 0 --patience 3
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --valid 0 --schedule plateau
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --valid-file nosuch.csv
printf 'b,y\n1,2\n' >v.csv
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --valid-file v.csv
printf 'a,y\nx,2\n' >v.csv
printf 'a,y\n1,2\n2,4\n4,7\n' | attempt --valid-file v.csv
rm v.csv
printf 'a,y,s\n1,2,test\n3,4,test\n5,6,train\n' | attempt --split-column s
rm t.csv
left

echo "--- diverging"
table 50 >t.csv
run train t.csv --recipe notebook --target y --drop z,split --hidden 8 --epochs 50 --lr 1000 2>&1 | masked | tail -n 2
rm t.csv
left

echo "--- allowed, and said"
printf 'a,b,y\n1,7,3\n2,7,5\n3,7,6\n4,7,9\n' | attempt --valid 0 | masked | grep -e note -e exit
printf 'a,y\n1,5\n2,5\n3,5\n4,5\n' | attempt --valid 0 | masked | grep -e note -e exit
"$TULLE" predict t.tulle t.csv | awk '$1 > 4 && $1 < 6 {near++} END {print near, "near it"}'
run eval t.tulle t.csv | masked

echo "--- predict"
printf 'a,y\n1,2\n3,4\n5,6\n' >t.csv
quietly train t.csv --recipe notebook --target y --hidden 4 --epochs 3
printf 'a\n1\nx\n' >bad.csv
run predict t.tulle bad.csv -o p.csv
printf 'a\n' >bad.csv
run predict t.tulle bad.csv -o p.csv
printf 'a\n1\n1e100\n' >bad.csv
run predict t.tulle bad.csv -o p.csv
left
