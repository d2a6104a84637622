"""Arrays of any type, order, stride and shape, to read and to write."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tulle

INPUTS, OUTPUTS = 3, 2
TRAINERS = {
    precision: tulle.Trainer(INPUTS, [(8, "tanh"), (OUTPUTS, "identity")], seed=1, threads=1, precision=precision)
    for precision in ("f32", "f64")
}
MODEL = TRAINERS["f32"].model()

DTYPES = st.sampled_from(
    ["?", "<i1", "<u1", "<i2", ">i2", "<u4", ">i4", "<i8", "<u8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "g"]
)
ROWS = st.integers(0, 9)


@st.composite
def matrices(draw, columns=INPUTS):
    """(rows, columns), cut out of something larger, turned, reversed, or one row many times over."""
    dtype = np.dtype(draw(DTYPES))
    rows = draw(ROWS)
    elements = {
        "b": st.booleans(),
        "f": st.floats(-100, 100, width=16) | st.just(np.nan),
    }.get(dtype.kind, st.integers(0, 100))
    form = draw(
        st.sampled_from(["C", "F", "row step", "column step", "reversed", "columns reversed", "broadcast", "odd"])
    )
    if form == "odd":  # at an address that is no multiple of the item's size
        raw = np.zeros(rows * columns * dtype.itemsize + 1, "u1")[1:]
        array = raw.view(dtype).reshape(rows, columns)
        array[...] = draw(hnp.arrays(dtype, (rows, columns), elements=elements))
        return array
    if form == "broadcast":
        return np.broadcast_to(draw(hnp.arrays(dtype, columns, elements=elements)), (rows, columns))
    step, width = (2, columns) if form == "row step" else (1, 2 * columns) if form == "column step" else (1, columns)
    array = draw(hnp.arrays(dtype, (rows * step, width), elements=elements))
    if form == "F":
        array = np.asfortranarray(array)
    array = array[::step] if form == "row step" else array[:, ::2] if form == "column step" else array
    return array[::-1] if form == "reversed" else array[:, ::-1] if form == "columns reversed" else array


def plain(x):
    """What Tulle makes of an array: float32 of narrow floats, else float64."""
    return np.array(x, "f4" if x.dtype.kind == "f" and x.dtype.itemsize <= 4 else "f8", order="C")


@given(matrices(), st.sampled_from(["f32", "f64"]))
def test_any_array_is_read(x, precision):
    trainer = TRAINERS[precision]
    before = sys.getrefcount(x)
    got = trainer.predict(x)
    assert got.shape == (len(x), OUTPUTS)
    assert got.dtype == {"f32": np.float32, "f64": np.float64}[precision]
    np.testing.assert_array_equal(got, trainer.predict(plain(x)))
    assert sys.getrefcount(x) == before


@given(matrices())
def test_rows_do_not_depend_on_others(x):
    session = tulle.Session(MODEL)
    together = session.predict(x)
    for row, expected in zip(x, together):
        np.testing.assert_array_equal(session.predict(row), expected)
        np.testing.assert_array_equal(session.predict(row[None]), expected[None])


@given(st.data())
def test_any_targets_are_read(data):
    x, y = data.draw(matrices()), data.draw(matrices(OUTPUTS))
    rows = min(len(x), len(y))
    if rows == 0:
        with pytest.raises(ValueError, match="x: expected at least one row"):
            TRAINERS["f64"].loss(x[:0], y[:0])
        return
    x, y = x[:rows], y[:rows]
    expected = np.mean((TRAINERS["f64"].predict(plain(x)) - y.astype("f8")) ** 2)
    np.testing.assert_allclose(TRAINERS["f64"].loss(x, y), expected, rtol=1e-12, atol=1e-12)


@given(ROWS, st.sampled_from(["f4", "f8"]), st.integers(0, 3))
def test_writes_to_any_row_stride(rows, dtype, padding):
    x = np.linspace(-1, 1, rows * INPUTS).reshape(rows, INPUTS)
    whole = np.full((rows, OUTPUTS + padding), 7, dtype)
    out = whole[:, :OUTPUTS]
    trainer = TRAINERS["f64"]
    assert trainer.predict(x, out) is out
    np.testing.assert_array_equal(out, trainer.predict(x).astype(dtype))
    assert (whole[:, OUTPUTS:] == 7).all()
    again = np.empty((rows, OUTPUTS), dtype)
    assert trainer.predict(x, out=again) is again
    np.testing.assert_array_equal(again, out)


def test_lists_and_frames():
    trainer = TRAINERS["f64"]
    expected = trainer.predict(np.array([[1.0, 2, 3], [4, 5, 6]]))
    np.testing.assert_array_equal(trainer.predict([[1, 2, 3], [4, 5, 6]]), expected)
    np.testing.assert_array_equal(trainer.predict((1, 2, 3)), expected[0])
    np.testing.assert_array_equal(trainer.predict(memoryview(np.array([[1.0, 2, 3], [4, 5, 6]]))), expected)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 4], "b": [2.0, 5], "c": [3, 6]})
    np.testing.assert_array_equal(trainer.predict(frame), expected)


def test_contiguous_arrays_are_not_copied():
    import tracemalloc

    x = np.zeros((100_000, INPUTS), "f4")
    out = np.empty((100_000, OUTPUTS), "f4")
    session = tulle.Session(MODEL)
    session.predict(x, out)
    tracemalloc.start()
    session.predict(x, out)
    session.predict(x[::2], out[::2])
    assert tracemalloc.get_traced_memory()[1] < 10_000
    tracemalloc.stop()


X = np.zeros((4, INPUTS))


@pytest.mark.parametrize(
    ("x", "kind", "text"),
    [
        (X[:, :2], ValueError, r"x: expected 3 columns, got 2"),
        (np.zeros((2, 2, 3)), ValueError, r"x: expected one or two dimensions, got shape \(2, 2, 3\)"),
        (np.float64(1), ValueError, r"x: expected one or two dimensions, got shape \(\)"),
        (X.astype(complex), TypeError, "x: expected an array of numbers, got one of complex128$"),
        (X.astype(object), TypeError, "x: expected an array of numbers"),
        (X.astype("U3"), TypeError, "x: expected an array of numbers"),
        (X.astype("M8[s]"), TypeError, "x: expected an array of numbers"),
        ("text", TypeError, "x: expected an array of numbers"),
        (None, TypeError, "x: expected an array of numbers"),
        (object(), TypeError, "x: expected an array of numbers"),
        ([[1, 2, 3], [4, 5]], ValueError, "inhomogeneous"),
    ],
)
def test_what_cannot_be_read(x, kind, text):
    for predict in (TRAINERS["f64"].predict, tulle.Session(MODEL).predict):
        with pytest.raises(kind, match=text):
            predict(x)


def read_only(array):
    array.setflags(write=False)
    return array


@pytest.mark.parametrize(
    ("out", "kind", "text"),
    [
        (np.empty((4, 3)), ValueError, r"out: expected shape \(4, 2\), got \(4, 3\)"),
        (np.empty((3, 2)), ValueError, r"out: expected shape \(4, 2\), got \(3, 2\)"),
        (np.empty(8), ValueError, r"out: expected shape \(4, 2\), got \(8\)"),
        (np.empty((4, 2, 1)), ValueError, r"out: expected shape \(4, 2\), got \(4, 2, 1\)"),
        (np.empty((4, 2), int), TypeError, "out: expected float32 or float64"),
        (np.empty((4, 2), ">f8"), TypeError, "out: expected float32 or float64"),
        (np.empty((4, 2), order="F"), TypeError, "rows that are contiguous"),
        (np.empty((4, 2))[::-1], TypeError, "rows that are contiguous"),
        (np.broadcast_to(np.empty(2), (4, 2)), TypeError, "rows that are contiguous"),
        (read_only(np.empty((4, 2))), ValueError, "out: the array is read-only"),
        ([[0, 0]] * 4, TypeError, "out: expected a NumPy array to write to, got <class 'list'>"),
        (X[:, :2], ValueError, "out: overlaps x"),
        (X.reshape(6, 2)[1:5], ValueError, "out: overlaps x"),
    ],
)
def test_what_cannot_be_written_to(out, kind, text):
    for predict in (TRAINERS["f64"].predict, tulle.Session(MODEL).predict):
        with pytest.raises(kind, match=text):
            predict(X, out)


@pytest.mark.parametrize("dy_type", ["f4", "f8"])
def test_a_gradient_is_not_written_over_dy(dy_type):
    memory = np.zeros(13 * 8, "u1").view(dy_type)
    dy = memory[:8].reshape(4, 2)
    for gradient in (TRAINERS["f64"].input_gradient, tulle.Session(MODEL).input_gradient):
        with pytest.raises(ValueError, match="out: overlaps dy, which is still read"):
            gradient(X, dy, memory.view("f8")[1:13].reshape(4, 3))


class Pretender:
    """Says what it likes of its __array_struct__."""

    def __init__(self, answer):
        self.answer = answer

    @property
    def __array_struct__(self):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("answer", [3, None, "x", object()])
def test_false_interfaces(answer):
    with pytest.raises((TypeError, ValueError)):
        TRAINERS["f64"].predict(Pretender(answer))


def test_exceptions_of_interfaces_are_the_callers():
    with pytest.raises(ZeroDivisionError, match="mine"):
        TRAINERS["f64"].predict(Pretender(ZeroDivisionError("mine")))
    with pytest.raises(KeyboardInterrupt):
        TRAINERS["f64"].predict(X, out=Pretender(KeyboardInterrupt()))


def test_reading_may_use_the_same_object():
    trainer = TRAINERS["f64"]

    class Curious:
        @property
        def __array_struct__(self):
            trainer.predict(X)
            return X.__array_struct__

    np.testing.assert_array_equal(trainer.predict(Curious()), trainer.predict(X))


def test_an_array_lives_as_long_as_it_is_read():
    trainer = tulle.Trainer(INPUTS, [(OUTPUTS, "identity")], seed=1)
    x = np.ones((50, INPUTS))

    class Shrinks:
        @property
        def __array_struct__(self):
            with pytest.raises(ValueError, match="resize"):
                x.resize((1, INPUTS))
            return np.empty((50, OUTPUTS)).__array_struct__  # held by its capsule alone

    trainer.predict(x, out=Shrinks())


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_odd_addresses(dtype):
    def odd(array):
        moved = np.zeros(array.nbytes + 1, "u1")[1:].view(array.dtype).reshape(array.shape)
        moved[...] = array
        assert not moved.flags.aligned
        return moved

    trainer = tulle.Trainer(INPUTS, [(OUTPUTS, "identity")], seed=1)
    x, y = np.arange(12, dtype=dtype).reshape(4, 3), np.arange(8, dtype=dtype).reshape(4, 2)
    weights, order = np.arange(4, dtype="f8"), np.arange(4)
    state = trainer.state()
    expected = trainer.epoch(x, y, order, weights)
    trainer.set_state(state)
    assert trainer.epoch(odd(x), odd(y), odd(order), odd(weights)) == expected
    with pytest.raises(TypeError, match="out: expected float32 or float64"):
        trainer.predict(x, odd(np.empty((4, 2))))


def test_nan_and_infinity_pass_through():
    out = TRAINERS["f64"].predict([[np.nan, 0, 0], [0, 0, 0], [0, np.inf, 0]])
    assert np.isnan(out[0]).all()
    assert np.isfinite(out[1]).all()
