"""train() and evaluate(): options, callbacks, errors, and the same bits as the command."""

import numpy as np
import pytest

import tulle

FAST = {"recipe": "plain", "epochs": 4, "hidden": [8], "seed": 1}


@pytest.fixture
def classes():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(300, 2))
    y = (x[:, 0] + x[:, 1] > 0).astype(float) + (x[:, 0] > 1)
    return tulle.Dataset(np.c_[x, y], ["a", "b", "y"], [None, None, ["no", "yes", "very"]])


def test_progress_comes_after_every_epoch(table):
    seen = []
    model = tulle.train(table, ["y"], progress=seen.append, **FAST)
    assert [p["epoch"] for p in seen] == [1, 2, 3, 4]
    assert {p["epochs"] for p in seen} == {4}
    curve = model.info()["curve"]
    np.testing.assert_array_equal(curve[:, 0], [p["train_loss"] for p in seen])
    np.testing.assert_array_equal(curve[:, 1], [p["valid_loss"] for p in seen])
    assert seen[-1]["best_loss"] == curve[:, 1].min()


def test_truth_stops_training(table):
    model = tulle.train(table, ["y"], progress=lambda p: p["epoch"] == 2, **FAST)
    assert len(model.info()["curve"]) == 2
    model = tulle.train(table, ["y"], progress=lambda p: np.zeros(1), **FAST)
    assert len(model.info()["curve"]) == 4


def test_exceptions_of_callbacks_come_out(table):
    error = ZeroDivisionError("mine")

    def fail(progress):
        raise error

    with pytest.raises(ZeroDivisionError) as raised:
        tulle.train(table, ["y"], progress=fail, **FAST)
    assert raised.value is error
    with pytest.raises(ValueError, match="ambiguous"):
        tulle.train(table, ["y"], progress=lambda p: np.zeros(2), **FAST)
    with pytest.raises(SystemExit):
        tulle.train(table, ["y"], progress=lambda p: (_ for _ in ()).throw(SystemExit), **FAST)


def test_interruptions_within_callbacks(table):
    """Are interruptions like others; what else callbacks raise comes out."""

    def fail(progress):
        raise error

    caught = []
    error = KeyboardInterrupt()
    model = tulle.train(table, ["y"], progress=fail, interrupted=caught.append, **FAST)
    assert caught == [error]
    assert len(model.info()["curve"]) == 1
    with pytest.raises(KeyboardInterrupt):
        tulle.train(table, ["y"], progress=fail, **FAST)
    error = ZeroDivisionError("mine")
    with pytest.raises(ZeroDivisionError, match="mine"):
        tulle.train(table, ["y"], progress=fail, interrupted=caught.append, **FAST)


