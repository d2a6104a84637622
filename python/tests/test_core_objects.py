"""Objects of the extension as Python objects: made, copied, pickled, documented, misused."""

import copy
import gc
import inspect
import pickle
import sys

import numpy as np
import pytest

import tulle
from tulle import _core

TYPES = [tulle.Dataset, tulle.Model, tulle.Session, tulle.Trainer]


@pytest.fixture
def objects(make_trainer, table):
    trainer = make_trainer()
    model = trainer.model()
    return [table, model, tulle.Session(model), trainer]


def test_version_is_the_librarys():
    assert _core.version == tulle.__version__
    assert "kernels" in tulle.build_info()


@pytest.mark.parametrize("type_", TYPES)
def test_types_are_as_python_shows_them(type_):
    assert type_.__module__ == "tulle"
    assert getattr(tulle, type_.__name__) is type_
    assert type_.__doc__
    if type_ is not tulle.Model and sys.version_info >= (3, 10):  # 3.9 forgets them of types like these
        assert "self" not in inspect.signature(type_).parameters
    for name, member in vars(type_).items():
        if not name.startswith("_"):
            assert member.__doc__, name
            if callable(getattr(type_, name)):
                assert inspect.signature(getattr(type_, name)) is not None


@pytest.mark.parametrize("name", ["train", "evaluate", "command", "build_info"])
def test_functions_are_documented(name):
    function = getattr(_core, name)
    assert function.__doc__
    assert inspect.signature(function) is not None


@pytest.mark.parametrize("type_", TYPES)
def test_nothing_derives_from_them(type_):
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Derived", (type_,), {})


@pytest.mark.parametrize("type_", TYPES)
def test_new_alone_makes_nothing_half(type_):
    with pytest.raises(TypeError):
        type_.__new__(type_)
    with pytest.raises(TypeError):
        object.__new__(type_)


def test_init_again_changes_nothing(objects):
    for made in objects:
        before = repr(made)
        try:
            made.__init__()
            made.__init__(1, [(2, "relu")])
        except TypeError:
            pass
        assert repr(made) == before
    assert objects[3].predict(np.ones(3)).shape == (2,)


def test_pickles_and_copies(objects, table):
    dataset, model, session, trainer = objects
    x = np.ones((4, 3))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(table, protocol))
        np.testing.assert_array_equal(again.values(), table.values())
        assert again.names == table.names
        assert [again.levels(i) for i in range(4)] == [None] * 4
        same = pickle.loads(pickle.dumps(model, protocol))
        assert same.to_bytes() == model.to_bytes()
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(session, protocol)).predict(x), session.predict(x))
        with pytest.raises(TypeError, match="is not copied or pickled: keep its state"):
            pickle.dumps(trainer, protocol)
    assert copy.copy(model).to_bytes() == copy.deepcopy(model).to_bytes() == model.to_bytes()
    assert copy.deepcopy(session).model is not session.model
    with pytest.raises(TypeError):
        copy.copy(trainer)


