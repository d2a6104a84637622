#!/usr/bin/env python3
"""What PyTorch and scikit-learn make of a small network, in double precision: the vectors that
test_parity.c holds Tulle against. README.md beside this file says what stands in them.

    make_vectors.py             writes the *.json beside this file
    make_vectors.py --check     says instead whether they hold what the packages compute now

Exits with 77 (skipped) where neither package can be imported; with one, its files alone are made.
PyTorch must be 2.1 or later, scikit-learn 1.7.
"""
import argparse
import copy
import json
import pathlib
import platform
import random
import sys

try:
    import numpy as np
    import torch
    from torch.nn import functional as F
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn  # 2.1

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    import numpy as np
    import sklearn
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if tuple(int(part) for part in sklearn.__version__.split(".")[:2]) < (1, 7):
        raise ImportError("no row weights yet")
except ImportError:
    sklearn = None

HERE = pathlib.Path(__file__).resolve().parent
ROWS, INPUTS, UNITS = 9, 4, (9, 2, 6)  # a layer wider than a vector of 8, one narrower, 6 outputs
OUTPUTS = UNITS[-1]
USUAL = ["tanh", "gelu", "identity"]
ROW_WEIGHTS = [0.5, 2, 0, 1, 1.5, 0.25, 3, 1, 0.75]  # of mean 10 / 9: means divide by rows, not by it
MEAN_ONE_WEIGHTS = [0.5, 2, 0, 1, 1.5, 0.25, 1.75, 1, 1]
CLASSES = [0, 5, 2, 2, 4, 1, 3, 0, 4]
TOLERANCE = 1e-13  # of --check: packages may sum in another order elsewhere
KINK_MARGIN = 1e-3  # no z, and no error, is so near to where a derivative jumps

# --- Numbers that f32 holds exactly ---------------------------------------------------------------


def grid(rng, rows, columns, bound, step=1 / 128):
    """(rows, columns) multiples of step in [-bound, bound)."""
    return [[int((2 * rng.random() - 1) * bound / step) * step for _ in range(columns)] for _ in range(rows)]


def starting_layers(rng):
    layers = []
    for inputs, units in zip((INPUTS,) + UNITS, UNITS):
        layers.append({"weights": grid(rng, units, inputs, 1.5 * inputs**-0.5), "biases": grid(rng, 1, units, 0.5)[0]})
    return layers


def make_data():
    """What the cases of a file share."""
    rng = random.Random(20)
    x, layers = grid(rng, ROWS, INPUTS, 2), starting_layers(rng)
    numbers = grid(rng, ROWS, OUTPUTS, 1.5)
    targets = {
        "numbers": numbers,
        "two": [row[:2] for row in numbers],
        "counts": [[int(4 * rng.random()) for _ in range(OUTPUTS)] for _ in range(ROWS)],
        "positive": [[abs(v) + 0.125 for v in row] for row in numbers],
        "yes_or_no": [[int(v > 0) for v in row] for row in numbers],
        "class": [[c] for c in CLASSES],
    }
    return {"x": x, "targets": targets, "start": {"layers": layers}}


# --- PyTorch: network, losses, optimisers ---------------------------------------------------------


def activations():
    return {
        "identity": lambda z: z,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "tanh": torch.tanh,
        "logistic": torch.sigmoid,
        "elu": F.elu,
        "selu": F.selu,
        "silu": F.silu,
        "mish": F.mish,
        "gelu": F.gelu,
        "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
        "softplus": F.softplus,
        "sine": torch.sin,
    }


