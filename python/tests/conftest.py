"""What the tests of the package share; and that there are more of them with TULLE_LONG in the environment."""

import collections
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import tulle

# A shell starts what it runs in the background with SIGINT ignored: what waits for Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

IS_LONG = "TULLE_LONG" in os.environ

# A loaded machine is no reason to fail; a run that fails is the same when it is repeated.
settings.register_profile(
    "tulle",
    deadline=None,
    derandomize=True,
    max_examples=2000 if IS_LONG else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tulle")


def pytest_collection_modifyitems(config, items):
    """Of a test that is marked `sampled(n)`, with many parameters, every n-th; of those that are named, the first."""
    kept, left_out, seen = [], [], collections.Counter()
    for item in items:
        mark = item.get_closest_marker("sampled")
        is_chosen = IS_LONG or mark is None or seen[item.originalname] % mark.args[0] == 0
        (kept if is_chosen else left_out).append(item)
        seen[item.originalname] += 1
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture
def make_trainer():
    """Makes trainers of 3 inputs and 2 outputs."""

    def make(layers=((8, "tanh"), (2, "identity")), **options):
        return tulle.Trainer(3, layers, **{"seed": 1, "threads": 1, "precision": "f64", **options})

    return make


@pytest.fixture
def table():
    """200 rows of three numbers, and a fourth that follows from them."""
    generator = np.random.default_rng(7)
    x = generator.normal(size=(200, 3))
    return tulle.Dataset(np.c_[x, x @ [1.0, -2.0, 0.5]], ["a", "b", "c", "y"])


@pytest.fixture
def run_python(tmp_path):
    """Runs a script in a process of its own, with the same package; returns its output, and fails where it does."""

    def run(script, *arguments, status=0):
        path = tmp_path / "script.py"
        path.write_text(script)
        package = pathlib.Path(tulle.__file__).parent.parent
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", path, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(package)},
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    return run
