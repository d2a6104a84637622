"""What the estimators do besides fitting and predicting: settings, weights, callbacks, pickles, pictures."""

import copy
import os
import pickle
import signal
import threading
import time
import warnings

import numpy as np
import pytest

import tulle
from tulle._compat import NotFittedError

GENERATOR = np.random.RandomState(0)
X = GENERATOR.normal(size=(300, 4))
Y = X[:, 0] - X[:, 1] ** 2 + X[:, 2]
CLASS = np.digitize(Y, [-1.5, 0.5])
RECIPES = ("sklearn", "tabular", "realmlp", "plain")

pytestmark = pytest.mark.filterwarnings("ignore:.*Maximum iterations")


def estimators(**settings):
    for recipe in RECIPES:
        for cls, y in ((tulle.MLPRegressor, Y), (tulle.MLPClassifier, CLASS)):
            yield pytest.param(
                cls(recipe=recipe, max_iter=8, random_state=0, **settings), y, id=f"{cls.__name__}-{recipe}"
            )


def outputs(model):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize("model, y", estimators())
def test_copies(model, y, tmp_path):
    unfitted = pickle.loads(pickle.dumps(model))
    assert repr(unfitted) == repr(model)
    model.fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(outputs(other), outputs(model))
        assert other.loss_curve_ == model.loss_curve_
        for ours, theirs in zip(other.coefs_, model.coefs_):
            np.testing.assert_array_equal(ours, theirs)
    if model.recipe == "sklearn":
        for goes_on in (model, other):
            goes_on.set_params(random_state=1).partial_fit(X, y)
        np.testing.assert_array_equal(outputs(other), outputs(model))


@pytest.mark.parametrize("model, y", estimators())
def test_no_code_in_a_pickle(model, y):
    """Classes of ours and of NumPy are all that a pickle names."""
    import pickletools

    data = pickle.dumps(model.fit(X, y), protocol=2)
    named = {argument for code, argument, _ in pickletools.genops(data) if code.name == "GLOBAL"}
    allowed = ("tulle", "numpy", "copyreg", "copy_reg", "__builtin__ object", "_codecs encode")
    assert all(one.startswith(allowed) for one in named), named


