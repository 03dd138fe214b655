"""The report of an archive: its figures, and a page that shows them without being talked into anything."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from index.archive import Archive
from index.build import build_archive
from index.cli import index_commands
from index.report import Doubt, near_duplicates, principal_plane, report_archive
from index.report_page import render_report
from index.vector_plan import VectorIndex
from tests.fakes import HashingEncoder

FERRY = (
    "渡口镇昨日开通夜间渡轮，票价3元，每日六班，末班二十二时开出，首日有二百余名乘客乘坐，船长闻人初说航程约八分钟。"
)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "one.txt").write_text(f"渡口镇开通夜间渡轮\n\n{FERRY}", encoding="utf-8")
    (folder / "two.txt").write_text(f"夜间渡轮开通\n\n{FERRY}另悉，停车免费。", encoding="utf-8")
    (folder / "other.txt").write_text("柚园村举行丰收节\n\n今年蜜柚产量达到460吨，村民宴请四方来客。", encoding="utf-8")
    (folder / "hostile.html").write_text(
        "<html><head><title>&lt;script&gt;alert(1)&lt;/script&gt; 标题</title></head><body><p>"
        + "图书馆延长开放时间，读者可以借阅到二十二时。" * 5
        + "</p></body></html>",
        encoding="utf-8",
    )
    (folder / "empty.txt").write_bytes(b"")
    build_archive([folder], tmp_path / "index", HashingEncoder())
    return Archive.open(tmp_path / "index")


def test_the_figures_are_those_of_the_archive(archive: Archive) -> None:
    report = report_archive(archive)
    counts = archive.manifest.counts
    assert sum(report.months.values()) == sum(report.papers.values()) == counts.articles
    assert len(report.lengths) == len(report.points) == counts.passages
    assert [rejection.name for rejection in report.rejections] == ["empty.txt"]
    assert report.bytes > 1000
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in report.points)


def test_articles_that_say_the_same_are_a_family(archive: Archive) -> None:
    passages = archive.passages_at(list(range(archive.manifest.counts.passages)))
    (family,) = near_duplicates(archive, passages)
    assert sorted(article.source for article in family) == ["one.txt", "two.txt"]


def test_the_page_refers_to_nothing_outside_and_escapes_what_articles_say(archive: Archive) -> None:
    page = render_report(report_archive(archive))
    assert not re.search(r"https?:|//|<script|@import|url\(", page)
    assert "empty.txt" in page
    assert "渡口镇" in page


def test_the_plane_holds_the_two_directions_that_differ_most() -> None:
    generator = np.random.default_rng(4)
    flat = generator.normal(size=(200, 2)) * [5.0, 2.0]
    vectors = (flat @ generator.normal(size=(2, 16)) + generator.normal(size=(200, 16)) * 0.01).astype(np.float32)
    plane, spread = principal_plane(vectors)
    assert spread > 0.99
    assert plane.min() >= 0
    assert plane.max() <= 1


def test_one_passage_is_enough_for_a_report(tmp_path: Path) -> None:
    page = tmp_path / "one.txt"
    page.write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    build_archive([page], tmp_path / "index", HashingEncoder())
    target = tmp_path / "report.html"
    result = CliRunner().invoke(index_commands, ["report", str(target), "--index", str(tmp_path / "index")])
    assert result.exit_code == 0, result.output
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_page_lists_doubts_and_draws_lengths_and_states_the_recall(archive: Archive) -> None:
    report = report_archive(archive)
    doubtful = replace(
        report,
        doubts=(Doubt("<b>渡口", "one.txt", ("two headlines", "no date")),),
        lengths=(10, 30, 49, 260),
        manifest=report.manifest.model_copy(
            update={"vector_index": VectorIndex("ivf-fp16", lists=1024, probes=24, recall=0.9912, tuned_for=250_000)}
        ),
    )
    page = render_report(doubtful)
    assert "<td>&lt;b&gt;渡口</td><td>one.txt</td><td>two headlines; no date</td>" in page
    lengths = page[page.index("Passage lengths") : page.index("Map of the passages")]
    assert re.findall(r"<title>(\d+): (\d+)</title>", lengths) == [
        (str(25 * step), str({0: 1, 1: 2, 10: 1}.get(step, 0))) for step in range(11)
    ]
    assert "24 of 1024 inverted lists searched" in page
    assert "recall@10 0.991" in page
