"""PDF files are read in a process of its own, with bounds on memory and time, that may crash without harm.

PDFium is a large program in C++ that reads what strangers have written: a few kilobytes can unpack to operators that
take many gigabytes, or meet a fault. The process is kept for the next file, and started anew after one has ended it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict

from index.extract_pdf import PdfText, extract_pdf
from index.helper_process import end_after, end_helper, receive, send, start_helper
from index.reading import Limits, UnreadableError

_REMEDY = "open it in a PDF viewer and save it anew, or convert it to text"


class _Reader:
    """The process, and the way to ask it. One file at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._memory = 0

    def read(self, data: bytes, limits: Limits) -> PdfText:
        """Have a file read.

        Raises:
            UnreadableError: it cannot be used, or the process did not survive it.
        """
        with self._lock:
            process = self._started(limits)
            late = threading.Event()
            timer = threading.Timer(limits.pdf_seconds, _end, [process, late])
            timer.start()
            try:
                assert process.stdin and process.stdout  # noqa: S101 - both are pipes
                send(process.stdin, data, json.dumps(asdict(limits)).encode())
                _, answer = receive(process.stdout)
            except (EOFError, OSError) as error:
                self.close()
                raise UnreadableError(
                    f"reading it takes more than {limits.pdf_seconds:.0f} s"
                    if late.is_set()
                    else f"reading it crashes, or takes more than {limits.pdf_memory >> 20:,} MB of memory",
                    _REMEDY,
                ) from error
            except BaseException:
                self.close()  # what it still says would be taken for the answer to the next question
                raise
            finally:
                timer.cancel()
        told = json.loads(answer)
        if "reason" in told:
            raise UnreadableError(told["reason"], told["remedy"])
        missing = tuple((int(number), str(reason)) for number, reason in told["missing_pages"])
        return PdfText(told["text"], told["title"], missing)

    def close(self) -> None:
        """End the process."""
        if self._process and self._owner == os.getpid():
            end_helper(self._process)
        self._process = None

    def _started(self, limits: Limits) -> subprocess.Popen[bytes]:
        mine = self._owner == os.getpid() and self._memory == limits.pdf_memory
        if self._process is None or not mine or self._process.poll() is not None:
            self.close()
            code = f"from index.pdf_process import serve; serve({limits.pdf_memory})"
            self._process = start_helper(code, quiet=True)
            self._owner, self._memory = os.getpid(), limits.pdf_memory
        return self._process


_READER = _Reader()
atexit.register(_READER.close)


def read_pdf(data: bytes, limits: Limits) -> PdfText:
    """Read the text of a PDF as `extract_pdf` does, in the process kept for it.

    Raises:
        UnreadableError: it is damaged, protected, without text, or takes more memory or time than the limits allow.
    """
    return _READER.read(data, limits)


def serve(memory: int) -> None:
    """Read the PDFs that come on the standard input, within so many bytes of memory, until it is closed."""
    _limit(memory)
    threading.Thread(target=end_after, args=[os.getppid()], daemon=True).start()
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            data, limits = receive(sys.stdin.buffer)
            try:
                told = asdict(extract_pdf(data, Limits(**json.loads(limits))))
            except UnreadableError as error:
                told = {"reason": error.reason, "remedy": error.remedy}
            except Exception as error:  # noqa: BLE001 - told to the one who asked, who names the file
                told = {"reason": f"reading it fails ({type(error).__name__}: {error})", "remedy": _REMEDY}
            send(sys.stdout.buffer, b"", json.dumps(told).encode())


def _limit(memory: int) -> None:
    """Bound the memory of this process, as far as the system can (Linux)."""
    try:
        import resource
    except ImportError:
        return
    for what, wanted in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, hard))


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()
