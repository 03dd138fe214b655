"""What the CPU is good at, and how torch is told to use it. Imports torch only when asked."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Literal

Precision = Literal["auto", "bf16", "int8", "fp32"]

# The product that most of an encoder's time goes into, at the size of one batch of multilingual-e5-small.
_ROWS, _INNER, _COLUMNS = 1024, 384, 1536
_REPEATS = 4
# bf16 also doubles the speed of what is bound by memory, so it is worth taking once the products are clearly faster.
_WORTH = 1.3


def prepare_environment(*, offline: bool) -> None:
    """Set the environment that the libraries read when they are imported: no telemetry, and no network if `offline`.

    A variable that the user has set is left alone.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # unset, it warns and turns itself off after a fork
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")


def usable_cores() -> int:
    """The number of CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@cache
def _cpu_words() -> frozenset[str] | None:
    """What the system says of the CPU, in words, its units among them; None where it says nothing."""
    try:
        return frozenset(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
    except OSError:  # macOS and Windows
        return None


def claims_bf16() -> bool:
    """Whether the CPU says that it multiplies bfloat16 in hardware (AMX, AVX512-BF16, Armv8.6 BF16)."""
    words = _cpu_words()
    if words is None:  # every Apple chip since the M2 has it, and the measurement decides
        return platform.machine() == "arm64"
    return bool(words & {"amx_bf16", "avx512_bf16", "bf16"})


def attends_faster_by_products() -> bool:
    """Whether attention in bfloat16 out of plain products beats torch's fused operator.

    Measured for 256 tokens: 0.7 of its time with AVX512-BF16 alone, 2 to 4 times with AMX. By the kind of CPU, so that
    one machine gives the same bits at every start.
    """
    words = _cpu_words() or frozenset()
    return "avx512_bf16" in words and "amx_bf16" not in words


def best_precision() -> Precision:
    """bf16 where it is faster than single precision, int8 on other x86 CPUs, else fp32."""
    if bf16_is_faster():
        return "bf16"
    return "int8" if platform.machine().lower() in ("x86_64", "amd64") else "fp32"


def bf16_is_faster() -> bool:
    """Whether bfloat16 products beat single precision here: the CPU is asked, then measured (0.1 s or less).

    So short a measurement is made anew at each start rather than kept: a kept one would outlive a change of machine,
    of torch, or of ONEDNN_MAX_CPU_ISA.
    """
    if not claims_bf16():
        return False
    import torch

    def seconds(dtype: torch.dtype) -> float:
        left, right = torch.ones(_ROWS, _INNER, dtype=dtype), torch.ones(_COLUMNS, _INNER, dtype=dtype)
        best = float("inf")
        for _ in range(_REPEATS):
            start = time.thread_time()  # CPU time of this one thread: other work on the machine does not count
            torch.nn.functional.linear(left, right)
            best = min(best, time.thread_time() - start)
        return best

    with one_thread_pool(1) as pool:
        return pool.submit(seconds, torch.float32).result() > _WORTH * pool.submit(seconds, torch.bfloat16).result()


def one_thread_pool(workers: int) -> ThreadPoolExecutor:
    """A pool whose workers each run torch on one thread.

    Several batches side by side, one thread each, beat one batch spread over all threads: that way every operation ends
    in a barrier, which costs a time slice (some 10 ms) whenever another process holds one of the cores.
    """
    import torch

    ready = threading.Barrier(workers + 1)

    def initialise() -> None:
        torch.get_num_threads()  # a thread's first call gives it the default of that moment, which would undo the next
        torch.set_num_threads(1)  # for this thread at once, but also the default of threads that start later
        ready.wait()

    def nothing() -> None:
        return None

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="wenbao-torch", initializer=initialise)
    starts: list[Callable[[], object]] = [pool.submit(nothing).result for _ in range(workers)]
    ready.wait()
    torch.set_num_threads(before)  # what others find is as it was
    for started in starts:
        started()
    return pool