def test_datasets_with_all_there_is():
    values = np.array([[0, 1.5], [1, np.nan], [np.nan, -2]])
    dataset = tulle.Dataset(values, ["kind", "size"], [["a", "ü"], None], bytes([0, 1, 2]))
    for one in (dataset, pickle.loads(pickle.dumps(dataset))):
        assert one.names == ["kind", "size"]
        assert one.rows == 3
        assert one.levels(0) == ["a", "ü"]
        assert one.levels(1) is None
        assert one.splits == b"\0\1\2"
        np.testing.assert_array_equal(one.values(), values)
    assert tulle.Dataset(np.zeros((2, 2), int)).names == ["c0", "c1"]
    assert tulle.Dataset([1.0, 2.0]).values().shape == (2, 1)
    one.values()[:] = 7
    np.testing.assert_array_equal(one.values(), values)


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ((np.zeros((0, 2)),), ValueError, "at least one row and one column, got 0 and 2"),
        ((np.zeros((2, 2)), ["a"]), ValueError, "names: expected one for each of 2 columns, got 1"),
        ((np.zeros((2, 2)), ["a", "a"]), ValueError, "columns 0 and 1 are both named 'a'"),
        ((np.zeros((2, 2)), "ab"), TypeError, "names: expected a sequence of str, got one str"),
        ((np.zeros((2, 2)), ["a", 1]), TypeError, "names: expected a str, got <class 'int'>"),
        ((np.zeros((2, 2)), ["a", "b\0c"]), ValueError, "embedded null"),
        ((np.zeros((2, 2)), ["a", "\ud800"]), ValueError, "surrogates"),
        ((np.zeros((2, 2)), 5), TypeError, "names: expected a sequence of str, got <class 'int'>"),
        ((np.zeros((2, 2)), ["a", "b"], [None]), ValueError, "levels: expected one item for each of 2 columns, got 1"),
        (
            (np.zeros((2, 2)), ["a", "b"], [None, []]),
            ValueError,
            "row 1: expected the index of a level in column 'b', got 0",
        ),
        ((np.zeros((2, 2)), ["a", "b"], [None, ["x", "x"]]), ValueError, "levels 0 and 1 of column 'b' are both 'x'"),
        ((np.zeros((2, 2)), ["a", "b"], [None, [" "]]), ValueError, "the name of level 0 of column 'b' is blank"),
        ((np.full((2, 2), 1e200), ["a", "b"]), ValueError, "row 1: expected a number of at most 1e150"),
        ((np.zeros((2, 2)), None, None, b"\0"), ValueError, "splits: expected one byte for each of 2 rows, got 1"),
        ((np.zeros((2, 2)), None, None, b"\0\7"), ValueError, "row 2: no split for rows has the value 7"),
        ((np.zeros((2, 2)), None, None, [0, 1]), TypeError, "expected bytes"),
    ],
)
def test_datasets_that_are_refused(arguments, kind, text):
    with pytest.raises(kind, match=text):
        tulle.Dataset(*arguments)


def test_models_say_what_they_are(table):
    model = tulle.train(table, ["y"], recipe="plain", epochs=2, hidden=[4], seed=3)
    info = model.info()
    assert [column["name"] for column in info["inputs"]] == ["a", "b", "c"]
    assert info["task"] == "regression"
    assert info["curve"].shape == (2, 3)
    assert info["settings"]["hidden"] == "4"
    assert info["first_inputs"] == 3
    assert sum(info["rows"]) == 200
    assert info["metrics"]["train"][0]["rmse"] > 0
    assert model.parameters(0)[0].shape == (4, 3)
    assert "3 inputs" in repr(model)
    with pytest.raises(IndexError, match="layer 2 of a network of 2"):
        model.parameters(2)
    with pytest.raises(IndexError, match="column 3 of 3 inputs"):
        model.level(3, "x")
    with pytest.raises(TypeError, match=r"comes from Model.load"):
        tulle.Model()


@pytest.mark.parametrize("recipe", _core.choices["recipe"])
def test_parameters_of_any_network_are_whole(recipe):
    generator = np.random.default_rng(0)
    rows = 150
    columns = {
        "number": generator.normal(size=rows),
        "gaps": np.where(generator.random(rows) < 0.2, np.nan, generator.normal(size=rows)),
        "pair": generator.integers(0, 2, rows),
        "pair_gaps": np.where(generator.random(rows) < 0.2, np.nan, generator.integers(0, 2, rows)),
        "few": generator.integers(0, 4, rows),
        "many": generator.integers(0, 30, rows),
        "y": generator.integers(0, 3, rows),
    }
    sizes = [None, None, 2, 2, 4, 30, 3]
    levels = [size and [f"l{i}" for i in range(size)] for size in sizes]
    table = tulle.Dataset(np.column_stack(list(columns.values())), list(columns), levels)
    model = tulle.train(table, ["y"], recipe=recipe, epochs=1, seed=1)
    info = model.info()
    inputs = info["first_inputs"]
    for layer, shape in enumerate(info["layers"]):
        weights, biases = model.parameters(layer)
        assert weights.shape[-2:] == (shape["units"], inputs)
        assert biases.shape[-1] == shape["units"]
        assert np.isfinite(weights).all()
        inputs = shape["units"]
    predictions = tulle.Session(model).predict(table.values()[:, :6])
    np.testing.assert_allclose(predictions.sum(1), 1, rtol=1e-6)
    assert model.level(4, "l2") == 2
    assert np.isnan(model.level(4, "nothing"))


