"""``python -m thinnet.course``: ``init`` writes the course's folder, ``grade`` checks a student's."""

import argparse
import sys
from pathlib import Path

from thinnet.course._grade.exercises import EXERCISES
from thinnet.course._grade.report import grade
from thinnet.course._init import DIALECTS, init


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for a failed check, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m thinnet.course", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("init", help="write the folder that the course's notebooks import from")
    new.add_argument("name", type=Path, help="the folder, cs6353 or cs231n")
    new.add_argument("--data", type=Path, help="where CIFAR-10 is: its folder or archive, or a folder that holds it")
    new.add_argument(
        "--dialect",
        choices=DIALECTS,
        help="cs6353: FullyConnectedNet(dropout, use_batchnorm); cs231n: as in 2026, FullyConnectedNet"
        "(dropout_keep_ratio, normalization); by default cs231n for a folder of that name, and cs6353 otherwise",
    )
    check = commands.add_parser("grade", help="check a student's own functions")
    check.add_argument("path", type=Path, help="the course's folder, or a single layers.py or optim.py")
    check.add_argument("--exercise", choices=[*EXERCISES, "all"], default="all")
    check.add_argument("--json", action="store_true", help="print a JSON object instead of lines")
    check.add_argument("--seed", type=int, help="seed of the shapes and values, which otherwise differ from run to run")
    check.add_argument("--timeout", type=float, default=60.0, help="seconds that one function may take (default 60)")
    check.add_argument(
        "--memory", type=int, default=4096, help="MiB that the student's process may take (default 4096)"
    )
    args = parser.parse_args(arguments)
    try:
        if args.command == "init":
            print(init(args.name, data=args.data, dialect=args.dialect))
            return 0
        return grade(
            args.path, args.exercise, as_json=args.json, seed=args.seed, timeout=args.timeout, memory=args.memory
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
