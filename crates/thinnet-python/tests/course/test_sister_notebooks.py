"""The fully-connected cells of the sister notebooks: layers, update rules, 50 images, deep nets."""

from .conftest import RunCells

SETUP = """
import warnings
import numpy as np
from {name}.classifiers.fc_net import *
from {name}.data_utils import get_CIFAR10_data
from {name}.gradient_check import eval_numerical_gradient, eval_numerical_gradient_array
from {name}.layers import *
from {name}.optim import sgd_momentum, rmsprop, adam
from {name}.solver import Solver

def rel_error(x, y):
    return np.max(np.abs(x - y) / (np.maximum(1e-8, np.abs(x) + np.abs(y))))

with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    data = get_CIFAR10_data()
"""

# The figures that the course's notebooks give for a right layer.
AFFINE = """
x = np.linspace(-0.1, 0.5, num=2 * 120).reshape(2, 4, 5, 6)
w = np.linspace(-0.2, 0.3, num=120 * 3).reshape(120, 3)
b = np.linspace(-0.3, 0.1, num=3)
out, _ = affine_forward(x, w, b)
print(rel_error(out, [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]))
np.random.seed(231)
x, w, b, dout = np.random.randn(10, 2, 3), np.random.randn(6, 5), np.random.randn(5), np.random.randn(10, 5)
dx, dw, db = affine_backward(dout, affine_forward(x, w, b)[1])
print(rel_error(dx, eval_numerical_gradient_array(lambda x: affine_forward(x, w, b)[0], x, dout)))
print(rel_error(dw, eval_numerical_gradient_array(lambda w: affine_forward(x, w, b)[0], w, dout)))
print(rel_error(db, eval_numerical_gradient_array(lambda b: affine_forward(x, w, b)[0], b, dout)))
"""

RULES = """
N, D = 4, 5
w = np.linspace(-0.4, 0.6, num=N*D).reshape(N, D)
dw = np.linspace(-0.6, 0.4, num=N*D).reshape(N, D)
velocity = np.linspace(0.6, 0.9, num=N*D).reshape(N, D)
config = {'learning_rate': 1e-3, 'velocity': velocity}
next_w, _ = sgd_momentum(w, dw, config=config)
print(rel_error(next_w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789]))
print(rel_error(config['velocity'][0], [0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158]))
config = {'learning_rate': 1e-2, 'm': velocity, 'v': np.linspace(0.7, 0.5, num=N*D).reshape(N, D), 't': 5}
next_w, _ = adam(w, dw, config=config)
print(rel_error(next_w[0], [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977]))
cache = np.linspace(0.6, 0.9, num=N*D).reshape(N, D)
next_w, _ = rmsprop(w, dw, config={'learning_rate': 1e-2, 'cache': cache})
print(rel_error(next_w[0], [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247]))
print(config['t'])
"""

OVERFIT = """
np.random.seed(231)
small = {'X_train': data['X_train'][:50], 'y_train': data['y_train'][:50],
         'X_val': data['X_val'], 'y_val': data['y_val']}
for hidden in ([100, 100], [100, 100, 100, 100]):
    scale = {2: 1e-2, 4: 5e-2}[len(hidden)]
    model = FullyConnectedNet(hidden, weight_scale=scale, dtype=np.float64)
    solver = Solver(model, small, print_every=1000, num_epochs=20, batch_size=25, verbose=False, update_rule='sgd',
                    optim_config={'learning_rate': {2: 5e-3, 4: 2e-3}[len(hidden)]})
    solver.train()
    print(solver.train_acc_history[-1])
"""

BATCHNORM = """
np.random.seed(231)
a = np.maximum(0, np.random.randn(200, 50) @ np.random.randn(50, 60)) @ np.random.randn(60, 3)
bn_param = {'mode': 'train'}
out, cache = batchnorm_forward(a, np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0]), bn_param)
print(np.round(out.mean(axis=0), 6).tolist(), np.round(out.std(axis=0), 4).tolist())
dout = np.random.randn(200, 3)
first, alt = batchnorm_backward(dout, cache), batchnorm_backward_alt(dout, cache)
print([bool(rel_error(x, y) < 1e-10) for x, y in zip(first, alt)])
"""

