# Every way to the help of every command, and what must stand in it.
for command in train cv tune eval predict info bench help; do
    "$TULLE" help $command >"$SCRATCH/help" || echo "(exit $?)"
    "$TULLE" $command --help | cmp - "$SCRATCH/help"
    "$TULLE" $command one --help two >/dev/null 2>&1
    "$TULLE" $command -h | cmp - "$SCRATCH/help"
    head -n 1 "$SCRATCH/help"
    awk -v c=$command 'length($0) > 80 {print c ": too long: " $0}' "$SCRATCH/help"
    grep -c '^Exit status: 0' "$SCRATCH/help"
    grep -c '^Examples:' "$SCRATCH/help"
    grep -E -o '^  (    |-., )--[a-z0-9-]+( [^ ]+)?' "$SCRATCH/help"
    "$TULLE" help | grep -c "^  $command "
done

echo "defaults"
"$TULLE" help train | awk '/^ *(-., )?--/ {option = $1 == "-o," ? $2 : $1}
    option && match($0, / \[[^ ]*\]$/) {print option substr($0, RSTART)}' |
    sed -E 's/([[,])[0-9][0-9.e-]*/\1N/g'

echo "recipes"
"$TULLE" help recipes >"$SCRATCH/help" || echo "(exit $?)"
awk 'length($0) > 80 {print "too long: " $0}' "$SCRATCH/help"
awk '/^option/ {print $1, $2, $3, $4, $5} /^--/ {print $1}' "$SCRATCH/help"

echo "all of it"
"$TULLE" help >"$SCRATCH/help"
"$TULLE" --help | cmp - "$SCRATCH/help"
"$TULLE" -h | cmp - "$SCRATCH/help"
"$TULLE" --version | sed '1s/ [0-9.]*$/ VERSION/; 2s/kernels [a-z0-9]*/kernels KIND/; 2s/gzip .*/gzip MAYBE/'
"$TULLE" train --version | head -n 1 | cut -d ' ' -f 1
