"""tulle.Trainer and tulle.Session against NumPy, and each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tulle

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(70, 3)), RNG.normal(size=(70, 2))


def forward(trainer, x):
    (w0, b0), (w1, b1) = trainer.parameters(0), trainer.parameters(1)
    return np.tanh(x @ w0.T + b0) @ w1.T + b1


def test_predictions_are_the_networks(make_trainer):
    trainer = make_trainer()
    np.testing.assert_allclose(trainer.predict(X), forward(trainer, X), rtol=1e-13)
    assert trainer.predict(X[0]).shape == (2,)
    np.testing.assert_array_equal(trainer.predict(X[0]), trainer.predict(X)[0])


def test_a_step_is_plain_gradient_descent(make_trainer):
    trainer = make_trainer(learning_rate=0.1)
    (w0, b0), (w1, b1) = before = trainer.parameters(0), trainer.parameters(1)
    loss = trainer.step(X, Y)
    hidden = np.tanh(X @ w0.T + b0)
    error = hidden @ w1.T + b1 - Y
    assert loss == pytest.approx(np.mean(error**2), rel=1e-13)
    back = error @ w1 * (1 - hidden**2)
    wanted = [
        (w0 - 0.1 * back.T @ X / len(X), b0 - 0.1 * back.mean(0)),
        (w1 - 0.1 * error.T @ hidden / len(X), b1 - 0.1 * error.mean(0)),
    ]
    for layer, (weights, biases) in enumerate(wanted):
        np.testing.assert_allclose(trainer.parameters(layer)[0], weights, rtol=1e-12)
        np.testing.assert_allclose(trainer.parameters(layer)[1], biases, rtol=1e-12)
    again = make_trainer(learning_rate=0.1)
    for layer, (weights, biases) in enumerate(before):
        again.set_parameters(layer, weights, biases)
    again.step_gradient(X, error)
    np.testing.assert_allclose(again.parameters(0)[0], wanted[0][0], rtol=1e-12)
    loss_again, gradients = make_trainer().gradient(X, Y)
    assert loss_again == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(gradients[0][0], back.T @ X / len(X), rtol=1e-11)
    np.testing.assert_allclose(gradients[1][1], error.mean(0), rtol=1e-11)


@given(st.integers(1, 90), st.integers(1, 33), st.booleans())
def test_an_ordered_epoch_is_its_steps(count, batch, has_weights):
    order = RNG.integers(0, len(X), count)
    weights = RNG.uniform(0, 2, len(X)) if has_weights else None
    one, many = (
        tulle.Trainer(3, [(5, "relu"), (2, "identity")], batch_size=batch, optimizer="adam", seed=2) for _ in range(2)
    )
    loss = one.epoch(X, Y, order, weights)
    losses = []
    for begin in range(0, count, batch):
        rows = order[begin : begin + batch]
        losses.append(len(rows) * many.step(X[rows], Y[rows], None if weights is None else weights[rows]))
    assert loss == pytest.approx(sum(losses) / count, rel=1e-12)
    assert one.state() == many.state()


def test_an_epoch_shuffles_with_the_generator_of_the_seed(make_trainer):
    order = np.arange(len(X))
    generator = np.random.RandomState(1)
    trainer, other = make_trainer(batch_size=8), make_trainer(batch_size=8)
    generator.random_sample(3 * 8 + 8 * 2)  # what the weights were drawn with
    generator.shuffle(order)
    assert trainer.epoch(X, Y) == pytest.approx(other.epoch(X, Y, order), rel=1e-13)
    np.testing.assert_array_equal(trainer.parameters(0)[0], other.parameters(0)[0])


def test_a_long_epoch_in_pieces_is_the_same(make_trainer):
    rows = 50_000
    x, y = np.resize(X, (rows, 3)), np.resize(Y, (rows, 2))
    layers = [(64, "relu"), (64, "relu"), (2, "identity")]
    one, many = make_trainer(layers, batch_size=1000), make_trainer(layers, batch_size=1000)
    one.epoch(x, y, np.arange(rows))
    for begin in range(0, rows, 1000):
        many.step(x[begin : begin + 1000], y[begin : begin + 1000])
    assert one.state() == many.state()


def test_state_goes_on_where_it_was(make_trainer):
    first = make_trainer(optimizer="adam", batch_size=16)
    first.epoch(X, Y)
    state = first.state()
    second = make_trainer(optimizer="adam", batch_size=16, learning_rate=0.5, seed=99)
    second.set_state(state)
    assert second.state() == state
    assert first.epoch(X, Y) == second.epoch(X, Y)
    assert first.state() == second.state() != state


@pytest.mark.parametrize("bad", [b"", b"x", b"\0" * 500])
def test_a_false_state_changes_nothing(make_trainer, bad):
    trainer = make_trainer()
    state = trainer.state()
    for forged in (bad, state[:-1], state + b"\0"):
        with pytest.raises(ValueError, match="state: expected that of a trainer of the same layers"):
            trainer.set_state(forged)
    assert trainer.state() == state
    with pytest.raises(TypeError, match="expected bytes"):
        trainer.set_state(bytearray(state))


def test_blends(make_trainer):
    online, target = make_trainer(), make_trainer(seed=5)
    a, b = online.parameters(0)[0], target.parameters(0)[0]
    target.blend(online, 0.25)
    np.testing.assert_allclose(target.parameters(0)[0], 0.75 * b + 0.25 * a, rtol=1e-15)
    target.blend(online)
    np.testing.assert_array_equal(target.parameters(0)[0], a)
    target.blend(target, 0.5)
    np.testing.assert_array_equal(target.parameters(0)[0], a)
    with pytest.raises(ValueError, match="same layers and precision"):
        target.blend(make_trainer(precision="f32"))
    with pytest.raises(ValueError, match="share: expected a number from 0 to 1, got nan"):
        target.blend(online, float("nan"))
    with pytest.raises(TypeError, match=r"other: expected a tulle.Trainer, got <class 'int'>"):
        target.blend(3)


@pytest.mark.parametrize("of", ["trainer", "session"])
def test_input_gradients(make_trainer, of):
    trainer = make_trainer()
    if of == "trainer":
        network = trainer
    else:
        network = tulle.Session(trainer.model())
    dy = RNG.normal(size=(len(X), 2))
    got = network.input_gradient(X, dy)
    (w0, b0), (w1, _) = trainer.parameters(0), trainer.parameters(1)
    wanted = dy @ w1 * (1 - np.tanh(X @ w0.T + b0) ** 2) @ w0
    np.testing.assert_allclose(got, wanted, rtol=1e-11)
    out = np.empty((len(X), 3), "f4")
    assert network.input_gradient(X, dy, out=out) is out
    np.testing.assert_allclose(out, got, rtol=1e-6)
    np.testing.assert_array_equal(network.input_gradient(X[0], dy[0]), got[0])
    with pytest.raises(ValueError, match="dy: expected 2 columns, got 3"):
        network.input_gradient(X, X)
    with pytest.raises(ValueError, match="dy: expected 70 rows, as many as x, got 69"):
        network.input_gradient(X, dy[1:])


def test_a_session_predicts_as_its_trainer(make_trainer):
    trainer = make_trainer()
    session = tulle.Session(trainer.model(), threads=2)
    np.testing.assert_array_equal(session.predict(X), trainer.predict(X))
    assert session.predict(X.astype("f4")).dtype == np.float64
    assert isinstance(session.model, tulle.Model)


def test_the_loss_of_many_rows_is_found_in_pieces():
    trainer = tulle.Trainer(3, [(1000, "tanh"), (1000, "tanh"), (2, "identity")], precision="f64", seed=1)
    x, y = np.resize(X, (500, 3)), np.resize(Y[:, :2], (500, 2))
    np.testing.assert_allclose(trainer.loss(x, y), np.mean((trainer.predict(x) - y) ** 2), rtol=1e-12)


def test_single_column_targets_may_be_flat():
    trainer = tulle.Trainer(3, [(1, "identity")], precision="f64")
    flat, column = trainer.loss(X, Y[:, 0]), trainer.loss(X, Y[:, :1])
    assert flat == column
    out = np.empty(len(X))
    trainer.predict(X, out)
    np.testing.assert_array_equal(out, trainer.predict(X)[:, 0])
    wide = np.empty((len(X), 2))
    trainer.predict(X, wide[:, 1])
    np.testing.assert_array_equal(wide[:, 1], out)


def test_classes_and_embeddings():
    trainer = tulle.Trainer(
        2, [(6, "relu", 0.1), (3, "identity")], embeddings=[(4, 2)], loss="cross_entropy", seed=1, learning_rate=0.1
    )
    x = np.c_[RNG.normal(size=(60, 2)), RNG.integers(0, 5, 60)]
    y = RNG.integers(0, 3, 60)
    assert trainer.predict(x).shape == (60, 3)
    assert trainer.epoch(x, y) > trainer.loss(x, y) - 1
    assert trainer.parameters(0)[0].shape == (6, 4)
    with pytest.raises(tulle.DivergedError, match="the loss is not finite"):
        trainer.step(x, y + 7)


def test_divergence_is_a_value_error(make_trainer):
    trainer = make_trainer()
    with pytest.raises(tulle.DivergedError, match="is there NaN in the data"):
        trainer.step(X * np.nan, Y)
    assert issubclass(tulle.DivergedError, ValueError)
    with pytest.raises(tulle.DivergedError):
        trainer.model()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda t: t.step(X, Y[:5]), ValueError, "y: expected 70 rows, as many as x, got 5"),
        (lambda t: t.step(X, Y[:, :1]), ValueError, "y: expected 2 columns, got 1"),
        (lambda t: t.step(X[:, :2], Y), ValueError, "x: expected 3 columns, got 2"),
        (lambda t: t.step(X, Y, np.ones(3)), ValueError, r"weights: expected shape \(70\), got \(3\)"),
        (lambda t: t.step(X, Y, -np.ones(70)), ValueError, "weights: expected finite numbers >= 0"),
        (lambda t: t.step(X, Y, np.full(70, np.nan)), ValueError, "weights: expected finite numbers >= 0"),
        (lambda t: t.step(X), TypeError, "required"),
        (lambda t: t.epoch(X, Y, [70]), ValueError, "order: there is no row 70 of 70"),
        (lambda t: t.epoch(X, Y, [0, -1]), ValueError, "order: there is no row -1 of 70"),
        (lambda t: t.epoch(X, Y, np.array([2**64 - 1], "u8")), ValueError, "order: there is no row -1 of 70"),
        (lambda t: t.epoch(X, Y, np.zeros(0, int)), ValueError, "order: expected at least one row"),
        (lambda t: t.epoch(X, Y, [0.5]), TypeError, "order: expected an array of integers"),
        (lambda t: t.epoch(X, Y, np.ones(70, bool)), TypeError, "order: expected an array of integers"),
        (lambda t: t.epoch(X, Y, [[1]]), ValueError, "order: expected one dimension, got 2"),
        (lambda t: t.parameters(2), IndexError, "layer 2 of a network of 2"),
        (lambda t: t.parameters(-1), ValueError, "layer: expected an int from 0 to"),
        (lambda t: t.parameters(1 << 80), ValueError, "layer: expected an int from 0 to"),
        (lambda t: t.parameters(0.0), TypeError, "layer: expected an int, got <class 'float'>"),
        (lambda t: t.set_parameters(0, X, Y), ValueError, r"weights: expected shape \(8, 3\), got \(70, 3\)"),
        (
            lambda t: t.set_parameters(0, np.ones((8, 3)), np.ones(7)),
            ValueError,
            r"biases: expected shape \(8\), got \(7\)",
        ),
        (lambda t: t.set_learning_rate(-1), ValueError, "learning_rate: expected a finite number >= 0, got -1"),
        (lambda t: t.set_learning_rate("x"), TypeError, "learning_rate: expected a number, got <class 'str'>"),
        (lambda t: t.set_learning_rate(10**400), ValueError, "learning_rate: the number is too large"),
    ],
)
def test_what_is_refused(make_trainer, call, kind, text):
    trainer = make_trainer()
    state = trainer.state()
    with pytest.raises(kind, match=text):
        call(trainer)
    assert trainer.state() == state


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "text"),
    [
        ((3,), {}, TypeError, "layers"),
        (
            (3, [(2, "relu")]),
            {"lerning_rate": 1},
            TypeError,
            r"Trainer\(\) has no keyword argument 'lerning_rate'; did you mean 'learning_rate'\?",
        ),
        ((3, [(2, "relu")]), {"xyz": 1}, TypeError, r"Trainer\(\) has no keyword argument 'xyz'$"),
        (
            (3, [(2, "rleu")]),
            {},
            ValueError,
            "activation: expected 'identity', .* or 'sine', got 'rleu'; did you mean 'relu'",
        ),
        ((3, [(2, 1)]), {}, TypeError, "activation: expected a str, got <class 'int'>"),
        ((3, ["ab"]), {}, TypeError, r"layers: expected \(units, activation\[, dropout\[, parametric\]\]\), got 'ab'"),
        ((3, [(2,)]), {}, TypeError, r"layers: expected \(units"),
        ((3, 5), {}, TypeError, "iterable"),
        ((3, []), {}, ValueError, "layer"),
        ((3, [(0, "relu")]), {}, ValueError, "layer 0 has no units"),
        ((-3, [(2, "relu")]), {}, ValueError, "inputs: expected an int from 0 to"),
        ((3.0, [(2, "relu")]), {}, TypeError, "inputs: expected an int, got <class 'float'>"),
        ((1 << 61, [(2, "relu")]), {}, MemoryError, "out of memory"),
        ((1 << 200, [(2, "relu")]), {}, ValueError, "inputs: expected an int from 0 to"),
        ((3, [(2, "relu")]), {"learning_rate": -1}, ValueError, "the learning rate must be a finite number"),
        (
            (3, [(2, "relu")]),
            {"learning_rate": "fast"},
            TypeError,
            "learning_rate: expected a number, got <class 'str'>",
        ),
        (
            (3, [(2, "relu")]),
            {"seed": 1 << 32},
            ValueError,
            "seed: expected an int from 0 to 4294967295, got 4294967296",
        ),
        ((3, [(2, "relu")]), {"loss": "poison"}, ValueError, "loss: expected .*did you mean 'poisson'"),
        ((3, [(2, "relu")]), {"embeddings": [(1,)]}, ValueError, "embeddings: expected pairs"),
        ((3, [(2, "relu")]), {"quantiles": ["a"], "loss": "quantile"}, TypeError, "quantiles: expected a number"),
    ],
)
def test_options_that_are_refused(arguments, options, kind, text):
    with pytest.raises(kind, match=text):
        tulle.Trainer(*arguments, **options)


def test_none_is_the_default():
    trainer = tulle.Trainer(3, [(2, "identity")], loss=None, seed=None, embeddings=None, learning_rate=None)
    assert trainer.state() == tulle.Trainer(3, [(2, "identity")]).state()
