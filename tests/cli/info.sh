# What info says of a model, to people and to programs.
table 50 >t.csv
sed '1s/a/the length/' t.csv >named.csv
quietly train named.csv --recipe notebook --target y --drop z --split-column split --hidden 5 --epochs 3 -o m.tulle
run info m.tulle | sed 's/checksum [0-9a-f]\{16\}/checksum X/; s/tulle [0-9.]*$/tulle VERSION/' |
    masked
run info m.tulle --json |
    sed -E 's/"checksum": "[0-9a-f]{16}"/"checksum": "X"/; s/(_version": )"[^"]*"/\1"VERSION"/' |
    masked
quietly train named.csv --recipe notebook --target y,z --drop split --hidden none --valid 0 --standardize-targets no --scaling none \
    --lr 1e-5 --epochs 3 --precision f64 --seed 7 -o m.tulle
run info m.tulle | sed 's/checksum [0-9a-f]\{16\}/checksum X/; s/tulle [0-9.]*$/tulle VERSION/' |
    masked