def test_files(tmp_path, objects):
    model = objects[1]
    path = tmp_path / "mödel.tulle"
    for form in (path, str(path), str(path).encode()):
        model.save(form)
        assert tulle.Model.load(form).to_bytes() == model.to_bytes() == path.read_bytes()
    with pytest.raises(FileNotFoundError) as raised:
        tulle.Model.load(tmp_path / "missing")
    assert raised.value.filename == str(tmp_path / "missing")
    with pytest.raises(OSError, match="there is no folder"):
        model.save(tmp_path / "no" / "such")
    with pytest.raises(ValueError, match="null"):
        model.save("a\0b")
    with pytest.raises(TypeError):
        tulle.Model.load(3)
    path.write_bytes(b"something else altogether, longer than a header")
    with pytest.raises(ValueError, match="not a Tulle model"):
        tulle.Model.load(path)


def test_bytes_that_are_no_model(objects):
    whole = objects[1].to_bytes()
    for bad in (b"", b"x" * 100, whole[:-1], whole + b"\0", whole[:50] + b"\xff" + whole[51:]):
        with pytest.raises(ValueError):
            tulle.Model.from_bytes(bad)
    with pytest.raises(TypeError):
        tulle.Model.from_bytes("text")


def test_nothing_leaks(make_trainer, table):
    def work():
        trainer = make_trainer()
        x, y = np.ones((5, 3)), np.ones((5, 2))
        trainer.step(x, y, np.ones(5))
        trainer.epoch(x, y, [0, 1])
        trainer.epoch([[1, 2, 3]], [[1, 2]])
        model = trainer.model()
        session = tulle.Session(model)
        session.predict(x, np.empty((5, 2)))
        model.info(), model.parameters(0), trainer.state(), trainer.gradient(x, y)
        tulle.evaluate(tulle.train(table, ["y"], epochs=1, recipe="plain", progress=lambda p: None), table)
        for bad in (lambda: trainer.step(x, x), lambda: session.predict(x, x), lambda: trainer.predict("x")):
            with pytest.raises((TypeError, ValueError)):
                bad()

    work()
    gc.collect()
    allocated = []
    for _ in range(4):
        for _ in range(10):
            work()
        gc.collect()
        allocated.append(sys.getallocatedblocks())
    assert allocated[-1] - allocated[0] < 100, allocated


def test_a_second_import_shares_what_there_is(run_python):
    run_python(
        """
import sys, tulle, importlib
import numpy as np
first = tulle._core
model = tulle.Trainer(2, [(1, "identity")]).model()
del sys.modules["tulle._core"]
second = importlib.import_module("tulle._core")
assert second is not first and second.Model is first.Model
second.Session(model).predict(np.ones(2))
importlib.reload(second)
"""
    )


SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import numpy, tulle
script = '''
try:
    import tulle._core
except ImportError as error:
    print("refused:", error)
try:
    import tulle._core
except ImportError as error:
    print("again:", error)
'''
import inspect
for arguments in [{}, {"isolated": False}, ("legacy",)]:
    try:
        one = interpreters.create(*arguments) if isinstance(arguments, tuple) else interpreters.create(**arguments)
    except (TypeError, ValueError):
        continue
    interpreters.run_string(one, script)
    interpreters.destroy(one)
print(tulle.Trainer(2, [(1, "identity")]).predict(numpy.ones(2)).shape)
"""


def test_subinterpreters_are_refused(run_python):
    output = run_python(SUBINTERPRETER)
    assert "refused:" in output
    assert "again:" in output
    assert output.rstrip().endswith("(1,)")
