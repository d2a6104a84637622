"""Frames of pandas, polars and Arrow, and arrays of objects, in the library's own recipes."""

import datetime

import numpy as np
import pytest

import tulle
from tulle._tables import table_of

ROWS = 200
GENERATOR = np.random.RandomState(0)
AGE = GENERATOR.uniform(20, 70, ROWS)
TOWN = GENERATOR.choice(["Bern", "Oslo", "Rome"], ROWS)
INCOME = AGE / 10 + 3 * (TOWN == "Rome") + GENERATOR.normal(0, 0.1, ROWS)
SETTINGS = dict(recipe="plain", max_iter=40, random_state=0)


def object_array():
    X = np.empty((ROWS, 2), dtype=object)
    X[:, 0], X[:, 1] = AGE, TOWN
    X[3, 1] = None
    X[4, 0] = np.nan
    return X


def pandas_frame():
    pd = pytest.importorskip("pandas")
    X = object_array()
    return pd.DataFrame({"age": X[:, 0].astype(float), "town": X[:, 1]})


def pandas_categories():
    X = pandas_frame()
    X["town"] = X["town"].astype("category").cat.add_categories(["Nowhere"])
    return X


def polars_frame():
    pl = pytest.importorskip("polars")
    X = object_array()
    ages = [None if age != age else age for age in X[:, 0]]
    return pl.DataFrame({"age": pl.Series(ages, dtype=pl.Float64), "town": list(X[:, 1])})


def polars_categories():
    pl = pytest.importorskip("polars")
    return polars_frame().with_columns(pl.col("town").cast(pl.Categorical))


def arrow_table():
    pa = pytest.importorskip("pyarrow")
    X = object_array()
    ages = [None if age != age else age for age in X[:, 0]]
    return pa.table({"age": pa.array(ages, pa.float64()), "town": pa.array(list(X[:, 1]))})


def arrow_dictionary():
    table = arrow_table()
    return table.set_column(1, "town", table["town"].dictionary_encode())


FRAMES = [pandas_frame, pandas_categories, polars_frame, polars_categories, arrow_table, arrow_dictionary]


@pytest.mark.parametrize("make", [object_array, *FRAMES])
def test_same_table(make):
    expected, found = table_of(object_array()), table_of(make())
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.levels == [None, ["Bern", "Oslo", "Rome"]]
    assert found.names == (None if make is object_array else ["age", "town"])


@pytest.mark.parametrize("make", FRAMES)
def test_same_model(make):
    expected = tulle.MLPRegressor(**SETTINGS).fit(pandas_frame(), INCOME)
    model = tulle.MLPRegressor(**SETTINGS).fit(make(), INCOME)
    np.testing.assert_array_equal(model.predict(make()), expected.predict(pandas_frame()))
    assert model.score(make(), INCOME) > 0.9
    assert list(model.feature_names_in_) == ["age", "town"]
    assert [one["name"] for one in model.model_.info()["inputs"]] == ["age", "town"]


def test_columns_are_matched_by_name():
    X = pandas_frame()
    model = tulle.MLPRegressor(**SETTINGS).fit(X, INCOME)
    turned = X[["town", "age"]].assign(more=1)
    np.testing.assert_array_equal(model.predict(turned), model.predict(X))
    np.testing.assert_array_equal(model.predict(polars_frame()[:, ::-1]), model.predict(X))
    with pytest.raises(ValueError, match="now missing:\n- town"):
        model.predict(X[["age"]])


def test_unknown_categories_are_missing():
    X = pandas_frame()
    model = tulle.MLPRegressor(**SETTINGS).fit(X, INCOME)
    new, none = X[:5].copy(), X[:5].copy()
    new["town"], none["town"] = "Paris", None
    np.testing.assert_array_equal(model.predict(new), model.predict(none))


def test_missing_values():
    X = np.c_[AGE, TOWN == "Rome"].astype(float)
    X[::7, 0] = np.nan
    for dtype in (np.float64, np.float32):
        model = tulle.MLPRegressor(**SETTINGS).fit(X.astype(dtype), INCOME)
        assert np.isfinite(model.predict(X.astype(dtype))).all()
    with pytest.raises(ValueError, match="NaN"):
        tulle.MLPRegressor().fit(X, INCOME)


def test_validation_data_of_frames():
    X = pandas_frame()
    model = tulle.MLPRegressor(**SETTINGS).fit(X[:150], INCOME[:150], validation_data=(X[150:], INCOME[150:]))
    assert len(model.validation_curve_) == model.n_iter_
    assert model.best_iteration_ == 1 + np.argmin(model.validation_curve_)
    assert list(model.model_.info()["rows"])[:2] == [150, 50]


def test_names_of_targets():
    pd = pytest.importorskip("pandas")
    X = pandas_frame()
    model = tulle.MLPRegressor(**SETTINGS).fit(X, pd.Series(INCOME, name="income"))
    assert [one["name"] for one in model.model_.info()["targets"]] == ["income"]
    model = tulle.MLPRegressor(**SETTINGS).fit(X, pd.Series(INCOME, name="age"))
    assert [one["name"] for one in model.model_.info()["targets"]] == ["age_"]
    y = pd.DataFrame({"income": INCOME, "double": 2 * INCOME})
    model = tulle.MLPRegressor(**SETTINGS).fit(X, y)
    assert [one["name"] for one in model.model_.info()["targets"]] == ["income", "double"]
    assert model.predict(X).shape == (ROWS, 2)