def test_callbacks_may_use_the_library(table):
    models = []

    def inner(progress):
        if not models:
            models.append(tulle.train(table, ["y"], **FAST))
        tulle.evaluate(models[0], table)

    model = tulle.train(table, ["y"], progress=inner, **FAST)
    np.testing.assert_array_equal(model.parameters(0)[0], models[0].parameters(0)[0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_notices():
    table = tulle.Dataset(np.c_[np.ones(50), np.arange(50), np.arange(50) * 2.0], ["one", "x", "y"])
    lines = []
    tulle.train(table, ["y"], notice=lines.append, **FAST)
    assert any("'one'" in line for line in lines)
    assert all(isinstance(line, str) and "\n" not in line for line in lines)
    tulle.train(table, ["y"], notice=lambda line: 1 / 0, **FAST)  # to sys.unraisablehook


def test_classes_weights_and_splits(classes):
    plain = tulle.train(classes, ["y"], **FAST)
    assert plain.info()["task"] == "classification"
    weighted = tulle.train(classes, ["y"], class_weights={"no": 1, "very": 5.0, "yes": 1}, **FAST)
    balanced = tulle.train(classes, ["y"], balance_classes=True, **FAST)
    assert (weighted.parameters(0)[0] != plain.parameters(0)[0]).any()
    assert (balanced.parameters(0)[0] != plain.parameters(0)[0]).any()
    measured = tulle.evaluate(plain, classes)
    assert measured["metrics"][0]["rows"] == 300
    assert measured["confusion"].sum() == 300
    assert measured["out_of_range"] == [0, 0] or len(measured["out_of_range"]) == 2
    levels = plain.info()["targets"][0]["levels"]
    assert sorted(levels) == ["no", "very", "yes"]

    splits = bytes([0] * 200 + [1] * 50 + [2] * 50)
    names = classes.names
    split = tulle.Dataset(classes.values(), names, [None, None, classes.levels(2)], splits)
    model = tulle.train(split, ["y"], **FAST)
    assert model.info()["rows"] == (200, 50, 50)
    assert tulle.evaluate(model, split, "test")["metrics"][0]["rows"] == 50
    assert tulle.evaluate(model, split, split="valid", weight_column=None)["metrics"][0]["rows"] == 50


def test_validation_rows_of_their_own(table):
    model = tulle.train(table, ["y"], valid_dataset=tulle.Dataset(table.values()[:40], table.names), **FAST)
    assert model.info()["rows"][:2] == (200, 40)


def test_none_is_as_the_recipe_says(table):
    given = tulle.train(table, ["y"], learning_rate=None, activation=None, progress=None, notice=None, **FAST)
    assert given.info()["settings"] == tulle.train(table, ["y"], **FAST).info()["settings"]


def test_the_same_bits_again(table):
    one, two = (tulle.train(table, ["y"], threads=threads, **FAST) for threads in (1, 2))
    np.testing.assert_array_equal(one.parameters(0)[0], two.parameters(0)[0])


def test_checkpoints(tmp_path, table):
    path = str(tmp_path / "run")

    def stop(progress):
        if progress["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tulle.train(table, ["y"], progress=stop, checkpoint=path, **FAST)
    resumed = tulle.train(table, ["y"], checkpoint=path, resume=True, **FAST)
    np.testing.assert_array_equal(resumed.parameters(0)[0], tulle.train(table, ["y"], **FAST).parameters(0)[0])


@pytest.mark.parametrize(
    ("targets", "options", "kind", "text"),
    [
        (["q"], {}, ValueError, "no column 'q'; there are a, b, c, y"),
        ("y", {}, TypeError, "targets: expected a sequence of str, got one str"),
        (["y", "y"], {}, ValueError, "y"),
        ([], {}, ValueError, "target"),
        ([3], {}, TypeError, "targets: expected a str, got <class 'int'>"),
        (["y"], {"epoch": 3}, TypeError, r"train\(\) has no keyword argument 'epoch'; did you mean 'epochs'"),
        (["y"], {"epochs": "many"}, TypeError, "epochs: expected an int, got <class 'str'>"),
        (["y"], {"epochs": -1}, ValueError, "epochs: expected an int from 0 to"),
        (["y"], {"hidden": 5}, TypeError, "iterable"),
        (["y"], {"hidden": [5.0]}, TypeError, "hidden: expected an int, got <class 'float'>"),
        (["y"], {"learning_rate": float("nan")}, ValueError, "learning"),
        (["y"], {"recipe": "tabularr"}, ValueError, "recipe: expected .*did you mean 'tabular'"),
        (["y"], {"progress": 3}, TypeError, "progress: expected something to call, got <class 'int'>"),
        (
            ["y"],
            {"class_weights": [1]},
            TypeError,
            r"class_weights: expected a dict {class: weight}, got <class 'list'>",
        ),
        (["y"], {"class_weights": {"a": "b"}}, TypeError, "class_weights: expected a number"),
        (["y"], {"valid_dataset": 3}, TypeError, "valid_dataset: expected a tulle.Dataset, got <class 'int'>"),
        (["y"], {"targets": ["y"]}, TypeError, "two values of 'targets'"),
        (["y"], {"weight_column": "nothing"}, ValueError, "no column 'nothing'"),
        (["y"], {"number_bins": "few"}, TypeError, "number_bins: expected an int"),
        (["y"], {"learning_rate": 1e30, "optimizer": "sgd"}, tulle.DivergedError, "diverged|epoch"),
    ],
)
def test_what_is_refused(table, targets, options, kind, text):
    with pytest.raises(kind, match=text):
        tulle.train(table, targets, **{**FAST, **options})


def test_arguments_that_are_no_datasets(table):
    with pytest.raises(TypeError, match=r"needs a dataset and targets"):
        tulle.train(table)
    with pytest.raises(TypeError, match=r"dataset: expected a tulle.Dataset, got <class 'list'>"):
        tulle.train([[1]], ["y"])
    model = tulle.train(table, ["y"], **FAST)
    with pytest.raises(TypeError, match=r"model: expected a tulle.Model, got <class 'tulle.Dataset'>"):
        tulle.evaluate(table, table)
    with pytest.raises(TypeError, match=r"dataset: expected a tulle.Dataset"):
        tulle.evaluate(model, model)
    with pytest.raises(ValueError, match="split: expected 'train', 'valid', 'test' or 'all', got 'none'"):
        tulle.evaluate(model, table, "none")
    with pytest.raises(ValueError, match="column 'a'"):
        tulle.evaluate(model, tulle.Dataset(np.zeros((2, 2)), ["b", "y"]))
