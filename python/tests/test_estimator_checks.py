"""scikit-learn's check_estimator, of both estimators with every recipe: all of one, with TULLE_LONG of all."""

import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.6")
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import tulle  # noqa: E402

# Enough for the scores that are asked for; scikit-learn checks its own with 100.
EPOCHS = {"sklearn": 100, "tabular": 60, "ensemble": 40, "realmlp": 100, "plain": 100, "notebook": 100}


def estimators(*recipes):
    return [
        cls(recipe=recipe, max_iter=EPOCHS[recipe], random_state=0)
        for cls in (tulle.MLPClassifier, tulle.MLPRegressor)
        for recipe in recipes
    ]


# With the library's own recipes, of which scikit-learn has no like.
OF_TABLES = {
    "check_sample_weight_equivalence_on_dense_data": "rows are held back, and columns scaled, by numbers of rows",
    "check_sample_weight_equivalence_on_sparse_data": "rows are held back, and columns scaled, by numbers of rows",
    "check_dataframe_column_names_consistency": "a frame's columns are matched by name, in whatever order they are",
}


@parametrize_with_checks(estimators("sklearn"))
def test_check(estimator, check):
    check(estimator)


# 7, so that each recipe has other checks than the one before it.
@pytest.mark.sampled(7)
@parametrize_with_checks(estimators(*list(EPOCHS)[1:]), expected_failed_checks=lambda _: OF_TABLES)
def test_check_of_tables(estimator, check):
    check(estimator)