def quantile(o, y, options):
    q = torch.tensor(options.get("quantiles", [0.5]))
    d = (y[:, :, None] - o.reshape(len(o), -1, len(q))).reshape(len(o), -1)
    q = q.repeat(o.shape[1] // len(q))
    return torch.maximum(q * d, (q - 1) * d)


def losses():
    """name -> the loss of each row and output whose sum over outputs is differentiated."""
    none = {"reduction": "none"}
    return {
        "mse": lambda o, y, _: F.mse_loss(o, y, **none) / 2,
        "mae": lambda o, y, _: F.l1_loss(o, y, **none),
        "huber": lambda o, y, options: F.huber_loss(o, y, delta=options.get("huber_delta", 1), **none),
        "quantile": quantile,
        "poisson": lambda o, y, _: F.poisson_nll_loss(o, y, log_input=True, **none),
        "gamma": lambda o, y, _: o + y * torch.exp(-o),
        "binary_cross_entropy": lambda o, y, options: F.binary_cross_entropy_with_logits(
            o, y * (1 - options.get("label_smoothing", 0)) + options.get("label_smoothing", 0) / 2, **none
        ),
        "cross_entropy": lambda o, y, options: F.cross_entropy(
            o, y[:, 0].long(), label_smoothing=options.get("label_smoothing", 0), **none
        )[:, None],
    }


if torch:

    class Network(torch.nn.Module):
        def __init__(self, names, start):
            super().__init__()
            own = lambda values: torch.nn.Parameter(torch.tensor(values))
            self.names = names
            self.weights = torch.nn.ParameterList(own(layer["weights"]) for layer in start["layers"])
            self.biases = torch.nn.ParameterList(own(layer["biases"]) for layer in start["layers"])
            self.mixes = torch.nn.ParameterDict(
                {str(i): own(layer["mix"]) for i, layer in enumerate(start["layers"]) if "mix" in layer}
            )
            self.tables = torch.nn.ParameterList(own(table) for table in start.get("embeddings", []))
            self.sums = []  # of the last forward pass, z of each layer

        def forward(self, x):
            numbers = x.shape[1] - len(self.tables)
            vectors = [F.embedding(x[:, numbers + e].long(), table) for e, table in enumerate(self.tables)]
            h, self.sums = torch.cat([x[:, :numbers]] + vectors, dim=1), []
            for i, name in enumerate(self.names):
                z = F.linear(h, self.weights[i], self.biases[i])
                h = activations()[name](z)
                if str(i) in self.mixes:
                    h = z + self.mixes[str(i)] * (h - z)
                self.sums.append(z.detach())
            return h

        def groups(self):
            """Biases have a learning rate and a weight decay of their own."""
            return [*self.weights, *self.tables, *self.mixes.values()], self.biases

        def state(self):
            layers = [{"weights": w.tolist(), "biases": b.tolist()} for w, b in zip(self.weights, self.biases)]
            for i, mix in self.mixes.items():
                layers[int(i)]["mix"] = mix.tolist()
            tables = [table.tolist() for table in self.tables]
            return {"layers": layers, **({"embeddings": tables} if tables else {})}


def optimizer_of(network, options):
    rate, decay = options["learning_rate"], options.get("weight_decay", 0)
    weights, biases = network.groups()
    groups = [
        {"params": weights},
        {
            "params": biases,
            "lr": rate * options.get("bias_learning_rate", 1),
            "weight_decay": decay * options.get("bias_weight_decay", 0),
        },
    ]
    common = {"lr": rate, "weight_decay": decay}
    beta2, epsilon = options.get("beta2", 0.999), options.get("epsilon", 1e-8)
    name = options.get("optimizer", "sgd")
    if name in ("sgd", "nesterov"):
        return torch.optim.SGD(groups, momentum=options.get("momentum", 0), nesterov=name == "nesterov", **common)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, alpha=beta2, eps=epsilon, **common)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    return kind(groups, betas=(options.get("beta1", 0.9), beta2), eps=epsilon, **common)


def clip(network, limit):
    """As clip_grad_norm_, without the 1e-6 that it adds to the norm."""
    gradients = [p.grad for group in network.groups() for p in group]
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients]))
    for g in gradients:
        g *= min(1, limit / norm)


def away_from_kinks(case, network, outputs, y):
    """Whether rounding cannot push a sum or an error over a jump of a derivative."""
    kinked = [z for name, z in zip(case["activations"], network.sums) if name in ("relu", "leaky_relu")]
    loss, errors = case["options"].get("loss", "mse"), outputs.detach()
    if loss in ("mae", "quantile"):
        width = y.shape[1]
        kinked.append(errors.reshape(ROWS, width, -1) - y[:, :, None])
    if loss == "huber":
        kinked.append((errors - y).abs() - case["options"].get("huber_delta", 1))
    return all(z.abs().min() > KINK_MARGIN for z in kinked)


