"""Threads that call at once, signals, forks: what a process does around a call."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

import tulle

ROWS = 20_000
X = np.random.default_rng(1).normal(size=(ROWS, 3)).astype("f4")
Y = np.random.default_rng(2).normal(size=(ROWS, 2)).astype("f4")
LAYERS = [(32, "relu"), (2, "identity")]


def in_threads(count, work):
    """Runs work(0), work(1), ... at once; raises what any of them raised."""
    errors = []

    def run(i):
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_share_a_session(make_trainer):
    session = tulle.Session(make_trainer(LAYERS).model())
    expected = session.predict(X)
    results = [None] * 6

    def work(i):
        for _ in range(5):
            results[i] = session.predict(X[i:])
            for row in range(i, i + 20):
                assert (session.predict(X[row]) == expected[row]).all()

    in_threads(6, work)
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i:])


def test_threads_share_a_trainer(make_trainer):
    trainer, other = make_trainer(LAYERS, learning_rate=1e-4), make_trainer(LAYERS, seed=2)

    def work(i):
        for _ in range(4):
            trainer.epoch(X, Y, np.arange(i, 5000))
            trainer.step(X[:200], Y[:200])
            trainer.predict(X[:50])
            trainer.set_state(trainer.state())
            (trainer if i % 2 else other).blend(other if i % 2 else trainer, 0.5)
            trainer.input_gradient(X[:3], Y[:3])
            tulle.Session(trainer.model()).predict(X[0])

    in_threads(4, work)
    assert np.isfinite(trainer.predict(X)).all()


def test_epochs_of_threads_come_one_after_the_other(make_trainer):
    together, alone = (make_trainer(LAYERS, learning_rate=1e-3) for _ in range(2))
    order = np.arange(4000)
    in_threads(4, lambda i: together.epoch(X, Y, order))
    for _ in range(4):
        alone.epoch(X, Y, order)
    assert together.state() == alone.state()


def test_python_goes_on_while_it_computes(make_trainer):
    trainer = make_trainer(LAYERS)
    done, ticks = threading.Event(), 0

    def work():
        for _ in range(10):
            trainer.epoch(X, Y)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        ticks += 1
        time.sleep(0.001)
    thread.join()
    assert ticks > 3


def test_arrays_may_change_while_they_are_read(make_trainer):
    """Numbers of any kind may come out, but nothing breaks: not even of an order whose rows change."""
    trainer = make_trainer(LAYERS, learning_rate=0)
    x, order = X.copy(), np.arange(ROWS)
    stop = threading.Event()

    def spoil():
        while not stop.is_set():
            x[:] = np.nan
            order[:] = 1 << 60
            order[:] = -1
            x[:] = X
            order[:] = np.arange(ROWS)

    thread = threading.Thread(target=spoil)
    thread.start()
    for _ in range(20):
        try:
            trainer.epoch(x, Y, order)
        except (ValueError, tulle.DivergedError):
            pass
        trainer.predict(x)
    stop.set()
    thread.join()


def test_the_last_reference_may_go_while_another_thread_waits():
    def work(i):
        trainer = tulle.Trainer(3, LAYERS, threads=2, seed=i)
        waiting = threading.Thread(target=trainer.epoch, args=(X, Y))
        waiting.start()
        trainer.epoch(X, Y)
        del trainer
        waiting.join()

    in_threads(2, work)


# --- Signals ---


class Alarm:
    """SIGALRM after so many seconds, which raises in the main thread; `sent` is when."""

    class Raised(Exception):
        pass

    def __init__(self, seconds, handler=None):
        self.seconds, self.handler = seconds, handler

    def __enter__(self):
        def handle(number, frame):
            self.sent = time.monotonic()
            if self.handler:
                return self.handler()
            raise Alarm.Raised

        self.before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(self, *unused):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def long_table():
    generator = np.random.default_rng(0)
    return tulle.Dataset(generator.normal(size=(30_000, 6)))


LARGE = [(512, "tanh"), (512, "tanh"), (2, "identity")]
CALLS = {
    "epoch": lambda: tulle.Trainer(3, LARGE).epoch(np.resize(X, (2_000_000, 3)), np.resize(Y, (2_000_000, 2))),
    "predict": lambda: tulle.Session(tulle.Trainer(3, LARGE).model()).predict(np.resize(X, (2_000_000, 3))),
    "loss": lambda: tulle.Trainer(3, LARGE).loss(np.resize(X, (2_000_000, 3)), np.resize(Y, (2_000_000, 2))),
    "train": lambda: tulle.train(long_table(), ["c5"], epochs=100_000),
}


def test_a_signal_ends_the_preparation_of_training():
    table = tulle.Dataset(np.random.default_rng(0).normal(size=(1_000_000, 12)))
    steps, ends = [], []
    with Alarm(0.1) as alarm, pytest.raises(Alarm.Raised):
        tulle.train(table, ["c5"], epochs=1, progress=steps.append, interrupted=ends.append)
    assert alarm.sent and not steps and not ends


@pytest.mark.parametrize("name", CALLS)
def test_a_signal_ends_a_long_call(name):
    with Alarm(0.7) as alarm, pytest.raises(Alarm.Raised):
        CALLS[name]()
    assert alarm.sent


def test_a_handler_must_not_come_back(make_trainer):
    trainer = make_trainer(LAYERS)
    x, y = np.resize(X, (2_000_000, 3)), np.resize(Y, (2_000_000, 2))
    with Alarm(0.2, lambda: trainer.predict(X)), pytest.raises(RuntimeError, match="a signal handler must not use it"):
        trainer.epoch(x, y)
    assert np.isfinite(trainer.predict(X)).all()


def test_a_handler_may_use_others(make_trainer):
    trainer, other, seen = make_trainer(LAYERS), make_trainer(LAYERS), []
    x, y = np.resize(X, (1_000_000, 3)), np.resize(Y, (1_000_000, 2))
    with Alarm(0.1, lambda: seen.append(other.predict(X))):
        trainer.epoch(x, y)
        time.sleep(0.2)
    assert len(seen) == 1


def test_interrupted_hands_over_what_was_raised():
    caught = []
    with Alarm(1.0):
        model = tulle.train(long_table(), ["c5"], epochs=100_000, number_bins=8, interrupted=caught.append)
    assert [type(error) for error in caught] == [Alarm.Raised]
    assert np.isfinite(tulle.Session(model).predict(np.zeros(5))).all()
    assert not model.info()["metrics"], "rows were looked at again"

    def refuse(error):
        raise ZeroDivisionError("mine") from error

    with Alarm(1.0), pytest.raises(ZeroDivisionError, match="mine"):
        tulle.train(long_table(), ["c5"], epochs=100_000, number_bins=8, interrupted=refuse)


def test_ctrl_c_stops_training(run_python):
    run_python(
        """
