"""Weights from scikit-learn, PyTorch and FANN, and models to ONNX and PyTorch: beside the source's own predictions."""

import ctypes
import ctypes.util

import numpy as np
import pytest

import tulle
from tulle import convert

pytestmark = pytest.mark.filterwarnings("ignore:.*Maximum iterations", "ignore::UserWarning")

GENERATOR = np.random.RandomState(0)
X = GENERATOR.normal(size=(300, 5))
X[:, 3] = X[:, 3].round()
Y = X[:, 0] - X[:, 1] ** 2 + X[:, 2]
CLASS = np.digitize(Y, [-1.0, 0.5])
GAPS = X.copy()
GAPS[::9, 1] = np.nan
MIXED = X.astype(object)
MIXED[:, 1] = np.where(X[:, 1] > 0, "up", "down")
MIXED[:, 2] = GENERATOR.choice(list("xyz"), len(X))
MIXED[:, 4] = GENERATOR.choice([f"town {i}" for i in range(30)], len(X))
MIXED[::7, 2] = None


def predicted(model, x):
    out = np.empty((len(x), model.info()["prediction_count"]))
    tulle.Session(model).predict(x, out)
    return out


# --- in ---


@pytest.mark.parametrize("settings", [{}, {"activation": "tanh", "hidden_layer_sizes": (7, 3)}, {"loss": "poisson"}])
def test_regressor_of_sklearn(settings):
    sklearn = pytest.importorskip("sklearn.neural_network")
    y = np.abs(Y)
    theirs = sklearn.MLPRegressor(max_iter=5, random_state=0, **settings).fit(X, y)
    ours = convert.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10)
    np.testing.assert_allclose(predicted(ours.model_, X)[:, 0], theirs.predict(X), rtol=1e-10)
    before = ours.score(X, y)
    assert ours.set_params(learning_rate_init=1e-4).partial_fit(X, y).score(X, y) >= before - 0.05


@pytest.mark.parametrize(
    "y", [CLASS, CLASS > 0, np.array(["a", "b", "c"])[CLASS], np.c_[Y > 0, X[:, 3] > 0].astype(int)]
)
def test_classifier_of_sklearn(y):
    sklearn = pytest.importorskip("sklearn.neural_network")
    theirs = sklearn.MLPClassifier(max_iter=5, random_state=0).fit(X.astype(np.float32), y)
    ours = convert.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-4, atol=1e-6)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    assert ours.coefs_[0].dtype == np.float32


def test_what_is_not_fitted():
    with pytest.raises(ValueError, match="fitted"):
        convert.from_sklearn(tulle.MLPRegressor())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequential_of_torch(dtype):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    kinds = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.SELU, nn.SiLU, nn.Mish, nn.GELU, nn.Softplus)
    modules = [*(kind() for kind in kinds), nn.GELU("tanh")]
    x = torch.from_numpy(X).to(getattr(torch, dtype))
    for activation in modules:
        inner = nn.Sequential(nn.Linear(8, 6, bias=False), nn.ReLU())
        net = nn.Sequential(nn.Linear(5, 8), activation, nn.Dropout(0.5), inner, nn.Linear(6, 2)).to(x.dtype).eval()
        model = convert.from_torch(net)
        expected = net(x).detach().numpy()
        np.testing.assert_allclose(predicted(model, X), expected, rtol=1e-4, atol=1e-5)
        if isinstance(activation, nn.ReLU):
            of_state = convert.from_torch(net.state_dict())
            np.testing.assert_array_equal(predicted(of_state, X), predicted(model, X))
    net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1)).to(x.dtype)
    np.testing.assert_allclose(predicted(convert.from_torch(net), X), net(x).detach().numpy(), rtol=1e-4, atol=1e-6)
    of_two = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid()).to(x.dtype)
    found = predicted(convert.from_torch(of_two), X)
    np.testing.assert_allclose(found[:, 1:], of_two(x).detach().numpy(), rtol=1e-4, atol=1e-6)


def test_what_is_not_of_torch():
    with pytest.raises(TypeError, match="needs an nn.Sequential or its state dict, got int"):
        convert.from_torch(3)


def test_what_torch_has_and_tulle_has_not():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    for net, message in (
        (nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)), "BatchNorm1d"),
        (nn.Sequential(nn.Linear(5, 3), nn.LeakyReLU(0.2), nn.Linear(3, 1)), "LeakyReLU"),
        (nn.Sequential(nn.ReLU(), nn.Linear(5, 3)), "first module"),
        (nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Tanh()), "expected Linear"),
        ({"0.weight": np.zeros((3, 2, 2))}, "2 axes"),
        ({}, "no weights"),
    ):
        with pytest.raises(ValueError, match=message):
            convert.from_torch(net)


@pytest.mark.parametrize("hidden, last", [(5, 0), (3, 3), (14, 5)])
def test_net_of_fann(hidden, last, tmp_path):
    """A file that libfann wrote, and what it predicts itself."""
    name = ctypes.util.find_library("doublefann")
    if name is None:
        pytest.skip("libdoublefann is not installed")
    fann = ctypes.CDLL(name)
    fann.fann_create_standard_array.restype = ctypes.c_void_p
    fann.fann_run.restype = ctypes.POINTER(ctypes.c_double)
    sizes = (ctypes.c_uint * 4)(5, 7, 4, 2)
    net = ctypes.c_void_p(fann.fann_create_standard_array(4, sizes))
    fann.fann_set_activation_function_hidden(net, hidden)
    fann.fann_set_activation_function_output(net, last)
    for layer, steepness in ((1, 0.5), (2, 0.25), (3, 1.0)):
        fann.fann_set_activation_steepness_layer(net, ctypes.c_double(steepness), layer)
    fann.fann_randomize_weights(net, ctypes.c_double(-0.8), ctypes.c_double(0.8))
    path = tmp_path / "made.net"
    assert fann.fann_save(net, str(path).encode()) == 0
    expected = []
    for row in X[:50]:
        out = fann.fann_run(net, (ctypes.c_double * 5)(*row))
        expected.append([out[0], out[1]])
    # the file has 21 digits of a weight
    np.testing.assert_allclose(predicted(convert.from_fann(path), X[:50]), expected, rtol=1e-6, atol=1e-9)
    fann.fann_destroy(net)


