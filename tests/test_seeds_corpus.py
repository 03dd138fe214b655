"""The starter corpus: it is large enough, the gold data agrees with it, and its wording is ours."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "seeds"
DATA = Path(__file__).resolve().parent / "data"
NO_COPY = ROOT.parent / "shared" / "eval" / "no_copy.py"
TYPES = {"number", "who", "when", "where", "what", "list", "long", "why", "en", "none"}

QUESTIONS = json.loads((DATA / "seed_questions.json").read_text(encoding="utf-8"))
ARTICLES = json.loads((DATA / "seed_articles.json").read_text(encoding="utf-8"))
PAGES = sorted(p.name for p in SEEDS.iterdir() if p.is_file() and p.name not in {"README.md", "examples.json"})


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def page(name: str) -> str:
    text = (SEEDS / name).read_text(encoding="utf-8")
    if name.endswith(".html"):
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return squeeze(text)


def test_the_corpus_has_at_least_five_pages_and_twenty_articles():
    assert len(PAGES) >= 5
    assert set(ARTICLES) == set(PAGES)
    assert sum(len(articles) for articles in ARTICLES.values()) >= 20


@pytest.mark.parametrize("name", PAGES)
def test_every_gold_article_stands_in_its_page(name):
    text = page(name)
    place = -1
    for article in ARTICLES[name]:
        assert squeeze(article["headline"]) in text, article["headline"]
        assert article["date"] == name[:10]
        assert squeeze(article["byline_contains"]) in text, article["headline"]
        start = text.find(squeeze(article["starts_with"]))
        assert start > place, article["headline"]  # articles are listed in the order in which they begin
        assert text.find(squeeze(article["ends_with"])) > start, article["headline"]
        place = start


@pytest.mark.parametrize("name", PAGES)
def test_a_snippet_of_one_gold_article_is_not_denied_to_it(name):
    for article in ARTICLES[name]:
        own = squeeze("".join([article["starts_with"], article["ends_with"], *article["contains"]]))
        assert not [s for s in article["not_contains"] if squeeze(s) in own], article["headline"]


@pytest.mark.parametrize("name", PAGES)
def test_each_page_prints_its_own_date(name):
    year, month, day = name[:10].split("-")
    assert f"{int(year)}年{int(month)}月{int(day)}日" in page(name)


def test_the_questions_are_enough_and_varied():
    assert len(QUESTIONS) >= 60
    assert len({q["id"] for q in QUESTIONS}) == len(QUESTIONS)
    assert {q["type"] for q in QUESTIONS} == TYPES
    assert sum(q["type"] == "none" for q in QUESTIONS) >= 12
    assert sum(q["type"] == "en" for q in QUESTIONS) >= 4


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["id"])
def test_every_answer_stands_in_its_page(question):
    assert question["doc"] in PAGES
    assert bool(question["answers"]) == (question["type"] != "none")
    text = page(question["doc"])
    for answer in question["answers"]:
        assert squeeze(answer) in text, answer


def test_no_sentence_is_copied_from_a_published_page():
    if not NO_COPY.exists():
        pytest.skip("the published pages to compare with are not at hand")
    done = subprocess.run([sys.executable, str(NO_COPY), str(SEEDS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
