# A folder without permission to write. Root needs none.
if [ "$(id -u)" -eq 0 ]; then
    echo "root may write everywhere"
    exit 77
fi
table 30 >t.csv
mkdir folder
chmod 555 folder
run train t.csv --recipe notebook --target y --drop z,split -o folder/m.tulle
