"""scikit-learn's own tests of its MLPs, from the package that is installed, with our classes in their place."""

import importlib.util

import pytest

import tulle

pytest.importorskip("sklearn", minversion="1.8")  # before, some messages were others
pytest.importorskip("sklearn.neural_network.tests.test_mlp")
theirs = pytest.importorskip("sklearn.neural_network")

# What cannot pass, and why.
EXCEPTIONS = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; the C tests compare gradients with differences",
    "test_learning_rate_warmstart": "reads the private _optimizer, and learning_rate_init, which is 'auto' here",
}


def substituted_suite():
    """The module of tests, loaded anew with our classes."""
    originals = {name: getattr(theirs, name) for name in ("MLPClassifier", "MLPRegressor")}
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    module = importlib.util.module_from_spec(spec)
    try:
        for name in originals:
            setattr(theirs, name, getattr(tulle, name))
        spec.loader.exec_module(module)
    finally:
        for name, cls in originals.items():
            setattr(theirs, name, cls)
    return module


@pytest.fixture
def global_random_seed():
    return 42


suite = substituted_suite()
for name, test in vars(suite).items():
    if name.startswith("test_"):
        globals()[name] = pytest.mark.skip(reason=EXCEPTIONS[name])(test) if name in EXCEPTIONS else test


def test_substitution():
    assert suite.MLPClassifier is tulle.MLPClassifier
    assert suite.MLPRegressor is tulle.MLPRegressor
    assert theirs.MLPClassifier is not tulle.MLPClassifier
    assert all(hasattr(suite, name) for name in EXCEPTIONS)
