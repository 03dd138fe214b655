"""Pages of the starter corpus against their gold articles, and the acceptance pages where they are at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from index.pages import split_page
from index.records import Rejection, Source
from index.sources import find_files, read_file
from index.spans import join_spans

ROOT = Path(__file__).parents[1]
GOLD = json.loads((ROOT / "tests" / "data" / "seed_articles.json").read_text(encoding="utf-8"))
REAL_PAGES = ROOT.parent / "shared" / "seeds"


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def seed_sources() -> dict[str, Source]:
    files = [file for file in find_files([ROOT / "seeds"]) if not isinstance(file, Rejection)]
    return {source.name: source for file in files for source in read_file(file) if isinstance(source, Source)}


def by_name(sources: dict[str, Source], name: str) -> Source:
    return next(source for key, source in sources.items() if key.endswith(name))


@pytest.mark.parametrize("name", GOLD)
def test_a_seed_page_is_cut_as_its_gold_says(name, seed_sources):
    source = by_name(seed_sources, name)
    articles = [article for article in split_page(source).articles if article.kind == "article"]
    assert len(articles) == len(GOLD[name]), [article.headline for article in articles]
    for article, gold in zip(articles, GOLD[name], strict=True):
        headline, expected = bare(article.headline), bare(gold["headline"])
        label = bare(gold.get("label", ""))
        if source.media_type == "html":
            # what the extraction of the web page leaves out cannot be found
            assert expected.startswith(headline)
        else:
            assert re.sub("^[■□●◆]", "", headline) in (expected, label + expected)
            assert gold["byline_contains"] in article.byline
        assert article.date == gold["date"]
        text = bare(article.text)
        assert all(bare(part) in text for part in [gold["starts_with"], gold["ends_with"], *gold["contains"]])
        assert not [part for part in gold["not_contains"] if bare(part) in text]
        assert article.text == join_spans(source.text, article.spans)


@pytest.mark.parametrize("name", [name for name in GOLD if "maonan" in name or "pengjiang" in name])
def test_the_hotline_of_a_seed_page_is_in_its_imprint(name, seed_sources):
    imprint = [a for a in split_page(by_name(seed_sources, name)).articles if a.kind == "imprint"]
    assert len(imprint) == 1 and "热线" in imprint[0].text


REAL = [
    ("000", ["蓬江区召开", "区直机关主", "一切都是为", "区教育局组", "蓬江区开展", "棠下镇成立"]),
    (
        "001",
        ["区委常委会", "区领导带队", "区领导检查", "区慈善会派", "区总工会送", "“艺”心抗", "分秒必争抢", "打好疫情防"],
    ),
    (
        "002",
        [
            "茂南区领导率队",
            "茂南区领导调研",
            "茂南多部门",
            "茂南区红十字",
            "茂南区美术家",
            "茂南区纪委监",
            "茂南区政协流",
            "金塘镇开展",
        ],
    ),
    ("003", ["恩城街道全"]),
    ("004", ["入城中村 "]),
]


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the acceptance pages are not beside this checkout")
@pytest.mark.parametrize(("number", "heads"), REAL)
def test_real_pages_are_cut_into_their_articles(number, heads):
    (path,) = REAL_PAGES.glob(f"{number}_*.txt")
    text = path.read_text(encoding="utf-8")
    page = split_page(Source(path.name, text, "0" * 64, "text"))
    articles = [article for article in page.articles if article.kind == "article"]
    assert [article.headline[: len(head)] for article, head in zip(articles, heads, strict=True)] == heads
    everything = "".join(article.text for article in articles)
    assert not re.search("上一篇|版权所有|相关阅读|新闻推荐", everything)
    assert "\n\n\n\n\n" not in everything


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the acceptance pages are not beside this checkout")
def test_a_feature_gets_its_stray_end_back():
    (path,) = REAL_PAGES.glob("001_*.txt")
    text = path.read_text(encoding="utf-8")
    articles = split_page(Source(path.name, text, "0" * 64, "text")).articles
    feature = next(article for article in articles if article.headline.startswith("分秒必争"))
    assert "黎妙燕、巫丹" in feature.text
    assert not any("巫丹" in article.text for article in articles if article is not feature)