def run_torch(case, shared, after):
    """Fills in case["losses"], those before each step, and case["after"], where it then stands after
    so many steps: at 0 and where there is an average the outputs, else the parameters."""
    options, start = case["options"], case.get("start", shared["start"])
    x = torch.tensor(case.get("x", shared["x"])).double()
    y = torch.tensor(shared["targets"][case["targets"]]).double()
    weights = torch.tensor(case.get("row_weights", [1.0] * ROWS))
    network = Network(case["activations"], start)
    optimizer = optimizer_of(network, options)
    average = options.get("averaging", 0)
    shadow = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(average))
    shadow.update_parameters(network)  # the first one copies
    loss_name = options.get("loss", "mse")
    case["losses"], case["after"] = [], []
    for step in range(max(after) + 1):
        if step in after:
            where = {"steps": step}
            if step > 0:
                where["parameters"] = network.state()
            if step == 0 or average:
                where["outputs"] = (shadow if average else network)(x).tolist()
            case["after"].append(where)
        if step == max(after):
            return
        outputs = network(x)
        terms = losses()[loss_name](outputs, y, options) * weights[:, None]
        assert away_from_kinks(case, network, outputs, y), case["name"]
        reported = terms.mean().item() * (2 if loss_name == "mse" else 1)
        case["losses"].append(reported)
        optimizer.zero_grad()
        (terms.sum() / ROWS).backward()
        if options.get("clip_norm", 0) > 0:
            clip(network, options["clip_norm"])
        optimizer.step()
        shadow.update_parameters(network)


# --- The cases ------------------------------------------------------------------------------------


def new_case(name, targets, options, names=USUAL, **rest):
    return {"name": name, "options": options, "activations": names, "targets": targets, **rest}


