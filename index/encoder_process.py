"""An encoder in a process of its own, which makes it ready while this one looks for what there is to encode.

A command that takes one changed page into a large archive would wait for its encoder longer than for all else. Threads
would not help: imports, and the reading of a tokenizer, hold the interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, Any

import numpy as np

from index.encoder import Encoder, EncoderIdentity, is_packaged, load_encoder, packaged_identity
from index.encoder_batches import Vectors
from index.errors import EncoderError, WenbaoError
from index.helper_process import end_after, end_helper, receive, send, start_helper


def start_encoder(name_or_path: str | None = None) -> Encoder:
    """Return an encoder, as `load_encoder` does; the packaged model is made ready in a process of its own.

    Raises:
        EncoderError: As for `load_encoder`; that the packaged model is damaged shows when it is first used.
    """
    if is_packaged(name_or_path):
        identity = packaged_identity()
        with contextlib.suppress(OSError):  # a system that starts no more processes
            return EncoderProcess(identity)
    return load_encoder(name_or_path)


class EncoderProcess:
    """The packaged model in a process, which ends with this object. Safe to call from several threads.

    A process that has ended, for whatever reason, is started anew for the next texts.
    """

    def __init__(self, identity: EncoderIdentity) -> None:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        self.identity = identity
        self._asking = threading.Lock()
        self._process = self._started()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dimension), float32, of questions.

        Raises:
            EncoderError: the process has ended, or encoding failed.
        """
        return self._ask("encode_queries", texts, None)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages; `progress` hears (done, all).

        Raises:
            EncoderError: the process has ended, or encoding failed.
        """
        return self._ask("encode_passages", texts, progress)

    def _started(self) -> subprocess.Popen[bytes]:
        process = start_helper("from index.encoder_process import serve; serve()")
        self._end = weakref.finalize(self, end_helper, process)
        return process

    def _ask(self, method: str, texts: Sequence[str], progress: Callable[[int, int], None] | None) -> Vectors:
        with self._asking:
            if self._process.poll() is not None:
                self._end()
                with _end_reported():
                    self._process = self._started()
            try:
                data, told = self._answer_to({"method": method, "texts": list(texts)}, progress)
            except BaseException:
                self._end()  # what it still says would be taken for the next answer
                raise
        if "failed" in told:
            raise EncoderError(told["failed"])
        vectors: Vectors = np.frombuffer(data, np.float32).reshape(len(texts), self.identity.dimension).copy()
        return vectors

    def _answer_to(
        self, request: dict[str, Any], progress: Callable[[int, int], None] | None
    ) -> tuple[bytes, dict[str, Any]]:
        assert self._process.stdin and self._process.stdout  # noqa: S101 - both are pipes
        with _end_reported():
            send(self._process.stdin, b"", json.dumps(request).encode())
        while True:
            with _end_reported():
                data, message = receive(self._process.stdout)
            told = json.loads(message)
            if "done" not in told:
                return data, told
            if progress:
                progress(told["done"], told["total"])


@contextlib.contextmanager
def _end_reported() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise EncoderError(
            "The process that encodes has ended, perhaps for want of memory. What was encoded before is kept: "
            "free some memory, then build again."
        ) from error


def serve() -> None:
    """Encode the texts that come on the standard input, until it is closed."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not come between
    threading.Thread(target=end_after, args=[os.getppid()], daemon=True).start()
    try:
        from index.quick_encoder import QuickEncoder

        encoder: Encoder = QuickEncoder()
    except WenbaoError as error:
        failed = str(error)
    except Exception as error:  # noqa: BLE001 - told to the one who asks
        failed = f"The encoder cannot be loaded ({type(error).__name__}: {error}). Install Wenbao anew."
    else:
        failed = ""
    if failed:
        _answer_each(lambda request: _tell(answers, {"failed": failed}))
    else:
        _answer_each(partial(_encode, encoder, answers))


def _answer_each(answer: Callable[[dict[str, Any]], None]) -> None:
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            answer(json.loads(receive(sys.stdin.buffer)[1]))


def _encode(encoder: Encoder, answers: IO[bytes], request: dict[str, Any]) -> None:
    try:
        if request["method"] == "encode_queries":
            vectors = encoder.encode_queries(request["texts"])
        else:
            vectors = encoder.encode_passages(
                request["texts"], lambda done, total: _tell(answers, {"done": done, "total": total})
            )
    except BrokenPipeError:
        raise
    except WenbaoError as error:
        _tell(answers, {"failed": str(error)})
    except Exception as error:  # noqa: BLE001 - told to the one who asked
        _tell(answers, {"failed": f"Encoding failed ({type(error).__name__}: {error}). Build again."})
    else:
        _tell(answers, {}, np.ascontiguousarray(vectors, np.float32).tobytes())


def _tell(answers: IO[bytes], told: dict[str, Any], data: bytes = b"") -> None:
    send(answers, data, json.dumps(told).encode())
