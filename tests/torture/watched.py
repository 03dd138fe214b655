"""Work in a process of its own, under watch: how long it takes, how much memory it and its children grow to (Linux)."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
# Forked from a process that has everything loaded, so that what is measured is the work and not the imports.
_FORK = multiprocessing.get_context("fork")
_PATIENCE_S = 0.05
_SHOWN_CHARACTERS = 1500
_KIBIBYTES = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Watched(Generic[Result]):
    """What came of it: the result, or None and the `failure` in words.

    `seconds` have passed; `cpu_seconds` are those of the process and its children. `megabytes` is what the process grew
    by at most, `child_megabytes` the most that one of its children had in memory.
    """

    result: Result | None
    failure: str
    seconds: float
    cpu_seconds: float
    megabytes: int
    child_megabytes: int


@dataclass(frozen=True)
class _Told:
    """What the process says at its end."""

    result: Any
    raised: str
    cpu_seconds: float
    megabytes: int


def watch(work: Callable[[], Result], *, seconds: float, megabytes: int) -> Watched[Result]:
    """Do the work in a forked process, and kill it with its children where it exceeds the limits.

    Args:
        work: What to do. It ends its own children.
        seconds: The most time that may pass.
        megabytes: The most that the process may grow by.
    """
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_run, args=(work, theirs))
    began = time.monotonic()
    process.start()
    theirs.close()
    pid = process.pid or 0
    start = _memory(pid).get("VmRSS", 0)
    children: dict[int, int] = {}
    told: _Told | None = None
    failure = ""
    while not told and not failure:
        try:
            if ours.poll(_PATIENCE_S):
                told = ours.recv()
        except EOFError:
            process.join()
            failure = f"the process ended with status {process.exitcode}"
        children |= {child: found["VmHWM"] for child in _children(pid) if (found := _memory(child))}
        grown = _memory(pid).get("VmHWM", 0) - start
        if grown > megabytes:
            failure = f"it grew by {grown} MB"
        elif time.monotonic() - began > seconds:
            failure = f"it took more than {seconds:.0f} s"
    took = time.monotonic() - began
    if not told:
        for running in (*_children(pid), pid):
            _kill(running)
        told = _Told(None, "", 0.0, grown)
    process.join()
    largest_child = max(children.values(), default=0)
    return Watched(told.result, failure or told.raised, took, told.cpu_seconds, told.megabytes, largest_child)


def _run(work: Callable[[], object], pipe: Connection) -> None:
    start = _memory(os.getpid()).get("VmRSS", 0)
    try:
        result, raised = work(), ""
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is asked for
        result, raised = None, traceback.format_exc()[-_SHOWN_CHARACTERS:]
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    pipe.send(_Told(result, raised, cpu, _memory(os.getpid()).get("VmHWM", 0) - start))
    pipe.close()


def _memory(pid: int) -> dict[str, int]:
    """Return the memory of a process, and the most it had, in megabytes; nothing where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {name: int(amount) // 1024 for name, amount in _KIBIBYTES.findall(status)}


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
