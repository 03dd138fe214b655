"""The course of a training as a picture: the loss over the tokens read."""

from __future__ import annotations

import json
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 640, 320, 48


def draw_losses(log: Path, picture: Path) -> None:
    """Draw an SVG from the lines of a training's log; a log without lines gives no picture."""
    # A training that was killed may have left half a line.
    whole = (line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{") and line[-1] == "}")
    lines = [json.loads(line) for line in whole]
    if not lines:
        return
    most = max(line["tokens"] for line in lines)
    highest = max(line["loss"] for line in lines) or 1.0

    def place(tokens: float, loss: float) -> str:
        x = _MARGIN + tokens / most * (_WIDTH - _MARGIN - 16)
        y = _HEIGHT - _MARGIN - loss / highest * (_HEIGHT - _MARGIN - 16)
        return f"{x:.1f},{y:.1f}"

    points = " ".join(place(line["tokens"], line["loss"]) for line in lines)
    corner, right, top = place(0, 0), place(most, 0), place(0, highest)
    picture.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'<polyline points="{top} {corner} {right}" fill="none" stroke="#444"/>'
        f'<polyline points="{points}" fill="none" stroke="#a3231c" stroke-width="1.5"/>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 12}">{most / 1e6:.2f} million tokens</text>'
        f'<text x="8" y="20">loss {highest:.2f}</text><text x="8" y="{_HEIGHT - _MARGIN}">0</text>'
        f'<text x="{_WIDTH - 120}" y="20">last {lines[-1]["loss"]:.3f}</text></svg>\n',
        encoding="utf-8",
    )
