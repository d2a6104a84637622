# The same table in every form makes the same model. Names are part of a model, so .npy, which has
# none, is compared with CSV without a header.
train() {
    source=$1
    shift
    quietly train "$source" --hidden 4 --epochs 2 -o "$SCRATCH/$1" --recipe notebook --target "$2"
}
table 40 | cut -d , -f 1-4 >table.csv
train table.csv reference.tulle y

table 40 ';' | cut -d ';' -f 1-4 >semicolons.csv
table 40 "$(printf '\t')" | cut -f 1-4 >tabs.tsv
awk '{printf "%s\r\n", $0}' table.csv >crlf.csv
{ printf '\357\273\277' && cat table.csv; } >bom.csv
sed 's/,/ , /g; s/^/"/; s/ ,/",/' table.csv >quotes.csv
for file in semicolons.csv tabs.tsv crlf.csv bom.csv quotes.csv; do
    train $file model.tulle y
    cmp "$SCRATCH/reference.tulle" "$SCRATCH/model.tulle" && echo "$file: the same"
done
train - model.tulle y <table.csv
cmp "$SCRATCH/reference.tulle" "$SCRATCH/model.tulle" && echo "stdin: the same"

echo "--- names of model files"
mkdir data
cp table.csv data/table.data
for file in data/table.data ./table.csv tabs.tsv -; do
    quietly train $file --recipe notebook --target y --hidden 4 --epochs 1 <table.csv
done
ls *.tulle

echo "--- no header"
sed 1d table.csv >bare.csv
run train bare.csv --recipe notebook --target c3 --hidden 4 --epochs 1 -o m.tulle 2>&1 | grep -F header
run train bare.csv --recipe notebook --target y -o m.tulle
train bare.csv bare.tulle c3
# 4 columns of 40 rows in Fortran order, as bytes: 0 to 159.
awk 'BEGIN {for (r = 0; r < 40; r++) print r "," 40 + r "," 80 + r "," 120 + r}' >bytes.csv
{
    printf '\223NUMPY\001\000v\000'
    printf "%-117s\n" "{'descr': '|u1', 'fortran_order': True, 'shape': (40, 4), }"
    printf "$(awk 'BEGIN {for (i = 0; i < 160; i++) printf "\\%03o", i}')"
} >bytes.npy
train bytes.csv csv.tulle c3
train bytes.npy npy.tulle c3
cmp "$SCRATCH/csv.tulle" "$SCRATCH/npy.tulle" && echo "npy: the same"
run train bytes.npy --recipe notebook --target c3 --hidden 4 --epochs 1 -o m.tulle 2>&1 | grep -F header