def optimizer_cases(_start):
    kinds = {
        "sgd": {"optimizer": "sgd", "learning_rate": 0.1},
        "momentum": {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "nesterov": {"optimizer": "nesterov", "learning_rate": 0.1, "momentum": 0.9},
        "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.01, "beta2": 0.99},
        "adam": {"optimizer": "adam", "learning_rate": 0.01},
        "adamw": {"optimizer": "adamw", "learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6},
    }
    extras = {
        "": {},
        ", weight decay": {"weight_decay": 0.25},
        ", clipped": {"clip_norm": 0.5},
        ", clipped and weight decay": {"clip_norm": 0.5, "weight_decay": 0.25},
    }
    for kind, options in kinds.items():
        for extra, more in extras.items():
            yield new_case(kind + extra, "numbers", {**options, **more}), [3] if "clip_norm" in more else [1, 3]


def loss_cases(_start):
    kinds = [
        ("mse", "numbers", {}),
        ("mae", "numbers", {}),
        ("huber", "numbers", {}),
        ("huber", "numbers", {"huber_delta": 0.25}),
        ("quantile", "two", {"quantiles": [0.125, 0.5, 0.9]}),
        ("quantile", "numbers", {}),
        ("poisson", "counts", {}),
        ("gamma", "positive", {}),
        ("binary_cross_entropy", "yes_or_no", {}),
        ("binary_cross_entropy", "yes_or_no", {"label_smoothing": 0.125}),
        ("cross_entropy", "class", {}),
        ("cross_entropy", "class", {"label_smoothing": 0.125}),
    ]
    for loss, targets, more in kinds:
        options = {"loss": loss, "learning_rate": 0.25, **more}
        name = ", ".join([loss] + [f"{key} {value}" for key, value in more.items()])
        yield new_case(name, targets, options), [1]
        if not more:
            yield new_case(name + ", row weights", targets, options, row_weights=ROW_WEIGHTS), [1]


def activation_cases(_start):
    for name in activations():
        yield new_case(name, "numbers", {"learning_rate": 0.25}, [name] * len(UNITS)), [0, 1]


def structure_cases(start):
    rng = random.Random(21)
    sgd = {"learning_rate": 0.25, "weight_decay": 0.25}
    adam = {"optimizer": "adam", "learning_rate": 0.01}

    embeddings = [{"levels": 4, "dimensions": 2}, {"levels": 3, "dimensions": 1}]
    tables = [grid(rng, e["levels"] + 1, e["dimensions"], 0.5) for e in embeddings]
    # 0 is none of the levels; level 2 of the second never comes.
    levels = [(0, 3), (1, 0), (2, 1), (3, 1), (4, 3), (4, 0), (1, 0), (1, 1), (0, 3)]
    x = [row + [*pair] for row, pair in zip(grid(rng, ROWS, 1, 2), levels)]
    embedded = {"embeddings": embeddings, "x": x, "start": {**start, "embeddings": tables}}
    yield new_case("embeddings, sgd", "numbers", sgd, **embedded), [0, 1]
    yield new_case("embeddings, adam", "numbers", adam, **embedded), [3]

    mixed = copy.deepcopy(start)
    for layer in mixed["layers"]:
        layer["mix"] = [abs(v) for v in grid(rng, 1, len(layer["biases"]), 1.5)[0]]
    for names in (["relu", "gelu", "tanh"], ["mish", "sine", "softplus"]):
        yield new_case("parametric " + ", ".join(names), "numbers", sgd, names, start=mixed), [0, 1]
    yield new_case("parametric, adam", "numbers", adam, ["silu", "tanh", "identity"], start=mixed), [3]

    yield new_case("averaging", "numbers", {**adam, "averaging": 0.75}), [3]
    yield new_case("norm below clip_norm", "numbers", {**sgd, "clip_norm": 1000}), [1]
    apart = {"learning_rate": 0.02, "weight_decay": 0.25, "bias_learning_rate": 0.5, "bias_weight_decay": 0.25}
    for optimizer in ("sgd", "adam", "adamw"):
        yield new_case(optimizer + ", biases apart", "numbers", {"optimizer": optimizer, **apart}), [3]


# --- scikit-learn ---------------------------------------------------------------------------------


def sklearn_cases(_start):
    """Its adam adds epsilon before the bias correction, ours behind it: the same for one step with
    epsilon / sqrt(1 - beta2). It adds alpha w / rows to the gradients: our weight_decay."""
    tasks = [  # and what makes our loss of theirs
        ("mse", "numbers", MLPRegressor, {}, 2),
        ("poisson", "counts", MLPRegressor, {"loss": "poisson"}, None),
        ("binary_cross_entropy", "yes_or_no", MLPClassifier, {}, 1 / OUTPUTS),
        ("cross_entropy", "class", MLPClassifier, {}, 1),
    ]
    sgd = (
        {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.9},
        {"optimizer": "nesterov", "learning_rate": 0.1, "momentum": 0.9},
        3,
    )
    adam = (
        {"solver": "adam", "learning_rate_init": 0.01},
        {"optimizer": "adam", "learning_rate": 0.01, "epsilon": 1e-8 / (1 - 0.999) ** 0.5},
        1,
    )
    variants = [
        ("", sgd, 0, {}),
        ("", adam, 0, {}),
        (", alpha", sgd, 1.5, {}),
        (", alpha", adam, 1.5, {}),
        (", row weights", adam, 0, {"row_weights": MEAN_ONE_WEIGHTS}),
    ]
    for loss, targets, kind, parameters, factor in tasks:
        for variant, (theirs, ours, steps), alpha, more in variants:
            name = f"{kind.__name__}, {loss}, {theirs['solver']}{variant}"
            options = {"loss": loss, **ours, **({"weight_decay": alpha / ROWS} if alpha else {})}
            estimator = kind(
                hidden_layer_sizes=UNITS[:-1], activation="tanh", alpha=alpha, shuffle=False, **parameters, **theirs
            )
            how = {"estimator": estimator, "factor": None if alpha else factor, "steps": steps}
            yield new_case(name, targets, options, ["tanh", "tanh", "identity"], **more), how


def run_sklearn(case, shared, how):
    """As run_torch; the losses only where a factor makes ours of theirs."""
    estimator = how["estimator"]
    layers = iter(shared["start"]["layers"])

    def given(_inputs, _units, _dtype):
        layer = next(layers)
        return np.array(layer["weights"]).T.copy(), np.array(layer["biases"])

    estimator._init_coef = given
    y = np.array(shared["targets"][case["targets"]])
    if y.shape[1] == 1:
        y = y[:, 0]
    first = {"classes": np.arange(OUTPUTS)} if isinstance(estimator, MLPClassifier) else {}
    case["losses"] = []
    for step in range(how["steps"]):
        more = first if step == 0 else {}
        estimator.partial_fit(shared["x"], y, sample_weight=case.get("row_weights"), **more)
        if how["factor"]:
            case["losses"].append(estimator.loss_ * how["factor"])
    state = [{"weights": w.T.tolist(), "biases": b.tolist()} for w, b in zip(estimator.coefs_, estimator.intercepts_)]
    case["after"] = [{"steps": how["steps"], "parameters": {"layers": state}}]


# --- Files ----------------------------------------------------------------------------------------


def make_files():
    """name -> content, of those whose package is here."""
    files = {}

    def add(name, package, about, run, cases):
        made_by = f"{package}, NumPy {np.__version__}, Python {platform.python_version()}"
        shared = make_data()
        content = {"about": about, "made_by": made_by, **shared, "cases": []}
        for case, how in cases(shared["start"]):
            run(case, shared, how)
            content["cases"].append(case)
        files[name] = content

    if torch:
        by = "PyTorch " + torch.__version__
        add("optimizers.json", by, "one and three steps of every optimiser", run_torch, optimizer_cases)
        add("losses.json", by, "one step on every loss", run_torch, loss_cases)
        add("activations.json", by, "one step through every activation", run_torch, activation_cases)
        add("structure.json", by, "embeddings, mixes, averages, biases apart", run_torch, structure_cases)
    if sklearn:
        by = "scikit-learn " + sklearn.__version__
        add("sklearn.json", by, "partial_fit of MLPRegressor and MLPClassifier", run_sklearn, sklearn_cases)
    return files


def to_text(value, indent=""):
    """JSON with a row of numbers a line."""
    if isinstance(value, dict):
        inside = ",\n".join(f"{indent} {json.dumps(k)}: {to_text(v, indent + ' ')}" for k, v in value.items())
        return "{\n" + inside + "\n" + indent + "}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        inside = ",\n".join(f"{indent} {to_text(v, indent + ' ')}" for v in value)
        return "[\n" + inside + "\n" + indent + "]"
    return json.dumps(value, separators=(",", ":"))  # numbers as their shortest exact text, <= 17 digits


def is_tensor(value):
    """Whether it is a list of numbers, or of such lists."""
    rows = value if value and isinstance(value[0], list) else [value]
    return all(isinstance(number, (int, float)) for row in rows for number in row)


def differences(path, stored, found):
    """Yields where two contents differ by more than rounding; tensors as a whole."""
    if type(stored) is not type(found):
        yield path
    elif isinstance(found, dict):
        for key in sorted((stored.keys() | found.keys()) - {"made_by"}):
            yield from differences(f"{path}/{key}", stored.get(key), found.get(key))
    elif isinstance(found, list) and len(stored) == len(found) and not is_tensor(found):
        for i, (a, b) in enumerate(zip(stored, found)):
            name = b.get("name", i) if isinstance(b, dict) else i
            yield from differences(f"{path}/{name}", a, b)
    elif isinstance(found, list) and is_tensor(stored):
        a, b = np.array(stored), np.array(found)
        if a.shape != b.shape or np.abs(a - b).max(initial=0) > TOLERANCE * np.abs(b).max(initial=0):
            yield path
    elif stored != found:
        yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    files, wrong = make_files(), []
    if not files:
        print("skipped: neither PyTorch nor scikit-learn can be imported")
        return 77
    for name, content in files.items():
        if check:
            wrong += differences(name, json.loads((HERE / name).read_text()), content)
        else:
            (HERE / name).write_text(to_text(content) + "\n")
    for path in wrong:
        print(f"{path}: not what {files[path.split('/')[0]]['made_by']} computes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
