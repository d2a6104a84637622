"""A table as it comes: numbers, a category and gaps, learned by the default recipe and used from the command line.

python examples/python/tabular.py [--quick]
"""

# %% The table
# California's census blocks of 1990 (data/README.md), made a little more like tables of one's own: with a column of
# text, the city that a block is near, which two thirds of them have; and a number with gaps, as an age of 52 stands for
# "52 or more". pandas is not needed: an array of objects does as well, but its columns have no names.
import argparse
import csv
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

import tulle

HAS_PANDAS, HAS_SKLEARN = (importlib.util.find_spec(name) is not None for name in ("pandas", "sklearn"))
CITIES = {
    "Bakersfield": (35.37, -119.02),
    "Fresno": (36.74, -119.79),
    "Los Angeles": (34.05, -118.24),
    "Oakland": (37.80, -122.27),
    "Sacramento": (38.58, -121.49),
    "San Diego": (32.72, -117.16),
    "San Francisco": (37.77, -122.42),
    "San Jose": (37.34, -121.89),
}


def nearest_city(latitude, longitude, kilometres=50):
    """None where there is none so near."""
    places = np.array(list(CITIES.values()))
    north = 111 * (latitude[:, None] - places[:, 0])
    east = 111 * np.cos(np.radians(36)) * (longitude[:, None] - places[:, 1])
    distance = np.hypot(north, east)
    return np.where(distance.min(axis=1) < kilometres, np.array([*CITIES], object)[distance.argmin(axis=1)], None)


def read(path):
    """Columns by name, the median house value of each block, and its split: train, valid or test."""
    names, *rows = csv.reader(path.open())
    columns = dict(zip(names, np.array(rows, object).T))
    split, y = columns.pop("split"), columns.pop("MedHouseVal").astype(float)
    columns = {name: column.astype(float) for name, column in columns.items()}
    columns["City"] = nearest_city(columns["Latitude"], columns["Longitude"])
    columns["HouseAge"][columns["HouseAge"] == 52] = np.nan
    return columns, y, split


def table_of(columns):
    if not HAS_PANDAS:
        return np.array([*columns.values()], object).T
    import pandas

    return pandas.DataFrame({name: pandas.Series(c, dtype="category" if name == "City" else None)
                             for name, c in columns.items()})  # fmt: skip


# %% The model
# One line. The recipe scales columns, makes inputs of categories and gaps, knows when to stop, and keeps the epoch that
# was best on the valid rows, which are the published ones here; without `validation_data` it holds some back.
def fitted(part, quick):
    fewer = dict(max_iter=10, settings={"members": 2}) if quick else {}
    model = tulle.MLPRegressor(recipe="tabular", random_state=0, **fewer)
    return model.fit(*part["train"], validation_data=part["valid"])


# %% What it says of itself
# In a notebook the estimator shows its network and its curves. The model inside is what is saved; it knows its columns
# and all settings that it was made with, which `python -m tulle info` prints.
def describe(model):
    info = model.model_.info()
    for one in info["inputs"]:
        levels = f"{len(one['levels'])} levels: {', '.join(one['levels'][:3])}, ..." if one["levels"] else "a number"
        print(f"  {one['name']:12}{levels}")
    layers = " -> ".join(str(layer["units"]) for layer in info["layers"])
    print(f"  network {layers}; the epoch kept is {model.best_iteration_} of {model.n_iter_}")


def draw(model, path):
    from matplotlib import pyplot

    pyplot.semilogy(model.loss_curve_, label="train")
    pyplot.semilogy(model.validation_curve_, label="valid")
    pyplot.xlabel("epoch"), pyplot.ylabel("loss"), pyplot.legend()
    pyplot.savefig(path)


# %% Beside scikit-learn
# Its perceptron has to be told what to do with text, gaps and scales; its boosted trees take the table as it is.
def peers():
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_include="category")),
        sparse_threshold=0,
    )
    return {
        "scikit-learn's MLP": make_pipeline(columns, MLPRegressor(random_state=0)),
        "scikit-learn's boosted trees": HistGradientBoostingRegressor(
            random_state=0, categorical_features="from_dtype"
        ),
    }


def rmse(model, x, y):
    return np.sqrt(np.mean((model.predict(x) - y) ** 2))


# %% On the command line
# A model's file holds everything from columns to units, and no code. The command reads it wherever it runs, and so do
# C programs; its predictions have the same bits.
def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tulle", *arguments], check=True, capture_output=True, text=True
    ).stdout


def predicted_by_command(model, columns, folder):
    model.model_.save(folder / "houses.tulle")
    names = list(columns) if HAS_PANDAS else [f"c{i}" for i in range(len(columns))]
    with (folder / "houses.csv").open("w", newline="") as file:
        rows = zip(*columns.values())
        csv.writer(file).writerows([names, *([("" if v is None or v != v else v) for v in row] for row in rows)])
    return np.array(command("predict", folder / "houses.tulle", folder / "houses.csv").split()[1:], float)


# %% A run
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller net, for fewer epochs, and no peers")
    parser.add_argument("--picture", metavar="FILE", help="where to draw the curves, with matplotlib")
    arguments = parser.parse_args()
    columns, y, split = read(pathlib.Path("data/california.csv"))
    rows = {name: np.flatnonzero(split == name) for name in ("train", "valid", "test")}
    part = {name: (table_of({key: c[of] for key, c in columns.items()}), y[of]) for name, of in rows.items()}

    models = {"Tulle's recipe": None} | (peers() if HAS_PANDAS and HAS_SKLEARN and not arguments.quick else {})
    for name, model in models.items():
        began = time.perf_counter()
        model = models[name] = model.fit(*part["train"]) if model else fitted(part, arguments.quick)
        print(f"{name:30} RMSE {rmse(model, *part['test']):.4f} on the test rows, {time.perf_counter() - began:.1f} s")

    model = models["Tulle's recipe"]
    describe(model)
    if arguments.picture:
        draw(model, arguments.picture)
    with tempfile.TemporaryDirectory() as folder:
        test = {name: column[rows["test"]] for name, column in columns.items()}
        predicted = predicted_by_command(model, test, pathlib.Path(folder))
    assert np.array_equal(predicted, model.predict(part["test"][0]))
    print(f"{len(predicted)} predictions of the command are the estimator's")


if __name__ == "__main__":
    main()
