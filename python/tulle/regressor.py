"""MLPRegressor."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from tulle._compat import RegressorMixin, available_if
from tulle._documentation import documented
from tulle._estimator import BaseMLP, row_weights
from tulle._metrics import middle, r2_score
from tulle._parameters import LOSSES, resolved_one
from tulle._sklearn_recipe import quantiles_of
from tulle._table_recipe import Target


@documented
class MLPRegressor(RegressorMixin, BaseMLP):
    """A multilayer perceptron that predicts numbers; a drop-in for scikit-learn's, many times as fast.

    Parameters
    ----------
    loss : str, default="auto"
        "squared_error", "poisson" (counts), as in scikit-learn, or "absolute_error", "huber", "quantile", "gamma"
        (amounts above 0).
    quantile : float or sequence of float, default=None
        Of the loss "quantile": by default the median. Of several, `predict` has a column for each.
    {parameters}

    Attributes
    ----------
    {attributes}

    Notes
    -----
    Sparse X is made dense: whole in `fit`, in parts in `predict`. Several targets are columns of y.

    Examples
    --------
    >>> import numpy as np
    >>> from tulle import MLPRegressor
    >>> X = np.linspace(-1, 1, 400).reshape(-1, 2)
    >>> y = X[:, 0] ** 2 + X[:, 1]
    >>> model = MLPRegressor(random_state=0, learning_rate_init=0.01, max_iter=500).fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    >>> model = MLPRegressor(recipe="plain", random_state=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

    __module__ = "tulle"

    def __init__(
        self,
        loss="auto",
        hidden_layer_sizes="auto",
        activation="auto",
        *,
        recipe="sklearn",
        solver="auto",
        alpha="auto",
        batch_size="auto",
        learning_rate="auto",
        learning_rate_init="auto",
        power_t=0.5,
        max_iter="auto",
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum="auto",
        nesterovs_momentum=True,
        early_stopping="auto",
        validation_fraction=0.1,
        beta_1="auto",
        beta_2="auto",
        epsilon="auto",
        n_iter_no_change="auto",
        max_fun=15000,
        quantile=None,
        dropout="auto",
        precision="auto",
        n_threads=None,
        callbacks=None,
        settings=None,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.recipe = recipe
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.quantile = quantile
        self.dropout = dropout
        self.precision = precision
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.settings = settings

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPRegressor:
        """Trains on all rows.

        Parameters
        ----------
        X : array-like, sparse matrix, or frame of pandas, polars or Arrow, of shape (n_samples, n_features)
            The features. Text, categories and missing values need one of the library's own recipes.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The numbers to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.
        validation_data : tuple (X, y), default=None
            Rows to validate on, in place of some that are held back.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(BaseMLP._check_learns_in_parts)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Goes on training for one epoch on these rows, with the optimiser as it stands. Recipe sklearn only.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Predicts numbers.

        Parameters
        ----------
        X : as in `fit`
            Columns of frames are matched by name in all recipes but sklearn, whose must be in the order of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            In the units of y; of several quantiles a column for each.
        """
        return self._shaped(self._outputs(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R^2 of the predictions; of several quantiles that of the middle one.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
            1 at best, and 0 if the mean of y were as good.
        """
        if self._loss_name() != "quantile" or len(quantiles_of(self)) == 1:
            return super().score(X, y, sample_weight)
        return r2_score(y, middle(self.predict(X), y), row_weights(sample_weight, len(y)))

    @staticmethod
    def _shaped(outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    # --- what recipes ask ---

    def _learnable(self, y: np.ndarray, goes_on: bool) -> tuple[str, int, Callable[[np.ndarray], np.ndarray]]:
        loss = self._loss_name()
        self.out_activation_ = "exp" if loss in ("poisson", "gamma") else "identity"
        targets = 1 if y.ndim == 1 else y.shape[1]
        outputs = targets * (len(quantiles_of(self)) if loss == "quantile" else 1)
        if goes_on and self._network is not None and outputs != getattr(self, "_outputs_before", outputs):
            raise ValueError(f"y has {targets} targets, but training goes on with those of the previous call to fit.")
        self._outputs_before = outputs
        limit = {"poisson": "y >= 0", "gamma": "y > 0"}.get(loss)

        def encode(y: np.ndarray) -> np.ndarray:
            if limit and not (y.min() >= 0 if loss == "poisson" else y.min() > 0):
                raise ValueError(f"The loss {loss!r} needs {limit}.")
            return np.ascontiguousarray(y, dtype=np.float64).reshape(len(y), -1)

        return loss, outputs, encode

    def _loss_name(self) -> str:
        return LOSSES[resolved_one(self, "loss")]

    def _classes_to_stratify(self, y: np.ndarray) -> None:
        return None

    def _score_outputs(self, outputs: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> float:
        predicted = np.exp(outputs) if self.out_activation_ == "exp" else outputs
        if not np.isfinite(predicted).all():
            return float("nan")
        return r2_score(y, middle(predicted, y), weights)

    def _table_target(self, y: np.ndarray, is_new: bool) -> tuple[Target, str]:
        self.out_activation_ = "exp" if self.loss in ("poisson", "gamma") else "identity"
        values = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        return Target(values, [None] * values.shape[1]), "regression"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
