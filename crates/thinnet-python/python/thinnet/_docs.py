"""Documentation shared by the classifier and the regressor."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import TypeVar

T = TypeVar("T")

PARAMETERS = """
Parameters
----------
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; an empty sequence makes a linear model.
activation : str, default="relu"
    Activation of the hidden layers: "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
    "silu", "mish" or "softplus".
solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
    The optimiser. "adamw" is Adam with `weight_decay` (Loshchilov and Hutter, ICLR 2019). "lbfgs" takes all samples at
    once: good for small data, best with ``dtype="float64"``, and only without dropout, max-norm and batch
    normalisation, because it needs the same loss at every step. It holds nothing out, whatever `early_stopping` is.
alpha : float, default=0.0001
    Strength of the L2 term, divided by the number of samples in a batch (or their weights).
batch_size : int or "auto", default="auto"
    Samples per step; "auto" is min(200, n_samples).
learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
    Schedule of SGD: constant, divided by a power of the samples seen, or divided by 5 whenever there is no improvement.
learning_rate_init : float, default=0.001
    The initial learning rate.
power_t : float, default=0.5
    Exponent of "invscaling".
max_iter : int, default=200
    Maximum number of epochs in a call of `fit`, or of iterations of "lbfgs".
shuffle : bool, default=True
    Whether the samples are shuffled before each epoch.
random_state : int, RandomState or None, default=None
    Source of randomness for parameters, shuffling, the held-out part and the dropout masks.
tol : float, default=1e-4
    Improvements smaller than this do not count.
verbose : bool or int, default=False
    1 shows a progress bar (lines if tqdm is not installed), 2 shows one line per epoch.
warm_start : bool, default=False
    Whether `fit` continues from the parameters of the last call. The optimiser's state is reset.
momentum : float, default=0.9
    Momentum of SGD.
nesterovs_momentum : bool, default=True
    Whether SGD uses Nesterov's momentum.
early_stopping : bool, default=False
    Whether to hold out a part, stop when the score on it does not improve, and restore the best parameters.
validation_fraction : float, default=0.1
    The share that early stopping holds out, unless `fit` is given an `eval_set`.
beta_1, beta_2 : float, default=0.9, 0.999
    Decay rates of Adam's moments.
epsilon : float, default=1e-8
    Added to the denominator in Adam.
max_fun : int, default=15000
    Maximum number of evaluations of the loss, for "lbfgs".
n_iter_no_change : int or numpy.inf, default=10
    Epochs without an improvement before training stops.
dropout : float or sequence of float, default=0.0
    Rate DROPPED after each hidden layer, or one rate per layer (as in PyTorch and Keras).
input_dropout : float, default=0.0
    Rate DROPPED of the features.
max_norm : float or None, default=None
    Bound on the L2 norm of each unit's incoming weights (Srivastava et al., "Dropout", JMLR 2014, section 5.1).
batch_norm : bool, default=False
    Batch normalisation before each activation. Its statistics ignore sample weights.
weight_decay : float, default=0.01
    For "adamw": each step multiplies weights, not biases, by ``1 - learning_rate * weight_decay``.
scoring : str, callable or None, default=None
    The score for early stopping: None is the estimator's `score`, "loss" the negative loss on the held-out part;
    otherwise a scorer's name or ``scorer(estimator, X, y)``.
n_members : int, default=1
    With more than 1, an ensemble of as many networks, which differ by their seeds and are trained side by side
    (Lakshminarayanan et al., "Deep Ensembles", NIPS 2017). Probabilities and numbers are means over its members. Each
    member holds out a part of its own for early stopping. What one network has, such as `coefs_`, is in `members_`.
n_jobs : int or None, default=None
    Threads. None uses all cores that the environment and joblib allow. The model does not depend on it.
dtype : {"float32", "float64"}, default="float32"
    Precision of parameters and arithmetic.
"""

ATTRIBUTES = """
Attributes
----------
loss_, best_loss_ : float
    Loss of the last epoch, and the min; with early stopping the second is None.
loss_curve_ : list of float
    Loss of each epoch, L2 term included.
validation_loss_curve_, validation_scores_ : list of float or None
    Loss, without the L2 term, and score on the held-out part (or `eval_set`), per epoch.
best_validation_score_ : float or None
    The best validation score, with early stopping.
history_ : dict of str to list
    "epoch", "loss", "learning_rate", "validation_loss", "validation_score", "time" (seconds since the call of `fit`);
    missing values are None. ``pandas.DataFrame(estimator.history_)`` makes a table of it.
coefs_, intercepts_ : list of ndarray
    Weights (inputs, units) and biases (units) of each layer. The arrays are read-only; to change predictions, replace
    them with other arrays.
batch_norms_ : list of dict
    "gamma", "beta", "running_mean" and "running_variance" of each batch normalisation, ndarrays of shape (n_units,).
n_iter_, t_ : int
    Epochs of the last call, and samples seen in total.
n_layers_, n_outputs_ : int
    Layers including the input, and outputs.
out_activation_ : str
    "softmax", "logistic", "identity" or "exp".
n_features_in_ : int
    The number of features.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Their names, if `X` had any.
members_ : list of estimators
    The fitted networks of an ensemble, each with a `random_state` of its own. The ensemble itself has `n_iter_` (the
    longest), `loss_` (the mean), `n_layers_`, `n_outputs_`, `out_activation_` and what describes `X` and `y`.
"""

FIT = """
sample_weight : array-like of shape (n_samples,), default=None
    Weights, not negative; a weight of 0 leaves the sample out.
X_val, y_val, sample_weight_val : array-like, default=None
    Rows, labels or values, and weights to evaluate after each epoch; early stopping uses them instead of a held-out
    part.
eval_set : tuple (X, y) or (X, y, sample_weight), default=None
    The same as one tuple.
callbacks : callable or iterable of callable, default=None
    Each is called after each epoch as ``callback(estimator, record)``, where `record` is the epoch's row of
    `history_`; training stops when one returns True. A callback may replace `coefs_` and `intercepts_`, and set
    `learning_rate_init`, `dropout`, `input_dropout`, `max_norm`, `momentum`, `nesterovs_momentum`, `alpha`, `beta_1`,
    `beta_2` and `epsilon`: the next epoch uses them. Other parameters that shape the network are refused. In an
    ensemble, `estimator` is a member with the number ``record["member"]``, which is all that True stops; there is one
    call at a time.
"""


def documented(**parts: str) -> Callable[[T], T]:
    """Replace the names in braces in a docstring by `parts`, with each line indented alike."""

    def fill(target: T) -> T:
        text = target.__doc__
        if text is not None:  # python -OO leaves docstrings out
            for name, part in parts.items():
                for indent in (" " * 8, " " * 4, ""):
                    place = f"{indent}{{{name}}}"
                    if place in text:
                        lines = cleandoc(part).splitlines()
                        text = text.replace(place, "\n".join(indent + line if line else "" for line in lines))
            target.__doc__ = text.replace("{{", "{").replace("}}", "}")
        return target

    return fill
