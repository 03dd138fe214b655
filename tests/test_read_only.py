"""An archive that its user may not write to: others than its owner read it, and are refused when they would write."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.build import build_archive
from tests.fakes import HashingEncoder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders have no such permissions")

# Root may write everywhere, so that it becomes nobody; all that is imported late is imported by the first run.
AS_A_READER = """
import json, os, sys
from pathlib import Path
from index.archive import Archive
from index.build import build_archive
from index.errors import WenbaoError
from index.generations import list_generations, prune, roll_back
from index.layout import IndexFolder
from index.verify import verify_generation
from tests.fakes import HashingEncoder, simple_bot

def read(folder):
    archive = Archive.open(folder)
    hits = simple_bot(archive, HashingEncoder()).search("青石桥加固工程总投资多少？")
    return {
        "answer": [hit.passage.text for hit in hits],
        "failed": [check.detail for check in verify_generation(archive.generation) if not check.passed],
        "generations": [summary.problem for summary in list_generations(archive.folder)],
    }

def write(folder):
    index, refusals = IndexFolder(folder), []
    works = (
        lambda: build_archive([folder.parent / "pages"], folder, HashingEncoder(), fresh=True),
        lambda: roll_back(index),
        lambda: prune(index, 1),
    )
    for work in works:
        try:
            work()
            refusals.append("")
        except WenbaoError as error:
            refusals.append(str(error))
    return refusals

folder, work = Path(sys.argv[1]), {"read": read, "write": write}[sys.argv[2]]
read(folder)
if os.geteuid() == 0:
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    except PermissionError:
        print('"root, but may not become another user"')
        sys.exit()
print(json.dumps(work(folder)))
"""


@pytest.fixture
def read_only(pages: Path) -> Iterator[Path]:
    """An archive of two generations that nobody but root may write to, in a folder that all may read."""
    place = Path(tempfile.mkdtemp(prefix="wenbao-test-"))  # that of pytest is open to its owner only
    mask = os.umask(0o022)
    try:
        place.chmod(0o755)
        shutil.copytree(pages, place / "pages")
        (place / "tmp").mkdir()
        (place / "tmp").chmod(0o777)
        folder = place / "index"
        for _ in range(2):
            build_archive([place / "pages"], folder, HashingEncoder(), fresh=True)
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode & 0o555)
        yield folder
    finally:
        os.umask(mask)
        for path in (place / "index").rglob("*"):
            path.chmod(0o755)
        (place / "index").chmod(0o755)
        shutil.rmtree(place)


def as_a_reader(folder: Path, work: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-c", AS_A_READER, str(folder), work],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(folder.parent / "tmp")},
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    if isinstance(found, str):
        pytest.skip(found)
    return found


def test_an_archive_is_read_without_the_right_to_write_to_it(read_only: Path) -> None:
    found = as_a_reader(read_only, "read")
    assert "1260万元" in found["answer"][0]
    assert found["failed"] == []
    assert found["generations"] == ["", ""]
    assert list((read_only.parent / "tmp").iterdir()) == []


def test_a_writer_without_the_right_is_refused_and_nothing_is_lost(read_only: Path) -> None:
    def content() -> dict[str, str]:
        files = (path for path in read_only.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = content()
    refusals = as_a_reader(read_only, "write")
    assert all("cannot be written to" in refusal and "permissions" in refusal for refusal in refusals)
    assert len(refusals) == 3
    assert content() == before