@pytest.mark.parametrize("model, y", estimators())
def test_model_is_the_same(model, y, tmp_path):
    """model_ can be saved and loaded, and predicts what the estimator does."""
    model.fit(X, y)
    path = tmp_path / "model.tulle"
    model.model_.save(str(path))
    loaded = tulle.Model.load(str(path))
    names = [one["name"] for one in loaded.info()["inputs"]]
    assert names == ["c0", "c1", "c2", "c3"]
    out = np.empty((len(X), loaded.info()["prediction_count"]))
    tulle.Session(loaded).predict(X, out)
    np.testing.assert_allclose(out.reshape(len(X), -1), outputs(model).reshape(len(X), -1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model, y", estimators())
def test_validation_data(model, y):
    model.fit(X[:200], y[:200], validation_data=(X[200:], y[200:]))
    assert len(model.validation_curve_) == model.n_iter_
    assert np.isfinite(model.validation_curve_).all()
    assert 1 <= model.best_iteration_ <= model.n_iter_
    if model.recipe == "sklearn":
        assert len(model.validation_scores_) == model.n_iter_
        assert model.score(X[200:], y[200:]) == pytest.approx(max(model.validation_scores_))


@pytest.mark.parametrize("model, y", estimators())
def test_callbacks(model, y):
    seen = []

    def stop_at_third(state):
        seen.append(state)
        return state["epoch"] == 3

    model.set_params(callbacks=[stop_at_third, lambda state: None]).fit(X, y)
    assert model.n_iter_ == 3
    assert [state["epoch"] for state in seen] == [1, 2, 3]
    assert set(seen[0]) == {"epoch", "epochs", "loss", "validation_loss", "validation_score", "learning_rate"}
    assert [state["loss"] for state in seen] == pytest.approx(model.loss_curve_)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_bool_of_numpy_stops_too(recipe):
    model = tulle.MLPRegressor(recipe=recipe, max_iter=8, callbacks=(lambda state: np.float64(state["epoch"]) > 1,))
    assert model.fit(X, Y).n_iter_ == 2
    assert model.set_params(callbacks=lambda state: state["epoch"]).fit(X, Y).n_iter_ == 8


def test_callbacks_of_lbfgs():
    pytest.importorskip("scipy")
    seen = []

    def stop_at_fifth(state):
        seen.append(state["loss"])
        return len(seen) == 5

    model = tulle.MLPRegressor(solver="lbfgs", callbacks=stop_at_fifth, random_state=0).fit(X, Y)
    assert model.n_iter_ == len(seen) == 5
    assert sorted(seen, reverse=True) == seen
    assert model.loss_ == seen[-1]

    def interrupt(state):
        if state["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        model.set_params(callbacks=interrupt).fit(X, Y)
    assert model.n_iter_ == 3
    assert model.loss_ == seen[2]
    with pytest.raises(ValueError, match="validation_data needs another solver"):
        model.fit(X, Y, validation_data=(X, Y))


def test_what_a_callback_raises_comes_out():
    def fail(state):
        raise RuntimeError("enough")

    for recipe in RECIPES:
        with pytest.raises(RuntimeError, match="enough"):
            tulle.MLPRegressor(recipe=recipe, callbacks=fail).fit(X, Y)


@pytest.mark.parametrize("recipe", RECIPES)
def test_interruption_leaves_a_usable_model(recipe):
    rows = np.tile(X, (20, 1))

    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    began = []

    def begin(state):
        if not began:
            began.append(threading.Thread(target=interrupt))
            began[0].start()

    settings = {"number_bins": 8} if recipe == "tabular" else None  # else it begins with trials of as many epochs
    model = tulle.MLPRegressor(recipe=recipe, max_iter=10**6, n_iter_no_change=10**6, tol=0, settings=settings)
    model.set_params(callbacks=begin, n_threads=1, random_state=0)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(rows, np.tile(Y, 20))
    assert np.isfinite(model.predict(X)).all()
    assert model.n_iter_ < 10**6


@pytest.mark.parametrize("early_stopping", [False, True])
def test_interruption_within_the_first_epoch(early_stopping, monkeypatch):
    def press_ctrl_c(fit, batch_size):
        raise KeyboardInterrupt

    model = tulle.MLPRegressor(random_state=0, early_stopping=early_stopping)
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match="interrupted"):
        patch.setattr("tulle._sklearn_recipe.Fit._learn", press_ctrl_c)
        model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all()
    assert "<svg" in model._html_repr()
    assert model.set_params(max_iter=1, warm_start=True).fit(X, Y).n_iter_ == 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_weights_of_classes(recipe):
    rare = (Y > 1.2).astype(int)
    settings = dict(recipe=recipe, max_iter=20, random_state=0)
    plain = tulle.MLPClassifier(**settings).fit(X, rare)
    balanced = tulle.MLPClassifier(class_weight="balanced", **settings).fit(X, rare)
    assert balanced.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.01
    by_hand = len(rare) / (2 * np.bincount(rare))
    named = tulle.MLPClassifier(class_weight={0: by_hand[0], 1: by_hand[1]}, **settings).fit(X, rare)
    by_row = tulle.MLPClassifier(**settings).fit(X, rare, sample_weight=by_hand[rare])
    np.testing.assert_array_equal(outputs(named), outputs(balanced))
    np.testing.assert_array_equal(outputs(by_row), outputs(balanced))
    with pytest.raises(ValueError, match="not 0 for all"):
        tulle.MLPClassifier(class_weight={0: 0, 1: 0}, **settings).fit(X, rare)
    with pytest.raises(ValueError, match="no class of y"):
        tulle.MLPClassifier(class_weight={7: 2.0}, **settings).fit(X, rare)


@pytest.mark.parametrize("recipe", ["sklearn", "plain"])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"])
def test_losses(recipe, loss):
    y = np.exp(Y / 4)
    model = tulle.MLPRegressor(loss, recipe=recipe, max_iter=60, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.5
    if loss in ("poisson", "gamma"):
        assert (model.predict(X) > 0).all()
        with pytest.raises(ValueError):
            tulle.MLPRegressor(loss, recipe=recipe).fit(X, -y)


@pytest.mark.parametrize("recipe", ["sklearn", "plain"])
def test_quantiles(recipe):
    model = tulle.MLPRegressor("quantile", recipe=recipe, quantile=[0.1, 0.5, 0.9], max_iter=100, random_state=0)
    low, middle, high = model.fit(X, Y).predict(X).T
    assert np.mean(low <= high) > 0.95
    assert 0.7 < np.mean((low <= Y) & (Y <= high)) <= 1


@pytest.mark.parametrize("recipe", ["sklearn", "plain"])
def test_score_of_quantiles(recipe):
    """That of the middle one, also of several targets."""
    for y in (Y, np.c_[Y, -Y]):
        model = tulle.MLPRegressor("quantile", recipe=recipe, quantile=[0.1, 0.5, 0.9], max_iter=60, random_state=0)
        middle = model.fit(X, y).predict(X).reshape(*y.shape, 3)[..., 1]
        expected = 1 - np.mean((middle - y) ** 2) / np.mean((y - y.mean(axis=0)) ** 2)
        assert model.score(X, y) == pytest.approx(expected)
        assert model.score(X, y, np.ones(len(X))) == pytest.approx(expected)


@pytest.mark.parametrize("recipe", RECIPES)
def test_dropout_and_activations(recipe):
    settings = dict(recipe=recipe, max_iter=5, random_state=0)
    curves = [
        tulle.MLPRegressor(**settings, dropout=dropout, activation=activation).fit(X, Y).loss_curve_
        for dropout, activation in ((0.0, "relu"), (0.5, "relu"), (0.0, "mish"), (0.0, "gelu"))
    ]
    assert len({tuple(curve) for curve in curves}) == 4


@pytest.mark.parametrize("recipe", RECIPES)
def test_several_labels(recipe):
    labels = np.c_[Y > 0, X[:, 3] > 0, X[:, 0] > 1].astype(int)
    model = tulle.MLPClassifier(recipe=recipe, max_iter=80, random_state=0).fit(X, labels)
    assert model.predict(X).shape == model.predict_proba(X).shape == labels.shape
    assert np.mean(model.predict(X) == labels) > 0.85
    assert list(model.classes_) == [0, 1, 2]


def test_sparse():
    sparse = pytest.importorskip("scipy.sparse")
    Z = np.where(np.abs(X) > 1, X, 0)
    for recipe in RECIPES:
        model = tulle.MLPRegressor(recipe=recipe, max_iter=5, random_state=0)
        expected = model.fit(Z, Y).predict(Z)
        np.testing.assert_array_equal(model.fit(sparse.csr_matrix(Z), Y).predict(sparse.csc_matrix(Z)), expected)


@pytest.mark.parametrize("recipe", ["sklearn", "plain"])
def test_a_fit_that_failed_is_none(recipe):
    model = tulle.MLPClassifier(recipe=recipe)
    with pytest.raises(ValueError, match="finite numbers"):
        model.fit(X, Y > 0, sample_weight=np.full(len(X), -1.0))
    with pytest.raises(NotFittedError, match="not fitted"):
        model.predict(X)


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(alpha=-1), "alpha.*float in the range \\[0, inf\\)"),
        (dict(alpha="much"), "alpha"),
        (dict(recipe="boil"), "recipe.*'tabular'"),
        (dict(activation="reul"), "activation.*'relu'"),
        (dict(hidden_layer_sizes=(10, 0)), "hidden_layer_sizes must be > 0"),
        (dict(hidden_layer_sizes="many"), "hidden_layer_sizes"),
        (dict(dropout=1.0), "dropout"),
        (dict(max_iter=1.5), "max_iter"),
        (dict(callbacks=3), "callbacks"),
        (dict(recipe="plain", solver="lbfgs"), "lbfgs.*recipe='sklearn'"),
        (dict(recipe="plain", warm_start=True), "warm_start"),
        (dict(recipe="plain", settings={"member": 2}), "member"),
        (dict(learning_rate="cosine"), "needs another recipe.*'invscaling'"),
        (dict(random_state=-1), "random_state.*\\[0, 4.29497e\\+09\\)"),
        (dict(random_state=True), "random_state"),
        (dict(random_state="lucky"), "random_state"),
        (dict(verbose="much"), "verbose"),
        (dict(n_threads=2**40), "n_threads"),
        (dict(callbacks=iter([print])), "callbacks.*sequence"),
        (dict(hidden_layer_sizes=iter([5])), "hidden_layer_sizes"),
        (dict(loss="quantile", quantile=[0.9, 0.1]), "quantile.*ascending"),
        (dict(settings={"loss": "mae"}), "settings has 'loss'"),
        (dict(recipe="plain", settings={"seed": 1}), "settings has 'seed'"),
        (dict(recipe="plain", alpha=0.1, settings={"weight_decay": 1}), "settings has 'weight_decay'"),
        (dict(solver="lbfgs", dropout=0.5), "dropout needs another solver"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tulle.MLPRegressor(**settings).fit(X, Y)


def test_bad_data():
    for recipe in RECIPES:
        model = tulle.MLPClassifier(recipe=recipe)
        with pytest.raises(ValueError, match="Unknown label type"):
            model.fit(X, Y)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(X, CLASS[:-1])
        with pytest.raises(ValueError, match="sample_weight"):
            model.fit(X, CLASS, sample_weight=-np.ones(len(X)))
        with pytest.raises(AttributeError):
            model.coefs_
        with pytest.raises(ValueError, match=r"validation_data must be a tuple \(X, y\)"):
            model.fit(X, CLASS, validation_data=X)


def test_where_text_and_gaps_belong_is_said():
    text, gaps = X.astype(object), X.copy()
    text[:, 1] = np.where(X[:, 1] > 0, "a", "b")
    gaps[3, 2] = np.nan
    for rows, what in ((text, "could not convert string"), (gaps, "Input X contains NaN")):
        with pytest.raises(ValueError, match=f"{what}.*need a recipe such as 'tabular'"):
            tulle.MLPRegressor().fit(rows, Y)
    with pytest.raises(ValueError, match=r"could not convert string to float: .*yes'\)?$"):
        tulle.MLPRegressor().fit(X, np.where(Y > 0, "yes", "no"))


def test_partial_fit_is_of_one_recipe():
    assert hasattr(tulle.MLPRegressor(), "partial_fit")
    assert not hasattr(tulle.MLPRegressor(recipe="plain"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit needs recipe='sklearn'"):
        tulle.MLPRegressor(solver="lbfgs").partial_fit(X, Y)
    with pytest.raises(ValueError, match="classes must be passed"):
        tulle.MLPClassifier().partial_fit(X, CLASS)


@pytest.mark.parametrize("model, y", estimators())
def test_picture(model, y):
    assert "<svg" not in model._html_repr()
    picture = model.fit(X, y)._html_repr()
    assert picture.count("<svg") == 2
    assert picture.count("<polyline") == (1 if model.recipe == "sklearn" else 2)
    assert len(picture) < 60_000


@pytest.mark.parametrize("recipe", RECIPES)
def test_verbose(recipe, capsys):
    tulle.MLPRegressor(recipe=recipe, max_iter=3, verbose=True).fit(X, Y)
    text = capsys.readouterr().out
    assert text.count("Iteration") == 3
    assert "loss = " in text


def test_bar_of_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    tulle.MLPRegressor(max_iter=3, verbose=True).fit(X, Y)
    text = capsys.readouterr().out
    assert "\repoch 3/3 [########################]" in text
    assert "Iteration" not in text


def test_seeds():
    for recipe in RECIPES:
        for seed in (7, np.random.RandomState(7), np.random.default_rng(7)):
            a = tulle.MLPRegressor(recipe=recipe, max_iter=3, random_state=seed).fit(X, Y).predict(X)
            b = tulle.MLPRegressor(recipe=recipe, max_iter=3, random_state=8).fit(X, Y).predict(X)
            assert not np.array_equal(a, b)
        c = tulle.MLPRegressor(recipe=recipe, max_iter=3, random_state=7, n_threads=1).fit(X, Y).predict(X)
        d = tulle.MLPRegressor(recipe=recipe, max_iter=3, random_state=7, n_threads=2).fit(X, Y).predict(X)
        np.testing.assert_array_equal(c, d)


def said(estimator, X, y):
    """What fit and predict of these say: the kind of error, the text of warnings, or nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(X, y)
            estimator.predict(X)
            estimator.predict(X[:, :-1])
        except (ValueError, TypeError, OverflowError) as error:
            return type(error), str(error)
    return {str(one.message) for one in caught}


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "f2", "i4", "?", "O"])
@pytest.mark.parametrize(
    "change", ["nothing", "nan", "inf", "huge", "no rows", "no columns", "flat", "short y", "y nan"]
)
def test_arrays_in_order_take_a_short_way_to_the_same_end(monkeypatch, dtype, change):
    """Arrays with nothing to convert are checked by less; what is said and learned is the same."""
    x, y = X[:40], np.where(np.arange(40) == 3, np.nan, Y[:40]) if change == "y nan" else Y[:40]
    cell = {"nan": np.nan, "inf": np.inf, "huge": 1e38}.get(change)
    if cell is not None:
        if dtype not in ("f4", "f8", ">f8", "O"):
            pytest.skip("has no such numbers")
        x = x.copy()
        x[5:9, 1] = cell
    x = {"no rows": x[:0], "no columns": x[:, :0], "flat": x[:, 0]}.get(change, x).astype(dtype)
    y = {"no rows": y[:0], "short y": y[:-1]}.get(change, y)
    model = tulle.MLPRegressor(max_iter=2, random_state=0, hidden_layer_sizes=(3,))
    short, short_curve = said(model, x, y), getattr(model, "loss_curve_", [])
    monkeypatch.setattr("tulle._compat._is_plain", lambda array, dimensions: False)
    again = tulle.MLPRegressor(max_iter=2, random_state=0, hidden_layer_sizes=(3,))
    assert said(again, x, y) == short
    np.testing.assert_array_equal(getattr(again, "loss_curve_", []), short_curve)


@pytest.mark.parametrize("recipe", RECIPES)
def test_bad_validation_data(recipe):
    model = tulle.MLPRegressor(recipe=recipe)
    for bad, message in (
        (X, "must be a tuple"),
        ((X,), "must be a tuple"),
        ((X, Y, Y), "must be a tuple"),
        ((X[:, :2], Y), "features"),
        ((X, Y[1:]), "inconsistent numbers of samples"),
        ((X, np.c_[Y, Y]), "y of validation_data has shape"),
        ((X[:0], Y[:0]), "0 sample"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, validation_data=bad)


def test_early_stopping_comes_and_goes():
    """In training that goes on: what one way of it needs is not there after the other."""
    model = tulle.MLPRegressor(random_state=0, max_iter=5).fit(X, Y, validation_data=(X, Y))
    assert model.partial_fit(X, Y).best_loss_ == model.loss_
    model.set_params(warm_start=True, early_stopping=True).fit(X, Y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.set_params(early_stopping=False).fit(X, Y).best_loss_ == min(model.loss_curve_[-5:])
    pytest.importorskip("scipy")
    with pytest.warns(UserWarning, match="lbfgs failed to converge"):
        model.set_params(solver="lbfgs", warm_start=False).fit(X, Y)
    assert not hasattr(model, "loss_curve_")
    assert not hasattr(model, "best_iteration_")
    assert len(model.set_params(solver="adam", warm_start=True).fit(X, Y).loss_curve_) == 5


def test_a_network_keeps_its_units():
    model = tulle.MLPRegressor(hidden_layer_sizes=5, random_state=0, max_iter=2, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="\\[4, 5, 1\\] units, inputs to outputs, not \\[4, 7, 1\\]"):
        model.set_params(hidden_layer_sizes=(7,)).fit(X, Y)
    with pytest.raises(ValueError, match="must stay as they were"):
        model.partial_fit(X, Y)
    assert model.set_params(hidden_layer_sizes=5, activation="tanh").fit(X, Y).score(X, Y) < 1


def test_a_failed_fit_leaves_no_model_of_before():
    model = tulle.MLPClassifier(recipe="plain", max_iter=2).fit(X, CLASS)
    with pytest.raises(ZeroDivisionError):
        model.set_params(callbacks=lambda state: 1 / 0).fit(X, Y > 0)
    with pytest.raises(AttributeError, match="not fitted"):
        model.predict(X)
