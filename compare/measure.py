"""Processes that train alternately: each runs a few steps, then becomes idle before the next one runs."""

import json
import os
import pathlib
import statistics
import subprocess
import time
from dataclasses import dataclass

import peer

STAT = pathlib.Path("/proc/stat")

# The first steps of a turn still have the caches of the other process.
STEPS_TO_WARM = 2


class Trainer:
    """A process that speaks the protocol of peer.py."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request: object) -> dict[str, object]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()} when asked {json.dumps(request)}")
        answer: dict[str, object] = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{self.name} refused {json.dumps(request)}: {answer['error']}")
        return answer

    def prepare(self, work: peer.Work) -> None:
        self.ask(net=work.net, batch=work.batch, keep=work.keep, setting=work.setting)

    def turn(self, steps: int) -> list[float]:
        """Milliseconds of each of `steps` steps, after some warm-up steps."""
        times = self.ask(steps=steps + STEPS_TO_WARM)["ms"]
        assert isinstance(times, list)
        self.rest()
        return times[STEPS_TO_WARM:]

    def rest(self) -> None:
        """Wait until the process's threads no longer spin (OpenMP's and OpenBLAS's do, for milliseconds)."""
        for _ in range(100):
            before = cpu_seconds(self.process.pid)
            time.sleep(0.01)
            if cpu_seconds(self.process.pid) - before < 0.001:
                return

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process, from Linux's clock; 0 on other systems."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


@dataclass(frozen=True)
class Times:
    """Milliseconds per training step, over all turns: the median and the min."""

    median: float
    least: float

    @classmethod
    def of(cls, turns: list[list[float]]) -> "Times":
        steps = [step for turn in turns for step in turn]
        return cls(round(statistics.median(steps), 4), round(min(steps), 4))


@dataclass(frozen=True)
class Ratio:
    """Their time divided by ours, for pairs of adjacent turns: the median and the quartiles."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, theirs: list[float], ours: list[float]) -> "Ratio":
        ratios = [t / o for t, o in zip(theirs, ours, strict=True)]
        lower, median, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        return cls(round(median, 3), round(lower, 3), round(upper, 3))


def in_turns(trainers: list[Trainer], rounds: int, steps: int) -> list[list[list[float]]]:
    """Each trainer's turns; they run one after another, and the order changes from round to round."""
    turns: list[list[list[float]]] = [[] for _ in trainers]
    for i in range(rounds):
        order = range(len(trainers))
        for j in order if i % 2 == 0 else reversed(order):
            turns[j].append(trainers[j].turn(steps))
    return turns


class Others:
    """The share of the machine that other processes use, counted from its creation, without the trainers."""

    def __init__(self, trainers: list[Trainer]) -> None:
        self.trainers = trainers
        self.before = self.used()
        self.start = time.perf_counter()

    def used(self) -> float:
        """CPU seconds of all other processes since the machine started; 0 if not on Linux."""
        if not STAT.exists():
            return 0.0
        user, nice, system, _idle, _wait, *interrupts = (int(n) for n in STAT.read_text().split()[1:9])
        busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
        return busy - time.process_time() - sum(cpu_seconds(t.process.pid) for t in self.trainers)

    def share(self) -> float:
        """The share of the machine's cores, from 0 to 1."""
        cores = os.cpu_count() or 1
        share = (self.used() - self.before) / (time.perf_counter() - self.start) / cores
        return round(max(share, 0.0), 3)


def limit_to_cores(count: int) -> None:
    """Limit this process and its children to some of the cores, and tell their libraries the number."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    for variable in ("OMP", "MKL", "OPENBLAS", "RAYON", "MATMUL"):
        os.environ[f"{variable}_NUM_THREADS"] = str(count)
