"""chart.py PICTURE - bars on a logarithmic scale from compare.py's result, which is read from stdin.

Three panels that share their peers: a training step on 16 and on 500 rows, and the prediction of one
row. The background is transparent and the text grey, to be read on light pages and on dark ones.
"""
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

PANELS = [
    ("step f32 16", "training step, 16 rows"),
    ("step f32 500", "training step, 500 rows"),
    ("row f32 1", "prediction of one row"),
]
TEXT, BAR, OWN = "#808890", "#9aa4ae", "#d9772b"


def time_text(seconds):
    for unit, scale in (("µs", 1e6), ("ms", 1e3), ("s", 1)):
        if seconds * scale < 999.5:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.0f} s"


def panel(axes, figure, keys, names, task, title):
    times = [figure[key][task]["median"] if task in figure[key] else None for key in keys]
    known = [time for time in times if time]
    left = min(known) / 2.2
    for place, (key, time) in enumerate(zip(keys, times)):
        if time is None:
            axes.text(left * 1.1, place, "does not train", va="center", color=TEXT, fontsize=8)
            continue
        own = key == "tulle"
        axes.barh(place, time - left, left=left, height=0.62, color=OWN if own else BAR)
        ratio = "" if own else f"  {figure[key][task]['times_tulle']:.2g}×"
        axes.text(time * 1.12, place, time_text(time) + ratio, va="center", fontsize=8,
                  color=OWN if own else TEXT, fontweight="bold" if own else "normal")  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(left, max(known) * 14)
    axes.set_yticks(range(len(keys)), [names[key] for key in keys])
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(LogLocator(10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: time_text(seconds)))
    axes.grid(axis="x", color=BAR, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(length=0, labelsize=7, colors=TEXT)
    axes.tick_params(axis="y", labelsize=9)
    axes.set_title(title, fontsize=9, color=TEXT, loc="left")
    for side in axes.spines.values():
        side.set_visible(False)


def main():
    result = json.load(sys.stdin)
    figure, names = result["figures"]["best"], result["names"]
    rank = lambda key: (key != "tulle", figure[key].get("step f32 16", {}).get("median", 1e9))
    keys = sorted(figure, key=rank)
    plt.rcParams["font.family"] = "sans-serif"
    picture, panels = plt.subplots(1, len(PANELS), figsize=(9.6, 0.8 + 0.27 * len(keys)), sharey=True)
    for axes, (task, title) in zip(panels, PANELS):
        panel(axes, figure, keys, names, task, title)
    for label in panels[0].get_yticklabels():
        if label.get_text() == names["tulle"]:
            label.set(color=OWN, fontweight="bold")
    picture.tight_layout(w_pad=0.5)
    picture.savefig(sys.argv[1], transparent=True, dpi=200, metadata={"Date": None} if sys.argv[1].endswith("svg") else None)


if __name__ == "__main__":
    main()
