from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import psutil
import pytest

READ = "import sys; from index.pdf_process import read_pdf; from index.reading import Limits\n" + (
    "print('reading', flush=True); read_pdf(open(sys.argv[1], 'rb').read(), Limits())"
)


def endless_pdf() -> bytes:
    """A few kilobytes whose pages take PDFium minutes: each is the same stream, which unpacks to megabytes."""
    stream = zlib.compress(b"q " * 3_000_000, 9)
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[" + b"3 0 R " * 2000 + b"]/Count 2000>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length " + str(len(stream)).encode() + b"/Filter/FlateDecode>>stream\n" + stream
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_the_process_that_reads_pdfs_ends_with_a_build_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(endless_pdf())
    command = [sys.executable, "-c", READ, str(path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as build:
        assert build.stdout and build.stdout.readline() == b"reading\n"
        end = time.monotonic() + 60
        while not (children := psutil.Process(build.pid).children()) and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(3)
        os.kill(build.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=20)
    for process in alive:
        process.kill()
    assert gone and not alive
