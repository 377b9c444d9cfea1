"""A student's right solution, as text to be changed into wrong ones."""

LAYERS = """
import numpy as np


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0)


def dropout_forward(x, dropout_param):
    p, mode = dropout_param['p'], dropout_param['mode']
    if 'seed' in dropout_param:
        np.random.seed(dropout_param['seed'])
    mask = None
    if mode == 'train':
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    else:
        out = x
    return out, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    if dropout_param['mode'] == 'train':
        return dout * mask
    return dout


def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -logs[np.arange(len(y)), y].mean()
    dx = np.exp(logs)
    dx[np.arange(len(y)), y] -= 1
    return loss, dx / len(y)


def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps, momentum = bn_param['mode'], bn_param.get('eps', 1e-5), bn_param.get('momentum', 0.9)
    running_mean = bn_param.get('running_mean', np.zeros(x.shape[1]))
    running_var = bn_param.get('running_var', np.zeros(x.shape[1]))
    if mode == 'train':
        mean, var = x.mean(axis=0), x.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    std = np.sqrt(var + eps)
    xhat = (x - mean) / std
    bn_param['running_mean'], bn_param['running_var'] = running_mean, running_var
    return gamma * xhat + beta, (xhat, std, gamma)


def batchnorm_backward(dout, cache):
    xhat, std, gamma = cache
    g = dout * gamma
    dx = (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)
"""

OPTIM = """
import numpy as np


def sgd(w, dw, config=None):
    w -= config['learning_rate'] * dw
    return w, config


def sgd_momentum(w, dw, config=None):
    v = config.get('velocity', np.zeros_like(w))
    v = config['momentum'] * v - config['learning_rate'] * dw
    config['velocity'] = v
    return w + v, config


def rmsprop(w, dw, config=None):
    c = config.get('cache', np.zeros_like(w))
    c = config['decay_rate'] * c + (1 - config['decay_rate']) * dw ** 2
    config['cache'] = c
    return w - config['learning_rate'] * dw / (np.sqrt(c) + config['epsilon']), config


def adam(w, dw, config=None):
    m, v, t = config.get('m', 0 * w), config.get('v', 0 * w), config.get('t', 0)
    t += 1
    m = config['beta1'] * m + (1 - config['beta1']) * dw
    v = config['beta2'] * v + (1 - config['beta2']) * dw * dw
    config.update(m=m, v=v, t=t)
    mt = m / (1 - config['beta1'] ** t)
    vt = v / (1 - config['beta2'] ** t)
    return w - config['learning_rate'] * mt / (np.sqrt(vt) + config['epsilon']), config
"""

#: Other right ways to write dropout: (text of `LAYERS`, what stands there instead).
RIGHT: dict[str, list[tuple[str, str]]] = {
    "as the course writes it": [],
    "kept where a number is not below 1 - p": [
        ("np.random.rand(*x.shape) < p)", "np.random.random_sample(x.shape) >= 1 - p)")
    ],
    "binomial draws": [("(np.random.rand(*x.shape) < p) / p", "np.random.binomial(1, p, size=x.shape) / p")],
    "a boolean mask, divided at the output and in the gradient": [
        ("(np.random.rand(*x.shape) < p) / p", "np.random.rand(*x.shape) < p"),
        ("out = x * mask", "out = np.where(mask, x / p, 0)"),
        ("return dout * mask", "return np.where(mask, dout, 0) / dropout_param['p']"),
    ],
    "loops": [
        (
            "mask = (np.random.rand(*x.shape) < p) / p",
            "mask = np.zeros(x.shape)\n"
            "        for ix in np.ndindex(*x.shape):\n"
            "            if np.random.rand() < p:\n"
            "                mask[ix] = 1.0 / p",
        )
    ],
}