import os, signal, threading, time
import numpy as np, tulle
table = tulle.Dataset(np.random.default_rng(0).normal(size=(30000, 6)))
def press():
    global pressed
    pressed = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(1.0, press).start()
try:
    tulle.train(table, ["c5"], epochs=100000)
except KeyboardInterrupt:
    print("stopped", time.monotonic() - pressed)
"""
    ).startswith("stopped")


def test_waiting_for_another_thread_ends_with_a_signal(make_trainer):
    trainer = make_trainer(LAYERS)
    x, y = np.resize(X, (1_500_000, 3)), np.resize(Y, (1_500_000, 2))
    thread = threading.Thread(target=trainer.epoch, args=(x, y))
    thread.start()
    time.sleep(0.05)
    with Alarm(0.1), pytest.raises(Alarm.Raised):
        while thread.is_alive():
            trainer.predict(X[0])
        pytest.skip("the epoch was over before the signal came")
    thread.join()


# --- Processes ---


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_after_use():
    trainer = tulle.Trainer(3, LAYERS, threads=2, seed=1, batch_size=512)
    trainer.epoch(X, Y)
    session = tulle.Session(trainer.model(), threads=2)
    expected = session.predict(X)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            trainer.epoch(X, Y)
            status = 0 if (session.predict(X) == expected).all() else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(session.predict(X), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_while_another_thread_computes():
    """Its thread is not in the child, where nobody would ever let go of the object."""
    trainer = tulle.Trainer(3, LAYERS, threads=1)
    x, y = np.resize(X, (3_000_000, 3)), np.resize(Y, (3_000_000, 2))
    thread = threading.Thread(target=trainer.epoch, args=(x, y))
    thread.start()
    time.sleep(0.2)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            trainer.predict(X[0])
        except RuntimeError as error:
            status = 0 if "when the process forked" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()


def test_daemon_threads_at_the_end_of_a_process(run_python):
    run_python(
        """
import threading, time
import numpy as np, tulle
trainer = tulle.Trainer(3, [(64, "relu"), (1, "identity")], threads=1)
x, y = np.ones((3000000, 3), "f4"), np.ones((3000000, 1), "f4")
threading.Thread(target=trainer.epoch, args=(x, y), daemon=True).start()
time.sleep(0.1)
"""
    )


@pytest.mark.parametrize("statement", ["import tulle", "import tulle._core"])
def test_an_import_is_complete_in_any_thread(run_python, statement):
    run_python(
        f"""
import threading
def work():
    {statement}
    import tulle
    tulle.Trainer(2, [(1, "identity")])
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
"""
    )


@pytest.mark.skipif(sys.platform != "linux", reason="signals and file descriptors as Linux has them")
def test_the_command_is_in_the_package(run_python, tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n" + "".join(f"{i},{2 * i}\n" for i in range(50)))
    script = """
import runpy, sys, signal
before = signal.getsignal(signal.SIGINT)
sys.argv = ["tulle", *sys.argv[1:]]
try:
    runpy.run_module("tulle", run_name="__main__")
finally:
    assert signal.getsignal(signal.SIGINT) is before
"""
    assert "tulle" in run_python(script, "--version")
    run_python(script, "train", "table.csv", "--target", "b", "--epochs", "2", "--quiet", "-o", "m.tulle")
    model = tulle.Model.load(tmp_path / "m.tulle")
    assert model.info()["targets"][0]["name"] == "b"
    run_python(script, "train", "--no-such-option", status=2)
    run_python(script, "info", "missing.tulle", status=1)
