"""The estimators where scikit-learn, SciPy and pandas are not installed; and what `import tulle` loads."""

import subprocess
import sys

import pytest

BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is not installed")

sys.meta_path.insert(0, Blocker())
"""

PROGRAM = """
import pickle
import warnings
import numpy as np
import tulle
from tulle import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore")
X = np.random.RandomState(0).normal(size=(200, 3))
y = X[:, 0] + X[:, 1] ** 2
for recipe in ("sklearn", "plain", "tabular"):
    model = MLPRegressor(recipe=recipe, max_iter=60, random_state=0)
    assert model.get_params()["recipe"] == recipe
    assert "max_iter=60" in repr(model)
    try:
        model.predict(X)
    except (ValueError, AttributeError) as error:
        assert "not fitted" in str(error)
    assert model.fit(X, y).score(X, y) > 0.2, model.score(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert "<svg" in model._repr_html_()
    model = MLPClassifier(recipe=recipe, random_state=0).set_params(max_iter=30).fit(X, np.where(y > 1, "b", "a"))
    assert list(model.classes_) == ["a", "b"]
    assert model.score(X, np.where(y > 1, "b", "a")) > 0.6, model.score(X, y)
    for bad in (X[0], X[:, :2], X[:0]):
        try:
            model.predict(bad)
        except ValueError as error:
            assert str(error)
        else:
            raise AssertionError(bad.shape)
model = MLPClassifier(early_stopping=True, random_state=0, max_iter=30).fit(X, y > 1)
assert len(model.validation_scores_) == model.n_iter_
try:
    MLPRegressor(solver="lbfgs").fit(X, y)
except ImportError as error:
    assert "SciPy" in str(error)
else:
    raise AssertionError
try:
    model.set_params(alhpa=1)
except ValueError as error:
    assert "alhpa" in str(error)
print("okay")
"""

BITS = """
import warnings
import numpy as np
import tulle

warnings.simplefilter("ignore")
X = np.random.RandomState(0).normal(size=(200, 3))
y = np.digitize(X[:, 0] + X[:, 1] ** 2, [0.5])
for settings in ({}, {"early_stopping": True}, {"recipe": "plain"}):
    print(tulle.MLPClassifier(random_state=1, max_iter=8, **settings).fit(X, y).loss_curve_)
"""


def run(program, blocked=()):
    code = BLOCKER.format(blocked=set(blocked)) + program if blocked else program
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_estimators():
    assert "okay" in run(PROGRAM, ["sklearn", "scipy", "pandas", "joblib"])


def test_same_bits_with_sklearn():
    pytest.importorskip("sklearn")
    assert run(BITS) == run(BITS, ["sklearn", "scipy"])


def test_what_is_loaded():
    loaded = run("import numpy, sys; before = set(sys.modules); import tulle; print(sorted(set(sys.modules) - before))")
    for name in ("sklearn", "scipy", "pandas", "tulle.regressor"):
        assert f"'{name}'" not in loaded
    pytest.importorskip("sklearn")
    assert "True" in run("import sys, tulle; tulle.MLPRegressor; print('sklearn' in sys.modules)")
