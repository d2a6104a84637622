"""The part of the estimators' documentation that both share, put into their docstrings by `documented`."""

from __future__ import annotations

from typing import TypeVar

Class = TypeVar("Class", bound=type)

PARAMETERS = """hidden_layer_sizes : int or sequence of ints, default="auto"
        Units of the hidden layers, first to last; none of them for a linear model.
    activation : str, default="auto"
        Of the hidden layers: "identity", "logistic", "tanh", "relu", as in scikit-learn, or "leaky_relu", "elu",
        "selu", "silu", "mish", "gelu", "gelu_tanh", "softplus", "sine".
    recipe : {"sklearn", "tabular", "ensemble", "realmlp", "plain", "notebook"}, default="sklearn"
        What every parameter that is "auto" means. "sklearn" is scikit-learn's algorithm and defaults: numbers only,
        to be scaled by the caller. The others are the library's own; they scale columns, take categories and missing
        values, hold back validation rows and keep the best epoch. "tabular" is the one to begin with.
    solver : {"adam", "sgd", "lbfgs", "adamw", "nesterov", "rmsprop"}, default="auto"
        "lbfgs" takes whole passes and needs SciPy.
    alpha : float, default="auto"
        Weight decay; in the recipe sklearn divided by the rows of a batch, as in scikit-learn.
    batch_size : int, default="auto"
        Rows a step; in the recipe sklearn min(200, rows).
    learning_rate : str, default="auto"
        Its schedule. Recipe sklearn: "constant", "invscaling", "adaptive", used by "sgd" only; others: "constant",
        "adaptive", "step", "cosine", "one_cycle", "coslog4".
    learning_rate_init : float, default="auto"
        The learning rate.
    power_t : float, default=0.5
        The exponent of "invscaling".
    max_iter : int, default="auto"
        Epochs at most.
    shuffle : bool, default=True
        Whether epochs draw an order of rows; recipe sklearn only.
    random_state : int, RandomState, Generator or None, default=None
        Where random numbers come from. A number gives the same model every time, on every machine.
    tol : float, default=1e-4
        What counts as an improvement, in the recipe sklearn.
    verbose : bool or int, default=False
        A bar in terminals and notebooks, or else a line for each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights that are there; recipe sklearn only.
    momentum : float, default="auto"
        Of "sgd".
    nesterovs_momentum : bool, default=True
        Its form in the recipe sklearn.
    early_stopping : bool, default="auto"
        Recipe sklearn: hold back validation rows, stop when their score no longer improves, and keep the best epoch
        ("auto": if there is `validation_data`). Others do so but for the stopping; True stops too, False holds
        nothing back.
    validation_fraction : float, default=0.1
        The share of rows held back, where there is no `validation_data`.
    beta_1, beta_2, epsilon : float, default="auto"
        Of "adam".
    n_iter_no_change : int, default="auto"
        Epochs without improvement after which training stops.
    max_fun : int, default=15000
        Evaluations of the loss that "lbfgs" may take.
    dropout : float, default="auto"
        The share of hidden units that a step leaves out.
    precision : {"f32", "f64"}, default="auto"
        What the network computes in. "auto" in the recipe sklearn: the dtype of X; otherwise f32, the faster one.
    n_threads : int, default=None
        At most so many threads; None or 0: as many as pay. Results do not depend on it.
    callbacks : function or sequence of functions, default=None
        Each is called after every epoch with a dict of "epoch", "epochs", "loss", "validation_loss",
        "validation_score" and "learning_rate"; training ends there if one returns True.
    settings : dict, default=None
        Further settings by the library's names of them, such as {"members": 4}: those of model_.info()["settings"]; in
        the recipe sklearn options of a `tulle.Trainer`. What parameters say cannot be among them."""

ATTRIBUTES = """loss_curve_ : list of float
        The loss of each epoch.
    validation_curve_ : list of float
        The loss of the validation rows after each epoch; empty without such rows.
    validation_scores_ : list of float or None
        Their scores, in the recipe sklearn with early stopping.
    best_loss_, best_validation_score_, loss_, n_iter_, t_, n_layers_, n_outputs_, out_activation_
        As in scikit-learn.
    best_iteration_ : int
        The epoch, from 1, that the weights are from.
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, units) and biases (units,) of each layer.
    model_ : tulle.Model
        The model, to be saved as a file that the command and other languages read.
    n_features_in_, feature_names_in_
        Columns of X in `fit`."""


def documented(cls: Class) -> Class:
    """Puts the shared parts in place of {parameters} and {attributes}."""
    assert cls.__doc__ is not None
    cls.__doc__ = cls.__doc__.replace("{parameters}", PARAMETERS).replace("{attributes}", ATTRIBUTES)
    return cls
