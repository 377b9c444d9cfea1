"""The course's numerical gradient check in NumPy, timed: every parameter of its small network with dropout.

Prints {"seconds": ..., "parameters": ..., "rel_errors": {"W1": ..., ...}} in one line.
"""

import json
import time

import numpy as np

from course import FullyConnectedNet, eval_numerical_gradient, rel_error

KEEP = 0.75


def main() -> None:
    np.random.seed(231)
    n, d, h1, h2, c = 2, 15, 20, 30, 10
    x = np.random.randn(n, d)
    y = np.random.randint(c, size=(n,))
    model = FullyConnectedNet([h1, h2], d, c, dropout=KEEP, weight_scale=5e-2, dtype=np.float64, seed=123)
    start = time.perf_counter()
    _, grads = model.loss(x, y)
    rel_errors = {}
    for name in sorted(grads):
        numerical = eval_numerical_gradient(lambda: model.loss(x, y)[0], model.params[name])
        rel_errors[name] = rel_error(numerical, grads[name])
    seconds = time.perf_counter() - start
    parameters = sum(w.size for w in model.params.values())
    print(json.dumps({"seconds": seconds, "parameters": parameters, "rel_errors": rel_errors}))


if __name__ == "__main__":
    main()
