"""Two pictures of a refusal one can trust: risk against coverage, and confidence against the share of right answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from qa.evaluate import Outcome
from qa.reliability import Bin, expected_calibration_error, reliability

_SIZE, _MARGIN = 360, 46


@dataclass(frozen=True)
class RiskCoverage:
    """What answering only from some confidence on would give.

    `coverage` is the share of all questions that are answered, `risk` the share of wrong ones among them, both by
    falling threshold; `area` is the area under the curve (El-Yaniv and Wiener 2010), lower is better.
    """

    thresholds: tuple[float, ...]
    coverage: tuple[float, ...]
    risk: tuple[float, ...]

    @property
    def area(self) -> float:
        """The mean risk over all coverages."""
        return float(np.mean(self.risk)) if self.risk else 0.0


def risk_coverage(probabilities: Sequence[float], right: Sequence[bool]) -> RiskCoverage:
    """Return the curve; an answer to a question that the archive does not answer counts as wrong."""
    order = np.argsort(-np.asarray(probabilities, float), kind="stable")
    wrong = ~np.asarray(right, bool)[order]
    answered = np.arange(1, len(order) + 1)
    return RiskCoverage(
        thresholds=tuple(float(probabilities[place]) for place in order),
        coverage=tuple((answered / max(len(order), 1)).tolist()),
        risk=tuple((np.cumsum(wrong) / answered).tolist()),
    )


def render_curves(outcomes: Sequence[Outcome], threshold: float) -> str:
    """Return one HTML page, without references to anything outside it, with both pictures and their figures."""
    probabilities = [outcome.confidence for outcome in outcomes]
    right = [outcome.would_be_right for outcome in outcomes]
    curve = risk_coverage(probabilities, right)
    bins = reliability(probabilities, right)
    error = expected_calibration_error(probabilities, right)
    given = [hit for probability, hit in zip(probabilities, right, strict=True) if probability >= threshold]
    at = (len(given) / max(len(right), 1), 1 - sum(given) / len(given) if given else 0.0)
    line = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in zip(curve.coverage, curve.risk, strict=True))
    risk = (
        _axes("coverage 作答比例", "risk 答错比例")
        + f'<polyline points="{line}" class="line"/>'
        + f'<circle cx="{_x(at[0]):.1f}" cy="{_y(at[1]):.1f}" r="5" class="dot"/>'
    )
    bars = "".join(_bar(found, len(right)) for found in bins)
    diagram = (
        _axes("confidence 置信度", "right 答对比例")
        + f'<path d="M{_x(0)},{_y(0)}L{_x(1)},{_y(1)}" class="ideal"/>'
        + bars
    )
    rows = "".join(
        f"<tr><td>{found.confidence:.2f}</td><td>{found.right:.2f}</td><td>{found.count}</td></tr>" for found in bins
    )
    return f"""<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>Wenbao 问报: risk and reliability</title>
<style>
body {{ font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; margin: 32px; color: #222; background: #fff }}
figure {{ display: inline-block; margin: 0 32px 24px 0; vertical-align: top }}
figcaption {{ max-width: {_SIZE}px }}
.line {{ fill: none; stroke: #a3231c; stroke-width: 2 }} .dot {{ fill: #a3231c }}
.ideal {{ stroke: #999; stroke-dasharray: 4 4 }} .axis {{ stroke: #444; fill: none }} .bar {{ fill: #a3231c }}
text {{ font-size: 12px; fill: #444 }} td, th {{ padding: 2px 14px; text-align: right }}
</style>
<h1>{len(right)} questions 题</h1>
<figure><svg width="{_SIZE}" height="{_SIZE}" role="img" aria-label="risk against coverage">{risk}</svg>
<figcaption>Area {curve.area:.3f}. The dot is the threshold {threshold:.2f}: {at[0]:.0%} answered, {at[1]:.0%} of these
wrong. 圆点为当前阈值。</figcaption></figure>
<figure><svg width="{_SIZE}" height="{_SIZE}" role="img" aria-label="reliability">{diagram}</svg>
<figcaption>Expected calibration error {error:.3f}. Areas show how many questions have that confidence.
点的大小表示题数。</figcaption></figure>
<table><tr><th>{escape("confidence 置信度")}</th><th>right 答对</th><th>questions 题数</th></tr>{rows}</table>
</html>
"""


def _x(value: float) -> float:
    return _MARGIN + value * (_SIZE - _MARGIN - 12)


def _y(value: float) -> float:
    return _SIZE - _MARGIN - value * (_SIZE - _MARGIN - 12)


def _axes(below: str, beside: str) -> str:
    ticks = "".join(
        f'<text x="{_x(value):.0f}" y="{_y(0) + 16:.0f}" text-anchor="middle">{value:g}</text>'
        f'<text x="{_x(0) - 6:.0f}" y="{_y(value) + 4:.0f}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    )
    names = (
        f'<text x="{_x(0.5):.0f}" y="{_SIZE - 10}" text-anchor="middle">{escape(below)}</text>'
        f'<text transform="translate(12 {_y(0.5):.0f}) rotate(-90)" text-anchor="middle">{escape(beside)}</text>'
    )
    return f'<path class="axis" d="M{_x(0)},{_y(1)}V{_y(0)}H{_x(1)}"/>' + ticks + names


def _bar(found: Bin, total: int) -> str:
    radius = 3 + 16 * (found.count / total) ** 0.5
    return (
        f'<circle class="bar" fill-opacity=".75" cx="{_x(found.confidence):.1f}" cy="{_y(found.right):.1f}" '
        f'r="{radius:.1f}"><title>{found.count}</title></circle>'
    )
