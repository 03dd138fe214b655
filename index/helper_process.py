"""What a process and a helper that it has started say to one another, over pipes, and how the helper ends."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from typing import IO

_HEADER = struct.Struct("<QQ")
_LOOKS_EVERY_S = 1.0


def start_helper(code: str, *, quiet: bool = False) -> subprocess.Popen[bytes]:
    """Start a process of this interpreter, with pipes to its input and output; `quiet` drops what it says of errors.

    Ctrl-C does not reach it (but on Windows): who has started it ends it.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
    )


def end_helper(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start_helper` has started."""
    process.kill()
    process.communicate()


def end_after(parent: int) -> None:
    """End this process soon after its parent, which may be killed at any moment. To be run in a thread of its own."""
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(1)


def send(pipe: IO[bytes], data: bytes, message: bytes) -> None:
    """Write data and a message about it to a pipe.

    Raises:
        OSError: there is nobody at its other end.
    """
    pipe.write(_HEADER.pack(len(data), len(message)))
    pipe.write(data)
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """Read data and a message from a pipe.

    Raises:
        EOFError: it has been closed.
    """
    data, message = _HEADER.unpack(_exactly(pipe, _HEADER.size))
    return _exactly(pipe, data), _exactly(pipe, message)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    read = pipe.read(size)
    if len(read) < size:
        raise EOFError
    return read
