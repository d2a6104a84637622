# On a terminal the progress is one line that is rewritten; --quiet shows nothing there either.
needs python3
table 2000 >t.csv
terminal() {
    python3 -c '
import os, pty, re, sys

chunks = []

def timeless(line):
    return re.sub("(in )?[0-9.]+ (s|min|h)( .*)?$", "TIME", line.rstrip())

def read(descriptor):
    chunk = os.read(descriptor, 65536)
    chunks.append(chunk)
    return chunk

sys.stdout.flush()
saved = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
status = pty.spawn(sys.argv[1:], read)
os.dup2(saved, 1)
text = b"".join(chunks).decode().replace("\r\n", "\n")
for line in text.split("\n"):
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
print("exit", os.WEXITSTATUS(status))
' "$TULLE" "$@" | masked | sed 's/epoch [0-9]*\/60  train/epoch I\/60  train/'
}
terminal train t.csv --recipe notebook --target y --drop z,split --epochs 60
terminal train t.csv --recipe notebook --target y --drop z,split --epochs 2 --quiet
