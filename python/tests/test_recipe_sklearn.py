"""recipe="sklearn" beside scikit-learn: the same data, settings and seed, run for run."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.7")  # before, its MLPs had no weights and no Poisson loss
import sklearn.neural_network as theirs  # noqa: E402
from sklearn.datasets import (  # noqa: E402
    load_breast_cancer,
    load_digits,
    make_multilabel_classification,
    make_regression,
)

import tulle  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def scaled(X):
    deviation = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


CANCER = load_breast_cancer(return_X_y=True)
CANCER = scaled(CANCER[0]), CANCER[1]
DIGITS = load_digits(return_X_y=True)
DIGITS = DIGITS[0] / 16, DIGITS[1]
LABELS = make_multilabel_classification(200, random_state=0)
NUMBERS = make_regression(400, 8, noise=5, random_state=0)
NUMBERS = NUMBERS[0], NUMBERS[1] / NUMBERS[1].std()
SEVERAL = make_regression(300, 8, n_targets=3, random_state=0)
SEVERAL = SEVERAL[0], SEVERAL[1] / SEVERAL[1].std()
COUNTS = NUMBERS[0], np.random.RandomState(1).poisson(2, 400).astype(float)

RUNS = {
    "digits": ("MLPClassifier", DIGITS, dict(max_iter=10)),
    "digits, early stopping": ("MLPClassifier", DIGITS, dict(max_iter=15, early_stopping=True)),
    "cancer": ("MLPClassifier", CANCER, dict(max_iter=60)),
    "cancer, early stopping": ("MLPClassifier", CANCER, dict(max_iter=60, early_stopping=True)),
    "tanh": ("MLPClassifier", CANCER, dict(max_iter=30, activation="tanh", hidden_layer_sizes=(20, 10))),
    "logistic": ("MLPClassifier", CANCER, dict(max_iter=30, activation="logistic", alpha=1.0)),
    "identity": ("MLPClassifier", CANCER, dict(max_iter=30, activation="identity", alpha=0.0)),
    "no hidden layer": ("MLPRegressor", NUMBERS, dict(max_iter=30, hidden_layer_sizes=())),
    "sgd": ("MLPClassifier", CANCER, dict(max_iter=40, solver="sgd")),
    "sgd, invscaling": (
        "MLPClassifier",
        CANCER,
        dict(max_iter=40, solver="sgd", learning_rate="invscaling", learning_rate_init=0.1),
    ),
    "sgd, adaptive": (
        "MLPClassifier",
        CANCER,
        dict(max_iter=200, solver="sgd", learning_rate="adaptive", tol=1e-2, learning_rate_init=0.1),
    ),
    "sgd, plain momentum": (
        "MLPClassifier",
        CANCER,
        dict(max_iter=30, solver="sgd", nesterovs_momentum=False, shuffle=False),
    ),
    "sgd, no momentum": ("MLPRegressor", NUMBERS, dict(max_iter=30, solver="sgd", momentum=0, learning_rate_init=0.01)),
    "labels": ("MLPClassifier", LABELS, dict(max_iter=30)),
    "labels, early stopping": ("MLPClassifier", LABELS, dict(max_iter=30, early_stopping=True)),
    "numbers": ("MLPRegressor", NUMBERS, dict(max_iter=60)),
    "numbers, early stopping": ("MLPRegressor", NUMBERS, dict(max_iter=60, early_stopping=True, batch_size=32)),
    "several targets": ("MLPRegressor", SEVERAL, dict(max_iter=30, alpha=0.1)),
    "counts": ("MLPRegressor", COUNTS, dict(max_iter=30, loss="poisson")),
}  # fmt: skip


def both(cls, X, y, weights=None, **settings):
    fitted = []
    for module in (theirs, tulle):
        fitted.append(getattr(module, cls)(random_state=3, **settings).fit(X, y, weights))
    return fitted


def assert_same_run(a, b, X, tolerance=1e-9):
    assert a.n_iter_ == b.n_iter_
    assert a.t_ == b.t_
    assert a.n_layers_ == b.n_layers_
    assert a.n_outputs_ == b.n_outputs_
    assert a.out_activation_ == b.out_activation_
    np.testing.assert_allclose(b.loss_curve_, a.loss_curve_, rtol=tolerance)
    if a.validation_scores_ is not None:
        np.testing.assert_allclose(b.validation_scores_, a.validation_scores_, rtol=tolerance, atol=1e-12)
        assert b.best_validation_score_ == pytest.approx(a.best_validation_score_)
    else:
        assert b.best_loss_ == pytest.approx(a.best_loss_, rel=tolerance)
    for ours, their in zip((*b.coefs_, *b.intercepts_), (*a.coefs_, *a.intercepts_)):
        np.testing.assert_allclose(ours, their, rtol=1e-6, atol=1e-8)
    if hasattr(a, "classes_"):
        assert np.array_equal(a.classes_, b.classes_)
        np.testing.assert_allclose(b.predict_proba(X), a.predict_proba(X), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(b.predict(X), a.predict(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", RUNS)
def test_same_run(name):
    cls, (X, y), settings = RUNS[name]
    assert_same_run(*both(cls, X, y, **settings), X)


@pytest.mark.parametrize("name", ["cancer", "labels", "numbers", "numbers, early stopping", "counts"])
def test_same_run_with_weights(name):
    cls, (X, y), settings = RUNS[name]
    weights = np.random.RandomState(0).uniform(0, 2, len(X))
    assert_same_run(*both(cls, X, y, weights, **settings), X)


def test_same_run_in_f32():
    a, b = both("MLPClassifier", CANCER[0].astype(np.float32), CANCER[1], max_iter=20)
    np.testing.assert_allclose(b.loss_curve_, a.loss_curve_, rtol=1e-4)
    assert b.coefs_[0].dtype == np.float32
    assert b.predict_proba(CANCER[0].astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("cls, data", [("MLPClassifier", CANCER), ("MLPRegressor", NUMBERS), ("MLPRegressor", COUNTS)])
def test_same_run_of_lbfgs(cls, data):
    pytest.importorskip("scipy")
    X, y = data
    settings = dict(solver="lbfgs", max_iter=15, hidden_layer_sizes=(10,))
    if data is COUNTS:
        settings["loss"] = "poisson"
    a, b = both(cls, X, y, **settings)
    assert a.n_iter_ == b.n_iter_
    assert b.loss_ == pytest.approx(a.loss_, rel=1e-6)
    np.testing.assert_allclose(b.predict(X), a.predict(X), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_same_parts(solver):
    """partial_fit, with settings that change on the way, and a warm start after it."""
    X, y = CANCER
    a, b = (module.MLPClassifier(random_state=3, solver=solver, hidden_layer_sizes=(12,)) for module in (theirs, tulle))
    for model in (a, b):
        for part in np.array_split(np.arange(len(X)), 7):
            model.partial_fit(X[part], y[part], classes=[0, 1])
        model.set_params(alpha=0.5, batch_size=17)
        for part in np.array_split(np.arange(len(X)), 3):
            model.partial_fit(X[part], y[part])
    assert_same_run(a, b, X)
    for model in (a, b):
        model.set_params(warm_start=True, max_iter=3).fit(X, y)
    assert_same_run(a, b, X)


def test_one_generator_for_several_fits():
    runs = []
    for module in (theirs, tulle):
        generator = np.random.RandomState(5)
        runs.append([
            module.MLPRegressor(random_state=generator, max_iter=5).fit(*NUMBERS).loss_ for _ in range(2)
        ])  # fmt: skip
    np.testing.assert_allclose(*runs, rtol=1e-9)


def test_weights_may_be_changed():
    """As scikit-learn's coefs_ may: in place, or in whole."""
    X, y = NUMBERS
    a, b = both("MLPRegressor", X, y, max_iter=5)
    for model in (a, b):
        model.coefs_[0][:, :50] = 0
        model.intercepts_[1] = model.intercepts_[1] + 1
    np.testing.assert_allclose(b.predict(X), a.predict(X), rtol=1e-8)
    for model in (a, b):
        model.partial_fit(X, y)
    np.testing.assert_allclose(b.predict(X), a.predict(X), rtol=1e-8)


def test_warnings_are_theirs():
    from sklearn.exceptions import ConvergenceWarning

    for module in (theirs, tulle):
        with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
            module.MLPRegressor(max_iter=2).fit(*NUMBERS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            with pytest.warns(UserWarning, match="clipped"):
                module.MLPRegressor(max_iter=2, batch_size=1000).fit(*NUMBERS)
