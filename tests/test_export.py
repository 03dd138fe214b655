from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from index.archive import Archive
from index.cli import index_commands
from index.errors import InputError
from index.export import export_archive


def test_what_is_exported_stands_where_its_spans_say(index_folder: Path, tmp_path: Path) -> None:
    archive = Archive.open(index_folder)
    seen: list[tuple[int, int]] = []
    written = export_archive(archive, tmp_path / "out", lambda done, total: seen.append((done, total)))
    lines = {
        name: [json.loads(line) for line in (tmp_path / "out" / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for name in written
    }
    assert {name: len(records) for name, records in lines.items()} == written
    assert written["passages"] == archive.manifest.counts.passages
    assert seen[-1][0] == seen[-1][1]
    texts = {source["name"]: source["text"] for source in lines["sources"]}
    sources = {article["id"]: article["source"] for article in lines["articles"]}
    for record in [*lines["articles"], *lines["passages"]]:
        text = texts[record.get("source") or sources[record["article_id"]]]
        assert "".join(text[start:end] for start, end in record["spans"]) == record["text"]


def test_nothing_is_overwritten(index_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="empty folder"):
        export_archive(Archive.open(index_folder), tmp_path)
    assert (tmp_path / "articles.jsonl").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_the_command_says_how_much_it_wrote_and_refuses_a_folder_in_use(index_folder: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(index_commands, ["export", *arguments, "--index", str(index_folder)])

    counts = Archive.open(index_folder).manifest.counts
    written = json.loads(run(str(tmp_path / "out"), "--json").stdout)
    assert written["passages"] == counts.passages
    assert sum(1 for _ in (tmp_path / "out" / "passages.jsonl").open(encoding="utf-8")) == counts.passages
    again = run(str(tmp_path / "out"))
    assert again.exit_code == 1
    assert "empty folder" in again.output
    assert str(counts.passages) in run(str(tmp_path / "more")).output
