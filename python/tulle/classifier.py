"""MLPClassifier."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from tulle._compat import ClassifierMixin, available_if
from tulle._documentation import documented
from tulle._estimator import LINKS, BaseMLP, row_weights
from tulle._labels import class_weights, labels_of, unique
from tulle._metrics import accuracy_score
from tulle._table_recipe import Target
from tulle._tables import text_of


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multilayer perceptron that predicts classes; a drop-in for scikit-learn's, many times as fast.

    Parameters
    ----------
    {parameters}
    class_weight : dict or "balanced", default=None
        How much rows of each class count, besides `sample_weight`; classes that are not named count 1.

    Attributes
    ----------
    classes_ : ndarray
        The classes, in the order of `predict_proba`'s columns.
    {attributes}

    Notes
    -----
    Sparse X is made dense: whole in `fit`, in parts in `predict`. y may be rows of zeros and ones, for several labels
    that are there or not.

    Examples
    --------
    >>> import numpy as np
    >>> from tulle import MLPClassifier
    >>> X = np.random.RandomState(0).normal(size=(300, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> model = MLPClassifier(random_state=0, max_iter=400).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> model.classes_
    array(['other', 'same'], dtype='<U5')
    >>> model.predict_proba(X[:3]).shape
    (3, 2)
    """

    __module__ = "tulle"
    _is_of_numbers = False

    def __init__(
        self,
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
        class_weight=None,
        dropout="auto",
        precision="auto",
        n_threads=None,
        callbacks=None,
        settings=None,
    ):
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
        self.class_weight = class_weight
        self.dropout = dropout
        self.precision = precision
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.settings = settings

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPClassifier:
        """Trains on all rows.

        Parameters
        ----------
        X : array-like, sparse matrix, or frame of pandas, polars or Arrow, of shape (n_samples, n_features)
            The features. Text, categories and missing values need one of the library's own recipes.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The classes, or zeros and ones for several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.
        validation_data : tuple (X, y), default=None
            Rows to validate on, in place of some that are held back.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(BaseMLP._check_learns_in_parts)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Goes on training for one epoch on these rows, with the optimiser as it stands. Recipe sklearn only.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, default=None
            All classes that will ever come; needed in the first call, and not to change afterwards.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        if classes is not None:
            self._announce(y, classes)
        elif not hasattr(self, "classes_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Predicts classes.

        Parameters
        ----------
        X : as in `fit`
            Columns of frames are matched by name in all recipes but sklearn, whose must be in the order of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class of each row; or the labels, zeros and ones, that are more probable than not.
        """
        probabilities = self._probabilities(X)
        return self._labels.decode(probabilities)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities.

        Parameters
        ----------
        X : as in `predict`

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; of several labels that each one is there.
        """
        probabilities = self._probabilities(X)
        return np.hstack([1 - probabilities, probabilities]) if self._labels.kind == "binary" else probabilities

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`.

        Parameters
        ----------
        X : as in `predict`

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            -inf where a probability is 0.
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def _probabilities(self, X: Any) -> np.ndarray:
        """(rows, outputs): of two classes the second one's."""
        outputs = self._outputs(X)
        if self._trained is None:
            return outputs
        return outputs[:, self._columns_of_outputs()]

    # --- what recipes ask ---

    def _announce(self, y: Any, classes: Any) -> None:
        """The classes that partial_fit is told."""
        y = self._target_array(y)
        found = labels_of(y, None if y.ndim == 2 else classes)
        if not hasattr(self, "classes_"):
            self._labels, self.classes_ = found, found.classes
        elif y.ndim != 2 and not np.array_equal(self.classes_, found.classes):
            raise ValueError(
                f"`classes={classes}` is not the same as on last call to partial_fit, was: {self.classes_}"
            )

    def _learnable(self, y: np.ndarray, goes_on: bool) -> tuple[str, int, Callable[[np.ndarray], np.ndarray]]:
        self._find_classes(y, goes_on)
        self.out_activation_ = "softmax" if self._labels.kind == "multiclass" else "logistic"
        return self._loss_name(), self._labels.outputs, lambda y: self._labels.encode(y, np.float64)

    def _loss_name(self) -> str:
        return "cross_entropy" if self._labels.kind == "multiclass" else "binary_cross_entropy"

    def _find_classes(self, y: np.ndarray, goes_on: bool) -> None:
        """The classes of y, which on a later call must be known ones."""
        if not goes_on or not hasattr(self, "classes_"):
            self._labels = labels_of(y)
            self.classes_ = self._labels.classes
        elif self.warm_start and self._labels.kind != "multilabel":
            classes = unique(y)
            if set(classes.tolist()) != set(self.classes_.tolist()):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
        elif y.ndim == 1:
            unique(y)

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        weights, of_classes = row_weights(sample_weight, len(y)), class_weights(y, self._labels, self.class_weight)
        if weights is None or of_classes is None:
            return of_classes if weights is None else weights
        return row_weights(weights * of_classes, len(y))

    def _classes_to_stratify(self, y: np.ndarray) -> np.ndarray | None:
        return y[:, 0].astype(bool) if self._labels.kind == "binary" else None

    def _score_outputs(self, outputs: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> float:
        chosen = self._labels.choose(LINKS[self.out_activation_](outputs))
        return accuracy_score(y if y.shape[1] > 1 else y[:, 0], chosen, weights)

    def _table_target(self, y: np.ndarray, is_new: bool) -> tuple[Target, str]:
        if is_new:
            self._labels = labels_of(y)
            self.classes_ = self._labels.classes
            self.out_activation_ = "softmax" if self._labels.kind == "multiclass" else "logistic"
        values = self._labels.encode(y, np.float64)
        own = [["0", "1"]] * values.shape[1] if self._labels.kind == "multilabel" else [self._level_names()]
        return Target(values, list(own)), "classification"

    def _level_names(self) -> list[str]:
        """The classes as text; their numbers where that would not tell them apart."""
        texts = [text_of(one) for one in self.classes_.tolist()]
        is_usable = len({text.strip() for text in texts}) == len(texts) and all(text.strip() for text in texts)
        return texts if is_usable else [str(index) for index in range(len(texts))]

    def _columns_of_outputs(self) -> list[int]:
        """Where in the model's predictions the probabilities that `_probabilities` has stand."""
        columns, first = [], 0
        kind = self._labels.kind
        names = ["1"] if kind == "multilabel" else self._level_names()[1:] if kind == "binary" else self._level_names()
        for target in self.model_.info()["targets"]:
            columns += [first + list(target["levels"]).index(name) for name in names]
            first += len(target["levels"])
        return columns

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
