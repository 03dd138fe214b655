"""Any byte of an archive may be flipped on disk: whoever reads it gets a value or a `WenbaoError`, nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import cli
from index.archive import Archive, Filters
from index.build import build_archive
from index.errors import WenbaoError
from index.generations import list_generations
from index.layout import IndexFolder
from index.verify import verify_generation
from index.verify_encoding import verify_encoding
from tests.fakes import HashingEncoder, simple_bot

QUESTION = "青石桥加固工程总投资多少？"


@pytest.fixture(scope="module")
def sound(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torn = tmp_path_factory.mktemp("torn") / "torn.pdf"
    torn.write_bytes(b"%PDF torn")
    folder = tmp_path_factory.mktemp("sound") / "index"
    build_archive([pages, torn], folder, HashingEncoder())
    return folder


def ask(folder: Path) -> None:
    simple_bot(Archive.open(folder), HashingEncoder()).ask(QUESTION)


def search(folder: Path) -> None:
    bot = simple_bot(Archive.open(folder), HashingEncoder())
    for filters in (None, Filters(date_from="2023", paper="清溪")):
        bot.search(QUESTION, 5, filters=filters)


def look_at_everything(folder: Path) -> None:
    archive = Archive.open(folder)
    for article in archive.articles(imprints=True):
        archive.passages(archive.article(article.id).id)
    for name in archive.source_names():
        archive.source(name)
    archive.passages_at(range(archive.manifest.counts.passages))


def info(folder: Path) -> None:
    for options in ([], ["--json"]):
        result = CliRunner().invoke(cli, ["index", "info", "--index", str(folder), *options])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception


def verify(folder: Path) -> None:
    generation = IndexFolder(folder).current()
    verify_generation(generation)
    verify_encoding(generation, HashingEncoder())


def list_all(folder: Path) -> None:
    list_generations(IndexFolder(folder))


READERS: tuple[Callable[[Path], None], ...] = (ask, search, look_at_everything, info, verify, list_all)


def files(folder: Path) -> list[str]:
    """Return the files by what they are: names of keyword files differ from one archive to the next."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return [path.relative_to(folder).as_posix() for path in sorted(found, key=lambda path: (path.suffix, path.name))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_gives_a_value_or_an_error_in_words(sound: Path, tmp_path: Path, data: st.DataObject) -> None:
    names = files(sound)
    name = names[data.draw(st.integers(0, len(names) - 1), label="file")]
    content = bytearray((sound / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1), label="byte")
    content[place] ^= data.draw(st.integers(1, 255), label="flipped bits")
    folder = tmp_path / "index"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    (folder / name).write_bytes(content)
    for read in READERS:
        with suppress(WenbaoError):
            read(folder)


@pytest.mark.parametrize(
    ("stored", "damaged"),
    [
        ('["', "[ "),
        ("[[", "[("),
        ("]]", "]}"),
        ("[]", '""'),
        ("article", "artisle"),
        ("青石桥完成加固", "\ud800青石桥完成加"),
    ],
)
def test_text_in_the_database_that_is_no_value_is_told(sound: Path, tmp_path: Path, stored: str, damaged: str) -> None:
    folder = tmp_path / "index"
    shutil.copytree(sound, folder)
    database = IndexFolder(folder).current().database
    content = database.read_bytes()
    before, after = stored.encode(), damaged.encode("utf-8", "surrogatepass")
    database.write_bytes(content.replace(before, after.ljust(len(before))[: len(before)]))
    assert database.read_bytes() != content
    with pytest.raises(WenbaoError, match="Rebuild"):
        look_at_everything(folder)
