"""The process in which a student's code runs: steps come in as JSON and arrays, results go out the same way.

Run as a script, separate from the package, with limits on time and memory and without network. It protects the grader
from accidents and simple tricks, but not from a determined attacker.
"""

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

#: Events of the interpreter that a layer does not need.
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "ctypes.dlopen",
)


def _limit(memory: int, seconds: float) -> None:
    try:
        import resource
    except ImportError:  # not on Windows; the grader's own clock still runs
        return
    for what, value in (
        (resource.RLIMIT_AS, memory << 20),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_FSIZE, 1 << 20),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (value, value))


def _leave_network() -> None:
    """Enter a network namespace without connections, if the system allows it; refuse network access in any case."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):
            import ctypes

            libc = ctypes.CDLL(None, use_errno=True)
            libc.unshare(0x10000000 | 0x40000000)  # CLONE_NEWUSER | CLONE_NEWNET

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"graded code may not do this: {event}")

    sys.addaudithook(refuse)


def _import(root: Path, module: str) -> types.ModuleType:
    """The student's module, in a package with the names of the folder and the courses."""
    if root.is_file():
        root, module = root.parent, root.stem
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(root.parent), str(root)]
    if importlib.util.find_spec("past") is None:  # older notebooks' way to have range in Python 2
        past = types.ModuleType("past.builtins")
        past.xrange = range  # type: ignore[attr-defined]
        sys.modules["past"] = types.ModuleType("past")
        sys.modules["past.builtins"] = past
    for name in {root.name, "cs231n", "cs6353", "student"}:
        package = types.ModuleType(name)
        package.__path__ = [str(root)]
        sys.modules[name] = package
    name = root.name if root.name.isidentifier() else "student"
    return importlib.import_module(f"{name}.{module}")


class _Missing(Exception):
    pass


class _Steps:
    """Executes steps; their results are stored by name."""

    def __init__(self, module: types.ModuleType, known: dict[str, Any]) -> None:
        self.module = module
        self.known = known

    def value(self, given: Any) -> Any:
        """The value of an argument: "$name" means the result stored under that name."""
        if isinstance(given, str) and given.startswith("$"):
            return self.known[given[1:]]
        return given

    def find(self, name: str) -> Any:
        first, _, rest = name.partition(".")
        found = self.known[first] if first in self.known else getattr(self.module, first, None)
        if found is None:
            raise _Missing(name)
        if str(getattr(found, "__module__", "")).startswith("thinnet"):
            raise ImportError(f"{name} is thinnet's own, so there is no student's code to check")
        return getattr(found, rest) if rest else found

    def run(self, step: dict[str, Any]) -> None:
        do = step["do"]
        args = [self.value(given) for given in step.get("args", [])]
        if do == "seed":
            np.random.seed(args[0])
        elif do == "draw":
            self.known[step["to"]] = np.random.rand(4)
        elif do == "copy":
            self.known[step["to"]] = np.array(args[0])
        elif do == "take":
            self.known[step["to"]] = np.array(args[0][step["key"]])
        elif do == "change":
            args[0][args[1]] = args[2]
        elif do == "network":
            self.known["net"] = self.network(**step["settings"])
        elif do == "set":
            self.known["net"].params = {name: np.array(self.known[name]) for name in step["names"]}
        elif do == "numerical":
            self.known[step["to"]] = self.numerical(step, args)
        else:
            results = self.find(do)(*args)
            if results is None:
                raise NotImplementedError(f"{do} returns None: it is not implemented yet")
            names = step["to"] if isinstance(step["to"], list) else [step["to"]]
            if len(names) > 1:
                if not isinstance(results, tuple) or len(results) != len(names):
                    raise TypeError(f"{do} should return {len(names)} values")
                self.known.update(zip(names, results, strict=True))
            else:
                self.known[names[0]] = results

    def network(self, keep: float, norm: str | None, dtype: str, **settings: Any) -> Any:
        """A FullyConnectedNet in the dialect of the student's class."""
        build = self.find("FullyConnectedNet")
        names = inspect.signature(build).parameters
        if "dropout_keep_ratio" in names:
            settings |= {"dropout_keep_ratio": keep, "normalization": norm}
        else:
            settings |= {"dropout": 0 if keep == 1 else keep, "use_batchnorm": norm == "batchnorm"}
        return build(dtype=np.dtype(dtype).type, **settings)

    def numerical(self, step: dict[str, Any], args: list[Any]) -> Any:
        """The gradient of sum(function(*args)[0] * dout) by one argument."""
        function, wrt, dout = self.find(step["function"]), step["wrt"], self.value(step["dout"])
        x = np.array(args[wrt], dtype=float)
        gradient = np.zeros_like(x)
        for index in np.ndindex(*x.shape):
            sums = []
            for shift in (1e-5, -1e-5):
                moved = x.copy()
                moved[index] += shift
                out = function(
                    *[dict(a) if isinstance(a, dict) else np.array(a) for a in (*args[:wrt], moved, *args[wrt + 1 :])]
                )
                sums.append(np.sum(np.asarray(out[0]) * dout))
            gradient[index] = (sums[0] - sums[1]) / 2e-5
        return gradient


def _results(known: dict[str, Any], give: list[str]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name in give:
        value = known.get(name)
        if isinstance(value, dict):
            results |= {f"{name}/{key}": np.asarray(array, dtype=float) for key, array in value.items()}
        elif value is not None:
            array = np.asarray(value)
            results[name] = array if array.dtype.kind in "biuf" else np.zeros(0)
    return results


def main() -> None:
    """Read a job, run it, write the result."""
    answer = os.fdopen(os.dup(1), "wb")
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as sent:
        job = json.loads(str(sent["job"]))
        known: dict[str, Any] = {name: sent[name] for name in sent.files if name != "job"}
    known |= job["values"]
    error, kind = "", ""
    results: dict[str, Any] = {}
    try:
        _limit(job["memory"], job["seconds"])
        _leave_network()
        np.seterr(all="ignore")
        with contextlib.redirect_stdout(io.StringIO()):
            steps = _Steps(_import(Path(job["root"]), job["module"]), known)
            for step in job["steps"]:
                steps.run(step)
        results = _results(known, job["give"])
    except _Missing as missing:
        error, kind = f"there is no {missing}", "missing"
    except BaseException as problem:
        error, kind = f"{type(problem).__name__}: {problem}", type(problem).__name__
    out = io.BytesIO()
    np.savez(out, report=np.array(json.dumps({"error": error, "kind": kind})), **results)
    answer.write(out.getvalue())
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