GRADIENTS = """
np.random.seed(231)
N, D, H1, H2, C = 2, 15, 20, 30, 10
X = np.random.randn(N, D)
y = np.random.randint(C, size=(N,))
for reg in [0, 3.14]:
    model = FullyConnectedNet([H1, H2], input_dim=D, num_classes=C, reg=reg, weight_scale=5e-2, dtype=np.float64,
                              NORMALIZED)
    loss, grads = model.loss(X, y)
    print('loss', loss)
    for name in sorted(grads):
        f = lambda _: model.loss(X, y)[0]
        numerical = eval_numerical_gradient(f, model.params[name], verbose=False, h=1e-5)
        print(name, np.abs(numerical - grads[name]).max() / max(np.abs(grads[name]).max(), 1e-3))
"""

DEEP = """
np.random.seed(231)
small = {'X_train': data['X_train'][:500], 'y_train': data['y_train'][:500],
         'X_val': data['X_val'], 'y_val': data['y_val']}
best = []
for settings in (dict(NORMALIZED), dict()):
    model = FullyConnectedNet([50, 50, 50, 50, 50], weight_scale=2e-2, **settings)
    solver = Solver(model, small, num_epochs=6, batch_size=50, update_rule='adam',
                    optim_config={'learning_rate': 1e-3}, verbose=False)
    solver.train()
    best.append(max(solver.train_acc_history))
print(best[0] > best[1] + 0.1)
"""

TWO_LAYERS = """
np.random.seed(231)
model = TwoLayerNet(input_dim=5, hidden_dim=50, num_classes=7, weight_scale=1e-3)
model.params['W1'] = np.linspace(-0.7, 0.3, num=5*50).reshape(5, 50)
model.params['b1'] = np.linspace(-0.1, 0.9, num=50)
model.params['W2'] = np.linspace(-0.3, 0.4, num=50*7).reshape(50, 7)
model.params['b2'] = np.linspace(-0.9, 0.1, num=7)
X = np.linspace(-5.5, 4.5, num=3*5).reshape(5, 3).T
scores = model.loss(X)
right = [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765, 16.09215096]
print(np.abs(scores[0] - right).sum())
y = np.asarray([0, 5, 1])
print(abs(model.loss(X, y)[0] - 3.4702243556))
model.reg = 1.0
print(abs(model.loss(X, y)[0] - 26.5948426952))
"""


def test_the_older_dialects_notebooks(run_cells: RunCells) -> None:
    normalized = "use_batchnorm=True"
    cells = [SETUP.format(name="cs6353"), AFFINE, RULES, OVERFIT, BATCHNORM, GRADIENTS, DEEP, TWO_LAYERS]
    printed = run_cells("cs6353", [cell.replace("NORMALIZED", normalized) for cell in cells])
    check(printed)
    _, _, _, overfit, batchnorm, gradients, deep, two_layers = printed
    assert [float(line) for line in overfit.splitlines()] == [1.0, 1.0]
    assert batchnorm.splitlines() == ["[11.0, 12.0, 13.0] [1.0, 2.0, 3.0]", "[True, True, True]"]
    assert gradients.startswith("loss 2.26119551"), "the course's figure"
    assert deep == "True\n"
    assert all(float(line) < 1e-6 for line in two_layers.splitlines())


def test_todays_notebooks(run_cells: RunCells) -> None:
    for normalization in ("batchnorm", "layernorm"):
        cells = [SETUP.format(name="cs231n"), AFFINE, RULES, GRADIENTS]
        printed = run_cells(
            "cs231n", [cell.replace("NORMALIZED", f"normalization={normalization!r}") for cell in cells]
        )
        check(printed)


def check(printed: list[str]) -> None:
    affine, rules = printed[1], printed[2]
    assert all(float(line) < 1e-8 for line in affine.splitlines())
    assert all(float(line) < 1e-6 for line in rules.splitlines()[:4])
    assert rules.splitlines()[4] == "6"
    gradients = next(text for text in printed if text.startswith("loss"))
    figures = [line.split() for line in gradients.splitlines()]
    assert len(figures) == 2 * 11
    # Two samples in batch normalisation make for steep curves; the course's own W1 is at 1.1e-4.
    assert all(float(figure) < 1e-3 for name, figure in figures if name != "loss")