def test_what_is_no_file_of_fann(tmp_path):
    path = tmp_path / "bad.net"
    for text, message in (
        ("", "not a FANN file"),
        ("FANN_FIX_2.0\n", "not a FANN file"),
        ("FANN_FLO_2.1\nnum_layers=2\n", "no usable layer_sizes"),
        ("FANN_FLO_2.1\nlayer_sizes=2 2\nneurons (a)=(0, 0, 0) (0, 0, 0) (2, 9, 1) (0, 0, 0)\n"
         "connections (a)=(0, 1) (1, 1) \n", "activations"),
        ("FANN_FLO_2.1\nlayer_sizes=2 2\nneurons (a)=(0, 0, 0) (0, 0, 0) (2, 0, 1) (0, 0, 0)\n"
         "connections (a)=(1, 1) (0, 1) \n", "fully connected"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            convert.from_fann(path)


# --- out ---

MODELS = {
    **{f"sklearn, {name}": ("MLPRegressor", dict(activation=name), X, Y) for name in tulle._core.choices["activation"]},
    "f64": ("MLPRegressor", dict(precision="f64"), X, Y),
    "two classes": ("MLPClassifier", {}, X, Y > 0),
    "classes": ("MLPClassifier", {}, X, CLASS),
    "labels": ("MLPClassifier", {}, X, np.c_[Y > 0, X[:, 3] > 0].astype(int)),
    "counts": ("MLPRegressor", dict(loss="poisson"), X, Y**2),
    **{recipe: ("MLPRegressor", dict(recipe=recipe), GAPS, Y) for recipe in tulle._core.choices["recipe"]},
    **{f"{recipe}, classes": ("MLPClassifier", dict(recipe=recipe), GAPS, CLASS) for recipe in ("tabular", "realmlp")},
    "tabular, mixed": ("MLPRegressor", dict(recipe="tabular"), MIXED, Y),
    "realmlp, mixed": ("MLPRegressor", dict(recipe="realmlp"), MIXED, Y),
    "plain, mixed": ("MLPRegressor", dict(recipe="plain"), MIXED, Y),
    **{
        f"scaling {name}": ("MLPRegressor", dict(recipe="plain", settings={"scaling": name}), GAPS, Y)
        for name in tulle._core.choices["scaling"]
    },
    "quantiles": ("MLPRegressor", dict(recipe="plain", loss="quantile", quantile=[0.1, 0.5, 0.9]), GAPS, Y),
    "two targets": ("MLPRegressor", dict(recipe="plain"), GAPS, np.c_[Y, Y**2]),
    "amounts": ("MLPRegressor", dict(recipe="plain", loss="gamma"), GAPS, np.exp(Y)),
}  # fmt: skip


@pytest.fixture(params=MODELS)
def model_and_rows(request):
    """A model, and rows as its session takes them: in its precision, with what it does not know among them."""
    cls, settings, x, y = MODELS[request.param]
    precision = settings.get("precision", "f32")
    estimator = getattr(tulle, cls)(**{"max_iter": 4, "random_state": 0, "precision": precision, **settings}).fit(x, y)
    if estimator._trained is not None:
        from tulle._tables import columns_for, table_of

        trained = estimator._trained
        x = columns_for(table_of(x), trained.inputs, trained.names, trained.model.level).copy()
        x[:5, -1] = [np.nan, -1, 77, 0.5, 1e6]
    # values that f32 holds, so that what reads f32 reads the same
    return estimator.model_, x.astype(np.float32).astype(np.float64), np.float32 if precision == "f32" else np.float64


def assert_near(found, expected):
    scale = np.abs(expected).max(axis=0) + 1e-3
    np.testing.assert_allclose(found / scale, expected / scale, atol=2e-5)


def test_onnx(model_and_rows, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, x, dtype = model_and_rows
    path = tmp_path / "model.onnx"
    convert.to_onnx(model, path)
    session = runtime.InferenceSession(str(path))
    assert_near(session.run(["y"], {"x": x.astype(dtype)})[0], predicted(model, x))


def test_torch(model_and_rows):
    torch = pytest.importorskip("torch")
    model, x, dtype = model_and_rows
    net = convert.to_torch(model)
    found = net(torch.from_numpy(x.astype(dtype)))
    assert_near(found.detach().numpy(), predicted(model, x))
    found.sum().backward()
    assert all(one.grad is not None for one in net.parameters())


def test_there_and_back():
    torch = pytest.importorskip("torch")
    model = tulle.MLPRegressor(max_iter=3, random_state=0).fit(X, Y).model_
    net = convert.to_torch(model)
    linear = torch.nn.Sequential(*[one for one in net if type(one).__module__.startswith("torch.")])
    np.testing.assert_allclose(predicted(convert.from_torch(linear), X), predicted(model, X), rtol=1e-12)
