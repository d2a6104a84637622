"""An estimator as a notebook shows it: its repr, and once it is fitted a sketch of the network and its curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

WIDTH, HEIGHT = 320, 120
MOST_DOTS = 8
TRAIN, VALID = "#1f77b4", "#d95f02"


def html_of(estimator: Any) -> str:
    """A small block of HTML without scripts."""
    parts = [f"<pre>{escape(repr(estimator))}</pre>"]
    if hasattr(estimator, "n_layers_") and (estimator._network or estimator._trained):
        parts.append(_network(estimator))
        parts.append(_curves(estimator))
        parts.append(f"<div>{escape(_summary(estimator))}</div>")
    return f'<div class="tulle" style="font-family: sans-serif; font-size: 12px">{"".join(parts)}</div>'


def _layer_units(estimator: Any) -> list[int]:
    weights = estimator.coefs_
    return [weights[0].shape[-2], *(one.shape[-1] for one in weights)]


def _summary(estimator: Any) -> str:
    units = _layer_units(estimator)
    count = sum(np.size(one) for one in (*estimator.coefs_, *estimator.intercepts_))
    text = f"{' → '.join(str(one) for one in units)}, {count} weights; {estimator.n_iter_} epochs"
    if hasattr(estimator, "loss_"):
        text += f", loss {estimator.loss_:.4g}"
    if getattr(estimator, "validation_curve_", None):
        text += f", best epoch {getattr(estimator, 'best_iteration_', estimator.n_iter_)}"
    return text


def _network(estimator: Any) -> str:
    """A column of dots for each layer, at most MOST_DOTS high, with the number of units below."""
    units = _layer_units(estimator)
    step = (WIDTH - 40) / max(len(units) - 1, 1)
    columns = []
    for layer, count in enumerate(units):
        shown = min(count, MOST_DOTS)
        spread = (HEIGHT - 30) / MOST_DOTS
        columns.append([(20 + layer * step, HEIGHT / 2 - 8 + (i - (shown - 1) / 2) * spread) for i in range(shown)])
    lines = [
        f'<line x1="{x:.0f}" y1="{y:.1f}" x2="{u:.0f}" y2="{v:.1f}"/>'
        for left, right in zip(columns, columns[1:])
        for x, y in left
        for u, v in right
    ]
    dots = [f'<circle cx="{x:.0f}" cy="{y:.1f}" r="3.5"/>' for column in columns for x, y in column]
    texts = [
        f'<text x="{column[0][0]:.0f}" y="{HEIGHT - 4}" text-anchor="middle" font-size="11">{count}</text>'
        for column, count in zip(columns, units)
    ]
    return _svg(
        f'<g stroke="#999" stroke-opacity=".35">{"".join(lines)}</g><g fill="{TRAIN}">{"".join(dots)}</g>'
        f'<g fill="currentColor">{"".join(texts)}</g>'
    )


def _curves(estimator: Any) -> str:
    """Loss by epoch, and that of the validation rows, on a logarithmic axis where all of it is above 0."""
    train = list(getattr(estimator, "loss_curve_", []))
    valid = list(getattr(estimator, "validation_curve_", []))
    finite = [one for one in (*train, *valid) if np.isfinite(one)]
    if len(train) < 2 or not finite:
        return ""
    is_log = min(finite) > 0
    low, high = (float(np.log10(one)) if is_log else float(one) for one in (min(finite), max(finite)))
    drawn = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'
        for colour, curve in ((TRAIN, train), (VALID, valid))
        if (points := _points(curve, len(train), low, high, is_log))
    ]
    texts = [(4, 12, f"{max(finite):.3g}"), (4, HEIGHT - 16, f"{min(finite):.3g}")]
    labels = "".join(f'<text x="{x}" y="{y}">{text}</text>' for x, y, text in texts)
    names = f'<tspan fill="{TRAIN}">training</tspan>' + (f', <tspan fill="{VALID}">validation</tspan>' if valid else "")
    labels += f'<text x="{WIDTH - 10}" y="12" text-anchor="end">loss by epoch: {names}</text>'
    return _svg("".join(drawn) + f'<g fill="currentColor" font-size="11">{labels}</g>')


def _points(curve: Sequence[float], epochs: int, low: float, high: float, is_log: bool) -> str:
    span = high - low or 1.0
    points = []
    for epoch in range(0, len(curve), max(1, len(curve) // WIDTH)):
        if np.isfinite(curve[epoch]):
            value = np.log10(curve[epoch]) if is_log else curve[epoch]
            x, y = 50 + (WIDTH - 60) * epoch / max(epochs - 1, 1), 8 + (HEIGHT - 30) * (high - value) / span
            points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)


def _svg(content: str) -> str:
    return f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{content}</svg>'
