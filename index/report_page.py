"""The report of an archive as one HTML page that refers to nothing outside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from index.report import ArchiveReport, MapPoint
from index.vector_plan import describe

_WIDTH, _HEIGHT = 860, 520
_COLOURS = ("#a3231c", "#1c5fa3", "#2d8a4e", "#b8860b", "#6b3fa0", "#c2571a", "#0f7f86", "#8a2d63")
_OTHERS = "#999"
_LISTED = 200
_FAMILIES_LISTED = 100
_BAR_HEIGHT = 120
_LENGTH_STEP = 25


def render_report(report: ArchiveReport) -> str:
    """Return the page; every text of the archive in it is escaped."""
    manifest, counts = report.manifest, report.manifest.counts
    undated = report.months.get("", 0)
    months = {month: count for month, count in report.months.items() if month}
    papers = [[paper or "none stated 未注明", str(count)] for paper, count in list(report.papers.items())[:_LISTED]]
    return f"""<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'"><meta name="viewport" content="width=device-width">
<title>Wenbao 问报: archive 索引概览</title>
<style>
body {{ font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; margin: 32px auto; padding: 0 16px; max-width: {
        _WIDTH
    }px;
  color: #222; background: #fff }}
h2 {{ margin-top: 40px; border-bottom: 1px solid #ddd }} svg {{ max-width: 100%; height: auto }}
table {{ border-collapse: collapse }} td, th {{ padding: 3px 16px 3px 0; text-align: left; vertical-align: top }}
.bar {{ fill: #a3231c }} text {{ font-size: 11px; fill: #444 }} .note {{ color: #666 }} .key {{ margin-right: 16px }}
.frame {{ fill: none; stroke: #ddd }}
</style>
<h1>Archive 索引概览</h1>
{
        _table(
            (),
            [
                ["generation 版本", manifest.generation],
                ["built 建立时间", manifest.created],
                ["articles 文章", f"{counts.articles:,}"],
                ["passages 段落", f"{counts.passages:,}"],
                ["sources 来源", f"{counts.sources:,}"],
                ["refused 未读取", f"{counts.rejections:,}"],
                ["size on disk 占用", f"{report.bytes / 1e6:,.1f} MB"],
                ["encoder 向量模型", f"{manifest.encoder.name}, {manifest.encoder.dimension} dimensions"],
                ["vector index 向量索引", describe(manifest.vector_index)],
            ],
        )
    }
<h2>Articles by month 按月份</h2>
{_bars(months) if months else ""}
<p class="note">{undated:,} without a date 无日期</p>
<h2>Articles by paper 按报纸</h2>
{_table(("paper 报纸", "articles 文章"), papers)}
<h2>Passage lengths 段落长度</h2>
{_bars(_histogram(report.lengths))}
<p class="note">characters 字数</p>
<h2>Map of the passages 段落分布图</h2>
{_map(report.points)}
<p class="note">{len(report.points):,} of {counts.passages:,} passages; near ones mean alike. The two axes hold
{report.spread:.0%} of the differences. Point at a dot to read it. 将鼠标停在圆点上可见内容。</p>
<h2>Pages worth a look 值得人工查看的版面</h2>
{_doubts(report)}
<h2>Told more than once 内容相近的文章</h2>
{_families(report)}
<h2>Refused 未读取的文件</h2>
{_rejections(report)}
</html>
"""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{titles}</tr>' if head else ''}{body}</table>"


def _histogram(lengths: Sequence[int]) -> dict[str, int]:
    counts: dict[int, int] = {}
    for length in lengths:
        counts[length // _LENGTH_STEP] = counts.get(length // _LENGTH_STEP, 0) + 1
    return {str(step * _LENGTH_STEP): counts.get(step, 0) for step in range(max(counts, default=0) + 1)}


def _bars(values: dict[str, int]) -> str:
    step = _WIDTH / max(len(values), 1)
    most = max(values.values(), default=1) or 1
    every = max(1, round(60 / step))
    parts = []
    for place, (name, count) in enumerate(values.items()):
        height = _BAR_HEIGHT * count / most
        wide = min(step * 0.85, 40)
        parts.append(
            f'<rect class="bar" x="{place * step:.1f}" y="{_BAR_HEIGHT - height:.1f}" width="{wide:.1f}" '
            f'height="{height:.1f}"><title>{escape(name)}: {count:,}</title></rect>'
        )
        if place % every == 0:
            parts.append(f'<text x="{place * step:.1f}" y="{_BAR_HEIGHT + 14}">{escape(name)}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_BAR_HEIGHT + 20}" role="img" aria-label="counts">{"".join(parts)}</svg>'


def _map(points: Sequence[MapPoint]) -> str:
    sizes: dict[str, int] = {}
    for point in points:
        sizes[point.group] = sizes.get(point.group, 0) + 1
    named = sorted(sizes, key=lambda group: (-sizes[group], group))[: len(_COLOURS)]
    colours = dict(zip(named, _COLOURS, strict=False))
    dots = "".join(
        f'<circle cx="{8 + point.x * (_WIDTH - 16):.1f}" cy="{8 + point.y * (_HEIGHT - 16):.1f}" r="3.5" '
        f'fill="{colours.get(point.group, _OTHERS)}" fill-opacity=".65">'
        f"<title>{escape(point.headline)}\n{escape(point.snippet)}…</title></circle>"
        for point in points
    )
    keys = [(group or "none stated 未注明", colour) for group, colour in colours.items()]
    keys += [("others 其他", _OTHERS)] if len(sizes) > len(named) else []
    legend = "".join(
        f'<span class="key"><span style="color:{colour}">●</span> {escape(name)}</span>' for name, colour in keys
    )
    frame = f'<rect class="frame" width="{_WIDTH}" height="{_HEIGHT}"/>'
    return f'<p>{legend}</p><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="map">{frame}{dots}</svg>'


def _doubts(report: ArchiveReport) -> str:
    rows = [[one.headline, one.source, "; ".join(one.doubts)] for one in report.doubts[:_LISTED]]
    return _table(("headline 标题", "source 来源", "doubt 疑点"), rows) + _more(len(report.doubts), _LISTED)


def _families(report: ArchiveReport) -> str:
    items = "".join(
        "<li>"
        + "<br>".join(escape(f"{article.headline} ({article.source}, {article.date or '?'})") for article in family)
        + "</li>"
        for family in report.families[:_FAMILIES_LISTED]
    )
    return f"<ol>{items}</ol>" + _more(len(report.families), _FAMILIES_LISTED)


def _rejections(report: ArchiveReport) -> str:
    rows = [[one.name, one.reason, one.remedy] for one in report.rejections[:_LISTED]]
    return _table(("file 文件", "why 原因", "remedy 办法"), rows) + _more(len(report.rejections), _LISTED)


def _more(total: int, shown: int) -> str:
    if total == 0:
        return '<p class="note">none 无</p>'
    return f'<p class="note">… and {total - shown:,} more 还有更多</p>' if total > shown else ""
