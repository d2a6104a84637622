# On a terminal the progress is one line that is rewritten; --quiet shows nothing there either.
needs python3
table 2000 >t.csv
on_terminal='
import os, pty, re, sys

def run(arguments):
    """The lines that a command writes on a terminal, and its exit status."""
    chunks = []

    def read(descriptor):
        chunks.append(os.read(descriptor, 65536))
        return chunks[-1]

    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    status = pty.spawn(arguments, read)
    os.dup2(saved, 1)
    return b"".join(chunks).decode().replace("\r\n", "\n").split("\n"), os.WEXITSTATUS(status)
'
terminal() {
    python3 -c "$on_terminal"'
def timeless(line):
    return re.sub("(in )?[0-9.]+ (s|min|h)( .*)?$", "TIME", line.rstrip())

lines, status = run(sys.argv[1:])
for line in lines:
    if "\r" in line:
        parts = line.split("\r")
        widths = [len(part) for part in parts[1:]]
        print("starts empty:", parts[0] == "")
        print("rewritten:", len(parts) > 2)
        print("covers the last:", all(a <= b for a, b in zip(
            [len(part.rstrip()) for part in parts[1:]], widths[1:])))
        print("fits:", max(widths) < 80)
        print(timeless(parts[1]))
        print(timeless(parts[-1]))
    else:
        print(line)
print("exit", status)
' "$TULLE" "$@" | masked | sed 's/epoch [0-9]*\/60  train/epoch I\/60  train/'
}
terminal train t.csv --recipe notebook --target y --drop z,split --epochs 60
terminal train t.csv --recipe notebook --target y --drop z,split --epochs 2 --quiet

echo "--- folds, trials, and what ends in the middle"
# shown PATTERN ARGUMENT...: whether a line that is rewritten was like that, that nothing but another such
# line comes where it was not removed, and what came last.
shown() {
    python3 -c "$on_terminal"'
lines, status = run(sys.argv[2:])
lines = [line.split("\r") for line in lines]
pieces = [piece.rstrip() for line in lines for piece in line[1:]]
print("shown:", any(re.fullmatch(sys.argv[1], piece) for piece in pieces))
print("fits:", all(len(piece) < 80 for line in lines for piece in line[1:-1]))
print("gone before the next:", all(line[-2].strip() == "" for line in lines if len(line) > 2 and not re.match(sys.argv[1] + "|epoch [0-9]", line[-1])))
print(lines[-2][-1])
print("exit", status)
' "$@" | masked
}
time='(  [0-9.]+ s left)?'
shown "[0-9] of 5 folds, [0-9]+ % of the epochs$time" "$TULLE" cv t.csv --recipe notebook --target y --drop z,split --epochs 9
shown "[0-9] trials? done.*$time" "$TULLE" tune t.csv --recipe notebook --target y --drop z,split --epochs 4 --trials 3 -o m.tulle
shown "trial 1/[0-9]  epoch 1/[0-9]+" "$TULLE" train t.csv --target y --drop z,split --epochs 2 --hidden 4 -o m.tulle
shown "epoch [0-9]+/[0-9]+  train loss .*" "$TULLE" train t.csv --recipe notebook --target y --drop z,split --lr 1e4 -o m.tulle

echo "--- in a log: how long it takes"
for epochs in 20000 200000 2000000; do
    : >"$SCRATCH/long"
    "$TULLE" train t.csv --recipe notebook --target y --drop z,split --epochs $epochs 2>"$SCRATCH/long" &
    until grep -q 'about .* to go$' "$SCRATCH/long"; do
        kill -0 $! || break
        sleep 0.05
    done
    kill $!
    wait $!
    grep 'to go$' "$SCRATCH/long" | sed -E 's/ ([0-9.]+ s|[0-9]+ min [0-9]+ s|[0-9]+ h [0-9]+ min) / TIME /'
done
