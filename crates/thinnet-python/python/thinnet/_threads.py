"""How many threads a fit or a prediction may use."""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import joblib
from joblib._parallel_backends import LokyBackend
from joblib.parallel import get_active_backend

_LIMITS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MOST = 1024


def _all_cores(backend: Any) -> int:
    """What joblib means by all cores. Outside of a parallel section it is asked once: it reads files to find out."""
    nested = bool(getattr(backend, "nesting_level", None))
    if nested or type(backend) is not LokyBackend:
        return int(joblib.effective_n_jobs(-1))
    # What may change while a process runs: it forks, or is told of a limit, or bound to other cores.
    bound = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return _cores(os.getpid(), os.environ.get("LOKY_MAX_CPU_COUNT"), bound)


@functools.lru_cache(maxsize=1)
def _cores(process: int, limit: str | None, bound: frozenset[int] | None) -> int:
    return int(joblib.effective_n_jobs(-1))


def thread_count(n_jobs: int | None) -> int:
    """Number of threads that `n_jobs` stands for here and now.

    Parameters
    ----------
    n_jobs : int or None
        None takes every core, unless the environment (OMP_NUM_THREADS and its kin, which joblib sets in its worker
        processes) allows fewer, and one within a parallel section of joblib's threads. A number means what it means
        to joblib: -1 is all cores, -2 all but one.

    Returns
    -------
    int
        At least 1, at most 1024. Results do not depend on it.
    """
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
