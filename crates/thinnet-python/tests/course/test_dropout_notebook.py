"""The cells of the course's dropout notebook, on the folder of `init cs6353`, and the figures that they print."""

from pathlib import Path

import numpy as np
import pytest

from .conftest import RunCells

REPOSITORY = Path(__file__).parents[4]
GOLDEN = REPOSITORY / "crates/thinnet/tests/golden/experiment_float64.log"

SETUP = """
import time
import warnings
import numpy as np
import matplotlib.pyplot as plt
from cs6353.classifiers.fc_net import *
from cs6353.data_utils import get_CIFAR10_data
from cs6353.gradient_check import eval_numerical_gradient, eval_numerical_gradient_array
from cs6353.solver import Solver

%matplotlib inline

def rel_error(x, y):
    return np.max(np.abs(x - y) / (np.maximum(1e-8, np.abs(x) + np.abs(y))))
"""

STATISTICS = """
np.random.seed(231)
x = np.random.randn(500, 500) + 10
for p in [0.25, 0.4, 0.7]:
    out, _ = dropout_forward(x, {'mode': 'train', 'p': p})
    out_test, _ = dropout_forward(x, {'mode': 'test', 'p': p})
    print(repr(float(x.mean())), repr(float(out.mean())), repr(float(out_test.mean())),
          float((out == 0).mean()), float((out_test == 0).mean()))
"""

GRADIENT = """
np.random.seed(231)
x = np.random.randn(10, 10) + 10
dout = np.random.randn(*x.shape)
dropout_param = {'mode': 'train', 'p': 0.2, 'seed': 123}
out, cache = dropout_forward(x, dropout_param)
dx = dropout_backward(dout, cache)
dx_num = eval_numerical_gradient_array(lambda xx: dropout_forward(xx, dropout_param)[0], x, dout)
print(rel_error(dx, dx_num))
"""

NETWORKS = """
np.random.seed(231)
N, D, H1, H2, C = 2, 15, 20, 30, 10
X = np.random.randn(N, D)
y = np.random.randint(C, size=(N,))
for dropout in [1, 0.75, 0.5]:
    model = FullyConnectedNet([H1, H2], input_dim=D, num_classes=C, weight_scale=5e-2, dtype=np.float64,
                              dropout=dropout, seed=123)
    loss, grads = model.loss(X, y)
    print('loss', repr(float(loss)))
    for name in sorted(grads):
        f = lambda _: model.loss(X, y)[0]
        grad_num = eval_numerical_gradient(f, model.params[name], verbose=False, h=1e-5)
        print('%s relative error: %.2e' % (name, rel_error(grad_num, grads[name])))
"""

EXPERIMENT = """
np.random.seed(231)
num_train = 500
with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    data = get_CIFAR10_data()
small_data = {
    'X_train': data['X_train'][:num_train], 'y_train': data['y_train'][:num_train],
    'X_val': data['X_val'], 'y_val': data['y_val'],
}
solvers = {}
for dropout in [1, 0.25]:
    model = FullyConnectedNet([500], dropout=dropout, dtype=np.float64)
    print(dropout)
    solver = Solver(model, small_data, num_epochs=25, batch_size=100, update_rule='adam',
                    optim_config={'learning_rate': 5e-4}, verbose=True, print_every=100)
    solver.train()
    solvers[dropout] = solver
"""

PLOTS = """
for dropout, solver in solvers.items():
    plt.plot(solver.train_acc_history, 'o', label='%.2f' % dropout)
    plt.plot(solver.val_acc_history, 'o', label='%.2f' % dropout)
plt.legend()
plt.show()
print([len(solver.train_acc_history) for solver in solvers.values()], len(solver.loss_history))
"""


@pytest.fixture(scope="module")
def golden() -> str:
    return GOLDEN.read_text()


def test_the_notebook_prints_the_courses_figures(run_cells: RunCells, golden: str) -> None:
    cells = [SETUP, STATISTICS, GRADIENT, NETWORKS, EXPERIMENT, PLOTS]
    _, statistics, gradient, networks, experiment, plots = run_cells("cs6353", cells)

    expected = [(10.014059116977283, 0.749784), (9.977917658761159, 0.600796), (9.987811912159426, 0.30074)]
    for line, (train_mean, zeros) in zip(statistics.splitlines(), expected, strict=True):
        figures = [float(word) for word in line.split()]
        mean = 10.000207878477502
        # The mean's last digit is a matter of how NumPy adds on this machine.
        assert figures == pytest.approx([mean, train_mean, mean, zeros, 0.0], rel=1e-14)
    assert float(gradient) == pytest.approx(5.44560814873387e-11, rel=1e-12)

    lines = networks.splitlines()
    losses = [float(line.split()[1]) for line in lines if line.startswith("loss")]
    assert losses == pytest.approx([2.300479089768492, 2.3028487331533216, 2.30427592207859], rel=1e-14)
    errors = [(line.split()[0], float(line.split()[-1])) for line in lines if "error" in line]
    assert len(errors) == 18
    assert errors[1] == ("W2", 2.21e-05), "the kink that the course's own figures have"
    assert all(error < 1e-6 for _, error in errors[:1] + errors[2:])

    assert experiment == golden
    assert plots == "[26, 26] 125\n"


def test_numpy_and_thinnet_take_turns_on_one_stream() -> None:
    """What NumPy draws after thinnet is what it draws after NumPy's own dropout."""
    from thinnet.course.layers import dropout_forward

    x = np.ones((3, 7))
    np.random.seed(5)
    np.random.randn()  # leaves a value cached
    mask = (np.random.rand(*x.shape) < 0.3) / 0.3
    after = np.random.randn(4)
    np.random.seed(5)
    np.random.randn()
    out, (_, own_mask) = dropout_forward(x, {"mode": "train", "p": 0.3})
    np.testing.assert_array_equal(own_mask, mask)
    np.testing.assert_array_equal(out, mask)
    np.testing.assert_array_equal(np.random.randn(4), after)
