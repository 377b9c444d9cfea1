"""How many threads a fit or a prediction may use."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import joblib
from joblib._parallel_backends import LokyBackend
from joblib.parallel import get_active_backend

_LIMITS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MOST = 1024
_SHARE: ContextVar[int | None] = ContextVar("_SHARE", default=None)


@contextmanager
def sharing(threads: int) -> Iterator[None]:
    """Let `thread_count` be this number within the block, in this thread: a member's share of an ensemble's threads."""
    before = _SHARE.set(threads)
    try:
        yield
    finally:
        _SHARE.reset(before)


def _all_cores(backend: Any) -> int:
    """All cores, as joblib counts them. Outside parallel sections it is called only once, because it reads files."""
    nested = bool(getattr(backend, "nesting_level", None))
    if nested or type(backend) is not LokyBackend:
        return int(joblib.effective_n_jobs(-1))
    # These may change while a process runs: it forks, gets a limit, or is bound to other cores.
    bound = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return _cores(os.getpid(), os.environ.get("LOKY_MAX_CPU_COUNT"), bound)


@functools.lru_cache(maxsize=1)
def _cores(process: int, limit: str | None, bound: frozenset[int] | None) -> int:
    return int(joblib.effective_n_jobs(-1))


def thread_count(n_jobs: int | None) -> int:
    """Number of threads for `n_jobs` at this point.

    Parameters
    ----------
    n_jobs : int or None
        None uses every core, unless the environment allows fewer (OMP_NUM_THREADS and similar, which joblib sets in its
        worker processes), and one within a parallel section of joblib's threads. A number has the same meaning as in
        joblib: -1 is all cores, -2 all but one.

    Returns
    -------
    int
        At least 1, at most 1024. Results do not depend on it.
    """
    share = _SHARE.get()
    if share is not None:
        return share
    if n_jobs is not None:
        return max(1, min(int(joblib.effective_n_jobs(n_jobs)), _MOST))
    backend, _ = get_active_backend()
    if getattr(backend, "nesting_level", 0) and threading.current_thread() is not threading.main_thread():
        return 1
    count = _all_cores(backend)
    for name in _LIMITS:
        # OMP_NUM_THREADS may be a list, one number for each level of nesting.
        limit = os.environ.get(name, "").split(",")[0].strip()
        if limit.isdecimal() and int(limit) > 0:
            count = min(count, int(limit))
    return max(1, min(count, _MOST))