#: Wrong solutions: exercise, old text, new text, what the grader must say.
WRONG: list[tuple[str, str, str, str]] = [
    ("dropout", "(np.random.rand(*x.shape) < p) / p", "np.random.rand(*x.shape) < p", "not divided by p"),
    (
        "dropout",
        "        out = x\n",
        "        out = x * (np.random.rand(*x.shape) < p)\n",
        "mask is applied in test mode",
    ),
    (
        "dropout",
        "(np.random.rand(*x.shape) < p) / p",
        "(np.random.rand(*x.shape) > p) / (1 - p)",
        "drop and keep probability are swapped",
    ),
    ("dropout", "return dout * mask", "return dout", "the gradient is not masked"),
    ("dropout", "return dout * mask", "return dout * (mask > 0)", "masked but not divided by p"),
    ("dropout", "np.random.seed(dropout_param['seed'])", "pass", "the seed is not used"),
    ("dropout", "        out = x\n", "        out = x * p\n", "scaled by p"),
    ("dropout", "        out = x * mask", "        x *= mask\n        out = x", "changes its input in place"),
    ("dropout", "np.random.rand(*x.shape)", "np.random.rand(1, x.shape[1])", "one mask is shared by all samples"),
    (
        "fc_net",
        "x, y] -= 1\n    return loss, dx / len(y)".replace("x, y]", "np.arange(len(y)), y]"),
        "np.arange(len(y)), y] -= 1\n    return loss, dx",
        "mean over the batch is forgotten",
    ),
    ("fc_net", "np.where(cache > 0, dout, 0)", "np.where(dout > 0, dout, 0)", "masked by dout"),
    ("fc_net", "shifted = x - x.max(axis=1, keepdims=True)", "shifted = x", "overflows"),
    (
        "fc_net",
        "dout.sum(axis=0)\n\n\ndef relu",
        "dout.mean(axis=0)\n\n\ndef relu",
        "mean over the batch instead of the sum",
    ),
    ("batchnorm", "np.sqrt(var + eps)", "np.sqrt(var) + eps", "epsilon is missing in the root"),
    (
        "batchnorm",
        "        mean, var = running_mean, running_var",
        "        mean, var = x.mean(axis=0), x.var(axis=0)",
        "batch's statistics are used in test mode",
    ),
    ("batchnorm", "(g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / std", "g / std", "treated as constants"),
    ("optim", "    t += 1\n", "    t = 1\n", "t is not increased"),
    ("optim", "(np.sqrt(c) + config['epsilon'])", "np.sqrt(c + config['epsilon'])", "epsilon is inside the root"),
    ("optim", "    config['velocity'] = v\n", "", "velocity is not kept"),
]

#: classifiers/fc_net.py over those layers, as students write it.
NETWORK = """
import numpy as np

from cs6353.layers import *


class FullyConnectedNet(object):
    def __init__(self, hidden_dims, input_dim=3*32*32, num_classes=10, dropout=0, use_batchnorm=False, reg=0.0,
                 weight_scale=1e-2, dtype=np.float32, seed=None):
        self.reg, self.dropout, self.seed = reg, dropout, seed
        self.num_layers = 1 + len(hidden_dims)
        self.params = {}
        sizes = [input_dim] + list(hidden_dims) + [num_classes]
        for i in range(self.num_layers):
            self.params['W%d' % (i + 1)] = weight_scale * np.random.randn(sizes[i], sizes[i + 1]).astype(dtype)
            self.params['b%d' % (i + 1)] = np.zeros(sizes[i + 1], dtype=dtype)

    def loss(self, X, y=None):
        mode = 'test' if y is None else 'train'
        out, caches = X, []
        for i in range(1, self.num_layers):
            out, affine = affine_forward(out, self.params['W%d' % i], self.params['b%d' % i])
            out, relu = relu_forward(out)
            drop = None
            if self.dropout > 0:
                param = {'mode': mode, 'p': self.dropout}
                if self.seed is not None:
                    param['seed'] = self.seed
                out, drop = dropout_forward(out, param)
            caches.append((affine, relu, drop))
        last = self.num_layers
        scores, cache = affine_forward(out, self.params['W%d' % last], self.params['b%d' % last])
        if mode == 'test':
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        for i in range(1, last + 1):
            loss += 0.5 * self.reg * np.sum(self.params['W%d' % i] ** 2)
        dout, grads['W%d' % last], grads['b%d' % last] = affine_backward(dout, cache)
        for i in range(last - 1, 0, -1):
            affine, relu, drop = caches[i - 1]
            if drop is not None:
                dout = dropout_backward(dout, drop)
            dout = relu_backward(dout, relu)
            dout, grads['W%d' % i], grads['b%d' % i] = affine_backward(dout, affine)
        for i in range(1, last + 1):
            grads['W%d' % i] += self.reg * self.params['W%d' % i]
        return loss, grads
"""

#: What is changed in it, and what that should be called.
WRONG_NETWORKS = [
    ("loss += 0.5 * self.reg", "loss += self.reg", "lacks its factor 0.5"),
    (
        "            loss += 0.5 * self.reg * np.sum(self.params['W%d' % i] ** 2)",
        "            pass",
        "L2 term is left out",
    ),
    ("+= self.reg * self.params", "+= 2 * self.reg * self.params", "gradient is doubled"),
    ("+= self.reg * self.params['W%d' % i]", "+= 0", "L2 term's gradient is left out"),
    ("                dout = dropout_backward(dout, drop)", "                pass", "differs from the right figures"),
]