@pytest.mark.parametrize(
    "classes",
    [["no", "yes"], ["c", "a", "b"], [10, 9], [2.0, 1.0], [True, False], ["", "x"], [" a", "a"]],
    ids=str,
)
def test_classes_come_back(classes):
    X = np.c_[AGE, TOWN == "Rome"].astype(float)
    y = np.array(classes)[np.searchsorted([1, 2], np.digitize(AGE, [35, 50])) % len(classes)]
    model = tulle.MLPClassifier(**SETTINGS).fit(X, y)
    assert model.predict(X).dtype == y.dtype
    assert set(model.predict(X)) <= set(y.tolist())
    chosen = model.classes_[model.predict_proba(X).argmax(axis=1)]
    assert np.array_equal(chosen, model.predict(X))
    assert model.score(X, y) > 0.8


def odd_columns():
    pd = pytest.importorskip("pandas")
    yield pd.Series([pd.Timestamp("2020-01-01")] * ROWS)
    yield pd.Series([pd.Timestamp("2020-01-01", tz="UTC")] * ROWS)
    yield pd.Series(pd.period_range("2020", periods=ROWS))
    yield pd.Series(pd.to_timedelta(np.arange(ROWS), "D"))
    yield pd.Series([[1, 2]] * ROWS)
    yield pd.Series(["a", {}] * (ROWS // 2), dtype=object)
    yield pd.Series([datetime.date(2020, 1, 1)] * ROWS, dtype=object)
    yield pd.Series([10**400] * ROWS, dtype=object)


def test_what_is_no_number_and_no_text():
    for column in odd_columns():
        with pytest.raises((ValueError, TypeError), match="column 'day' has values of type .*; the argument must be"):
            tulle.MLPRegressor(**SETTINGS).fit(pandas_frame().assign(day=column), INCOME)
    days = np.arange(ROWS).astype("M8[D]")[:, None]
    with pytest.raises(ValueError, match="column 'c0' has values of type datetime64"):
        tulle.MLPRegressor(**SETTINGS).fit(days, INCOME)


def test_other_kinds_of_columns():
    """Nullable and nested types of each library; gaps and text in all of them."""
    pd, pa, pl = (pytest.importorskip(name) for name in ("pandas", "pyarrow", "polars"))
    flags, counts, texts = [True, False, None], [1, None, 3], ["b", None, "a"]
    for table in (
        pd.DataFrame({"f": pd.array(flags, "boolean"), "n": pd.array(counts, "Int64"), "t": pd.array(texts, "string")}),
        pd.DataFrame({"f": flags, "n": pd.array(counts, "Int8"), "t": pd.Categorical(texts)}),
        pa.table({"f": flags, "n": counts, "t": texts}),
        pa.table({"f": flags, "n": counts, "t": pa.array(texts).dictionary_encode()}),
        pl.DataFrame({"f": flags, "n": counts, "t": texts}),
        pl.DataFrame({"f": flags, "n": counts, "t": pl.Series(texts, dtype=pl.Enum(["a", "b"]))}),
        [list(row) for row in zip(flags, counts, texts)],
    ):
        made = table_of(table)
        assert made.levels == [None, None, ["a", "b"]]
        np.testing.assert_array_equal(made.values, [[1, 1, 1], [0, np.nan, np.nan], [np.nan, 3, 0]])


def test_numbers_beside_text_in_lists_are_numbers():
    rows = [[age, town] for age, town in zip(AGE, TOWN)]
    made = table_of(rows)
    assert made.levels == [None, ["Bern", "Oslo", "Rome"]]
    np.testing.assert_array_equal(made.values[:, 0], AGE)
    expected = tulle.MLPRegressor(**SETTINGS).fit(np.array(rows, dtype=object), INCOME).predict(rows[:5])
    np.testing.assert_array_equal(tulle.MLPRegressor(**SETTINGS).fit(rows, INCOME).predict(rows[:5]), expected)


def test_bytes_are_text():
    assert table_of(np.array([[b"b"], [b"a"]])).levels == [["a", "b"]]


def test_frames_that_are_not_there_yet():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0]}).lazy()
    with pytest.raises(TypeError, match="X is a LazyFrame.*make a DataFrame"):
        tulle.MLPRegressor(recipe="plain").fit(frame, [1, 2, 3])


@pytest.mark.parametrize("recipe", ["plain", "tabular"])
@pytest.mark.parametrize(
    "cls, target", [(tulle.MLPRegressor, INCOME), (tulle.MLPClassifier, np.array(["no", "yes"])[(INCOME > 5) * 1])]
)
def test_same_file_as_the_command(run_python, tmp_path, recipe, cls, target):
    """The same table, options and seed give the same bytes; gaps and categories are among them."""
    pd = pytest.importorskip("pandas")
    X, y = pandas_frame(), pd.Series(target, name="income")
    X.assign(income=y).to_csv(tmp_path / "table.csv", index=False)
    command = ["train", "table.csv", "--target", "income", "--recipe", recipe, "--seed", "7", "--epochs", "3"]
    script = "import sys, tulle._core\nsys.exit(tulle._core.command(['tulle', *sys.argv[1:]]))\n"
    run_python(script, *command, "-o", "command.tulle")
    cls(recipe=recipe, max_iter=3, random_state=7).fit(X, y).model_.save(str(tmp_path / "package.tulle"))
    assert (tmp_path / "package.tulle").read_bytes() == (tmp_path / "command.tulle").read_bytes()
