"""The estimators among scikit-learn's tools; and the examples in their documentation."""

import doctest
import warnings

import numpy as np
import pytest

import tulle
import tulle.convert

X = np.random.RandomState(0).normal(size=(200, 4))
Y = X[:, 0] - X[:, 1] ** 2

pytestmark = pytest.mark.filterwarnings("ignore:.*Maximum iterations")


@pytest.mark.parametrize("thing", [tulle.MLPRegressor, tulle.MLPClassifier, tulle.convert], ids=str)
def test_examples(thing):
    pytest.importorskip("sklearn")
    runner = doctest.DocTestRunner()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example in doctest.DocTestFinder().find(thing):
            runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.summarize().attempted > 0


def test_every_parameter_is_documented():
    for cls in (tulle.MLPRegressor, tulle.MLPClassifier):
        for name in cls().get_params():
            assert f"{name} : " in cls.__doc__ or f"{name}, " in cls.__doc__ or f", {name} : " in cls.__doc__


def test_grid_search_of_a_pipeline():
    pytest.importorskip("sklearn")
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), tulle.MLPRegressor(max_iter=20, random_state=0))
    grid = {"mlpregressor__alpha": [1e-4, 1.0], "mlpregressor__recipe": ["sklearn", "plain"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert TransformedTargetRegressor(search.best_estimator_, transformer=StandardScaler()).fit(X, Y).score(X, Y) > 0


def test_output_of_frames():
    """set_output of a pipeline: the estimator is handed frames, and goes by their names."""
    pytest.importorskip("sklearn")
    pd = pytest.importorskip("pandas")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = pd.DataFrame(X, columns=list("abcd"))
    for recipe in ("sklearn", "plain"):
        model = tulle.MLPRegressor(recipe=recipe, max_iter=5)
        pipeline = make_pipeline(StandardScaler(), model).set_output(transform="pandas")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=".*Maximum iterations")
            pipeline.fit(frame, Y).predict(frame)
        assert list(model.feature_names_in_) == list("abcd")


def test_metadata_routing():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.model_selection import cross_validate

    weights = np.tile([1.0, 0.0], 100)
    with sklearn.config_context(enable_metadata_routing=True):
        model = tulle.MLPRegressor(max_iter=3, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        result = cross_validate(model, X, Y, cv=2, params={"sample_weight": weights}, error_score="raise")
    assert len(result["test_score"]) == 2


def test_real_estimators():
    pytest.importorskip("sklearn")
    from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor

    for cls in (tulle.MLPRegressor, tulle.MLPClassifier):
        assert issubclass(cls, BaseEstimator)
        model = cls((7, 3) if cls is tulle.MLPClassifier else "huber", recipe="plain", settings={"members": 2})
        assert repr(clone(model)) == repr(model)
    assert is_regressor(tulle.MLPRegressor())
    assert is_classifier(tulle.MLPClassifier())


def test_their_scores_are_ours():
    """Those that early stopping goes by."""
    metrics = pytest.importorskip("sklearn.metrics")
    from tulle._metrics import accuracy_score, r2_score

    generator = np.random.RandomState(0)
    weights = generator.uniform(size=50)
    y, p = generator.normal(size=(2, 50, 3))
    y[:, 1] = 4
    p[:, 1] = 4
    for w in (None, weights):
        assert r2_score(y, p, w) == pytest.approx(metrics.r2_score(y, p, sample_weight=w))
        assert r2_score(y[:, 0], p[:, 0], w) == pytest.approx(metrics.r2_score(y[:, 0], p[:, 0], sample_weight=w))
        a, b = y > 0, p > 0
        assert accuracy_score(a, b, w) == pytest.approx(metrics.accuracy_score(a, b, sample_weight=w))
        assert accuracy_score(a[:, 0], b[:, 0], w) == pytest.approx(
            metrics.accuracy_score(a[:, 0], b[:, 0], sample_weight=w)
        )


def test_their_splits_are_ours():
    selection = pytest.importorskip("sklearn.model_selection")
    from tulle._split import split_rows

    for seed in range(30):
        generator = np.random.RandomState(seed)
        rows, fraction = generator.randint(30, 300), generator.choice([0.1, 0.2, 0.33])
        classes = np.arange(rows) % generator.randint(2, 5)
        for stratify in (None, classes):
            ours, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
            expected = selection.train_test_split(
                np.arange(rows), test_size=fraction, random_state=theirs, stratify=stratify
            )
            for found, one in zip(split_rows(rows, fraction, ours, stratify), expected):
                np.testing.assert_array_equal(found, one)
            assert ours.rand() == theirs.rand()
