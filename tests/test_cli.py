from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import cli
from index.archive import Archive


@pytest.fixture(scope="module")
def index(real_archive: Archive) -> str:
    return str(real_archive.folder.folder)


def run(*arguments: str, expect: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(cli, list(arguments), input=stdin)
    assert result.exit_code == expect, result.output
    return result


def test_build_info_verify(pages: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "index")
    built = run("index", "build", str(pages), "--index", folder)
    assert "3 articles" in built.output
    info = json.loads(run("index", "info", "--index", folder, "--json").stdout)
    assert info["sources"] == ["a03.txt", "villages/pomelo.txt"]
    assert info["encoder"]["dimension"] == 384
    assert "清溪晚报" in run("index", "info", "--index", folder).output
    assert "FAILED" not in run("index", "verify", "--index", folder).output
    vectors = next((tmp_path / "index" / "generations").rglob("vectors.faiss"))
    data = bytearray(vectors.read_bytes())
    data[-9] ^= 1
    vectors.write_bytes(data)
    assert "FAILED  digests" in run("index", "verify", "--index", folder, expect=1).output


def test_refused_files_are_named_and_the_exit_status_says_so(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "good.txt").write_text("河湾镇开通三条公交线路。", encoding="utf-8")
    (tmp_path / "pages" / "empty.txt").write_bytes(b"")
    result = run("index", "build", str(tmp_path / "pages"), "--index", str(tmp_path / "index"), expect=3)
    assert "empty.txt" in result.output


def test_ask_prints_the_documented_object(index: str) -> None:
    answer = json.loads(run("ask", "青石桥加固工程总投资多少？", "--index", index, "--json").stdout)
    assert {"question", "found", "answer", "confidence", "citations", "nearest"} == answer.keys()
    citation = answer["citations"][0]
    assert citation.keys() == {
        "quote", "spans", "answer", "answer_spans", "source", "article_id", "headline", "paper", "date", "section",
        "score",
    }  # fmt: skip
    assert "1260万元" in answer["answer"]


def test_ask_shows_quote_and_origin_and_declines_with_status_4(index: str) -> None:
    shown = run("ask", "丰收节有多少游客参加？", "--index", index).output
    assert "3800人" in shown
    assert "villages/pomelo.txt" in shown
    assert "没有找到答案" in run("ask", "火星探测器什么时候登陆？", "--index", index, expect=4).output


def test_ask_without_a_question_converses_and_survives_an_error(index: str) -> None:
    result = run("ask", "--index", index, stdin=f"{'长' * 600}\n丰收节有多少游客参加？\n\n")
    assert "Error: The question has 600 characters" in result.output
    assert "3800人" in result.output


def test_search_explains_every_stage(index: str) -> None:
    shown = run("search", "新增座位", "--explain", "--index", index).output
    assert all(name in shown for name in ("dense", "words", "bigrams", "fused"))
    hits = json.loads(run("search", "新增座位", "--index", index, "--json").stdout)
    assert hits[0]["headline"].startswith("图书馆")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "问", "--index", "/nonexistent/index"), "wenbao index build"),
        (("index", "info", "--index", "/nonexistent/index"), "wenbao index build"),
        (("index", "build", "/nonexistent/pages"), "/nonexistent/pages"),
        (("eval", "/nonexistent/set.json"), "/nonexistent/set.json"),
    ],
)
def test_errors_are_one_message_without_a_traceback(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments, expect=1)
    assert result.output.startswith("Error: ")
    assert words in result.output
    assert "Traceback" not in result.output


def test_help_speaks_both_languages() -> None:
    for command in ([], ["index"], ["index", "build"], ["ask"], ["search"], ["eval"], ["serve"]):
        shown = run(*command, "--help").output
        assert any("\u4e00" <= character <= "\u9fff" for character in shown), command
