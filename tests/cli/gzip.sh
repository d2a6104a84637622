# .gz in place of the plain table, by its content and not its name, and cut short.
needs gzip
if ! "$TULLE" --version | grep -q 'gzip yes'; then
    echo "this build reads no gzip"
    exit 77
fi
options='--recipe notebook --target y --drop z,split --hidden 4 --epochs 2'
table 300 >table.csv
quietly train table.csv $options
gzip -c table.csv >packed.csv.gz
quietly train packed.csv.gz $options
quietly train - $options <packed.csv.gz
cp packed.csv.gz data.csv
quietly train data.csv $options
for model in packed model data; do
    cmp table.tulle $model.tulle && echo "$model: the same"
done
"$TULLE" predict table.tulle table.csv >plain.csv
"$TULLE" predict table.tulle packed.csv.gz | cmp - plain.csv && echo "the same predictions"

for length in 5 15 400; do
    head -c $length packed.csv.gz >cut.gz
    run train cut.gz $options
done
left
