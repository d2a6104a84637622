# support.sh - what the tests of the command have in common; run.sh reads it before each of them.
# A test runs in an empty folder; $SCRATCH beside it is for what must not count as left behind.

# run ARGUMENT...: runs tulle and prints the command, its stdout, its stderr behind "! " and its
# exit status unless that is 0.
run() {
    printf '$ tulle'
    printf ' %s' "$@"
    echo
    "$TULLE" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
    status=$?
    cat "$SCRATCH/out"
    sed 's/^/! /' "$SCRATCH/err"
    [ $status -eq 0 ] || echo "(exit $status)"
}

# The same without the log, as a test's preparation; prints only what goes wrong.
quietly() {
    "$TULLE" "$@" --quiet || echo "(exit $?)"
}

# Replaces numbers with a decimal point or an exponent, and rows of blanks, which depend on them.
masked() {
    sed -E 's/-?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/N/g; s/-?[0-9]+e[-+]?[0-9]+/N/g; s/  +/  /g'
}

# Without the line that a log has only where training takes long enough.
timeless() {
    grep -v 'about .* to go$'
}

# What the folder holds, temporary files included.
left() {
    echo "left: $(ls -A | tr '\n' ' ')"
}

# table ROWS [SEPARATOR]: a,b,c, targets y = 2 a - b + 100 and z = a + b, and a split, as CSV.
table() {
    awk -v rows="$1" -v s="${2:-,}" 'BEGIN {
        print "a" s "b" s "c" s "y" s "z" s "split"
        for (i = 0; i < rows; i++) {
            seed = (seed * 1103 + 377) % 10007; a = seed / 100
            seed = (seed * 1103 + 377) % 10007; b = seed % 50
            seed = (seed * 1103 + 377) % 10007; c = seed % 7
            split_name = i % 5 == 3 ? "valid" : i % 5 == 4 ? "test" : "train"
            print a s b s c s 2 * a - b + 100 s a + b s split_name
        }
    }'
}

# taken PROCESS: waits until it takes SIGINT, which a script's background processes ignore until they say
# otherwise; where nobody can tell, for a second.
taken() {
    [ -r "/proc/$1/status" ] || sleep 1
    while [ -r "/proc/$1/status" ] && ! grep -q '^SigCgt:.*[2367abef]$' "/proc/$1/status"; do
        sleep 0.05
    done
}

# needs COMMAND: skips the test without it.
needs() {
    command -v "$1" >/dev/null && return
    echo "there is no $1"
    exit 77
}

# mixed ROWS: numbers with holes, text with few and with many levels, a weight, a split and a class
# that follows from them, in three classes whose names CSV and shells must quote.
mixed() {
    awk -v rows="$1" 'BEGIN {
        split("red,green,blue,?", colours, ",")
        split("small,\"big, really\",it'\''s", classes, ",")
        print "size,colour,town,flag,w,class,split"
        for (i = 0; i < rows; i++) {
            seed = (seed * 1103 + 377) % 10007; size = seed / 100
            seed = (seed * 1103 + 377) % 10007; colour = colours[1 + seed % 4]
            seed = (seed * 1103 + 377) % 10007; town = "t" seed % 15
            class = size < 40 ? "small" : colour == "red" ? "\"big, really\"" : "it'\''s"
            print (i % 9 == 5 ? "" : size) "," colour "," town "," (seed % 3 ? "yes" : "no") "," \
                i % 4 "," class "," (i % 5 == 3 ? "valid" : i % 5 == 4 ? "test" : "train")
        }
    }'
}
