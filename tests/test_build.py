from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import IndexFolder
from index.progress import Progress
from index.spans import join_spans
from tests.fakes import HashingEncoder


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "generations").iterdir())


def test_a_page_becomes_its_articles_and_a_plain_file_stays_one(index_folder: Path) -> None:
    articles = {article.headline: article for article in Archive.open(index_folder).articles()}
    assert set(articles) == {
        "青石桥完成加固 今起恢复通车",
        "图书馆延长开放时间 暑期每天开到二十二时",
        "柚园村举行丰收节",
    }
    bridge = articles["青石桥完成加固 今起恢复通车"]
    assert "沈砚秋" in bridge.byline
    assert bridge.date == "2023-05-12"
    assert bridge.paper == "清溪晚报"
    assert "市民可以通过热线" in bridge.text
    assert "童若谷" not in bridge.text
    assert articles["柚园村举行丰收节"].source == "villages/pomelo.txt"


def test_every_text_is_what_its_spans_select(index_folder: Path) -> None:
    archive = Archive.open(index_folder)
    for article in archive.articles(imprints=True):
        text = archive.source(article.source).text
        assert join_spans(text, article.spans) == article.text
        for passage in archive.passages(article.id):
            assert join_spans(text, passage.spans) == passage.text


def test_after_an_update_all_is_read_again_and_unchanged_passages_are_not_encoded_again(
    pages: Path, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = HashingEncoder()
    before = Archive.open(index_folder)
    monkeypatch.setattr("index.base.reading_code", lambda: "another version")
    report = build_archive([pages], index_folder, encoder)
    assert encoder.encoded == []
    assert report.reused == report.counts.passages == before.manifest.counts.passages
    after = Archive.open(index_folder)
    assert after.generation.id != before.generation.id
    assert [article.id for article in after.articles()] == [article.id for article in before.articles()]


def test_another_encoder_reuses_nothing(pages: Path, index_folder: Path) -> None:
    assert build_archive([pages], index_folder, HashingEncoder("other")).reused == 0


def test_damaged_vectors_are_not_reused(pages: Path, index_folder: Path) -> None:
    vectors = IndexFolder(index_folder).current().vectors
    data = bytearray(vectors.read_bytes())
    data[-3] ^= 0x80
    vectors.write_bytes(data)
    assert build_archive([pages], index_folder, HashingEncoder()).reused == 0


def test_an_interruption_after_the_switch_keeps_the_new_generation(
    pages: Path, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("index.build.BuildReport", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    assert Archive.open(index_folder).articles()


def test_a_failed_build_leaves_the_archive_in_use(pages: Path, index_folder: Path) -> None:
    class Failing(HashingEncoder):
        def encode_passages(self, texts, progress=None):
            raise KeyboardInterrupt

    before = Archive.open(index_folder).generation.id
    with pytest.raises(KeyboardInterrupt):
        build_archive([pages], index_folder, Failing("other"))
    assert Archive.open(index_folder).generation.id == before
    assert generations(index_folder) == [before]


def test_the_generation_before_is_kept_and_older_ones_go(pages: Path, index_folder: Path) -> None:
    first = Archive.open(index_folder).generation.id
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    second = Archive.open(index_folder).generation.id
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    third = Archive.open(index_folder).generation.id
    assert first not in generations(index_folder)
    assert {second, third} == set(generations(index_folder))


def test_after_a_rollback_the_good_generation_is_the_one_kept(pages: Path, index_folder: Path) -> None:
    good = Archive.open(index_folder).generation.id
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    bad = Archive.open(index_folder).generation.id
    (index_folder / "CURRENT").write_text(good, encoding="utf-8")
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    assert good in generations(index_folder)
    assert bad not in generations(index_folder)


def test_what_a_dead_build_left_is_removed(pages: Path, index_folder: Path) -> None:
    left = index_folder / "generations" / "20200101T000000-dead00"
    left.mkdir()
    (left / "articles.sqlite").write_bytes(b"half")
    build_archive([pages], index_folder, HashingEncoder())
    assert not left.exists()


def test_bad_files_are_named_and_the_rest_is_indexed(tmp_path: Path, hashing: HashingEncoder) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.txt").write_text("河湾镇开通新公交\n\n5月1日起,河湾镇开通三条公交线路。", encoding="utf-8")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "broken.jsonl").write_text('{"text": "山城举办花展，展出兰花600盆。"}\n{broken\n', encoding="utf-8")
    report = build_archive([folder], tmp_path / "index", hashing)
    assert {rejection.name.split("#")[0] for rejection in report.rejections} == {"empty.txt", "broken.jsonl"}
    assert all(rejection.reason and rejection.remedy for rejection in report.rejections)
    assert report.counts.sources == 2
    assert Archive.open(tmp_path / "index").rejections() == list(report.rejections)


def test_nothing_readable_is_an_error_that_says_why(tmp_path: Path, hashing: HashingEncoder) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(InputError, match=r"empty\.txt"):
        build_archive([tmp_path], tmp_path / "index", hashing)
    with pytest.raises(NotFoundError):
        Archive.open(tmp_path / "index")


def test_two_builds_at_once_are_refused(pages: Path, index_folder: Path) -> None:
    with FileLock(IndexFolder(index_folder).lock), pytest.raises(ArchiveError, match="Another build"):
        build_archive([pages], index_folder, HashingEncoder())


HOLD = """
import sys, time
from pathlib import Path
from index.layout import IndexFolder
from index.progress import Progress
from index.writing import one_writer
with one_writer(IndexFolder(Path(sys.argv[1]))):
    print("holding", flush=True)
    time.sleep(60)
"""


def test_the_holder_of_the_lock_is_named_and_its_death_frees_it(pages: Path, index_folder: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(index_folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        with pytest.raises(ArchiveError, match=f"process {holder.pid} on .+, since 20"):
            build_archive([pages], index_folder, HashingEncoder())
        holder.kill()
    assert build_archive([pages], index_folder, HashingEncoder()).counts.articles == 3


def test_progress_counts_up_to_its_totals(pages: Path, tmp_path: Path, hashing: HashingEncoder) -> None:
    seen: list[Progress] = []
    build_archive([pages], tmp_path / "index", hashing, seen.append)
    assert list(dict.fromkeys(step.stage for step in seen)) == [
        "find", "read", "encode", "vectors", "keywords", "verify",
    ]  # fmt: skip
    for stage in ("read", "encode", "keywords", "verify"):
        last = [step for step in seen if step.stage == stage][-1]
        assert last.done == last.total > 0


def test_identical_articles_have_ids_of_their_own(tmp_path: Path, hashing: HashingEncoder) -> None:
    records = [
        {"text": "山城举办花展，展出兰花600盆。", "id": "a"},
        {"text": "山城举办花展，展出兰花600盆。", "id": "a"},
    ]
    path = tmp_path / "twice.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    build_archive([path], tmp_path / "index", hashing)
    assert len({article.id for article in Archive.open(tmp_path / "index").articles()}) == 2
