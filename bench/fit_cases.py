"""The cases of fit.py: tables and settings, and what is timed."""

import time
from dataclasses import dataclass, field

import numpy as np

GROUPS = {
    "defaults": "fit at scikit-learn's defaults, an epoch",
    "settings": "fit with one setting changed, an epoch",
    "tables": "fit at the defaults on tables of other sizes, an epoch",
    "calls": "calls",
}


@dataclass
class Case:
    """What is done with which table: `source` is a name of table, or (rows, inputs, classes), 0 for a number."""

    group: str
    source: object
    do: str = "fit"
    rows: int = 0  # of a call of predict or partial_fit
    settings: dict = field(default_factory=dict)
    first: int = 2  # epochs or calls at least
    most: int = 100_000

    @property
    def kind(self):
        is_numeric = self.source in ("california", "diabetes") if isinstance(self.source, str) else self.source[2] == 0
        return "regression" if is_numeric else "classification"

    def data(self, folder, precision):
        x, y = named(folder, self.source) if isinstance(self.source, str) else made(*self.source)
        return np.ascontiguousarray(x, dtype={"f32": np.float32, "f64": np.float64}[precision]), y

    def run(self, data, estimator, extra, task):
        """Seconds of `count` epochs or calls, and the losses."""
        x, y = data
        count = task["count"]
        settings = {"random_state": 0, "tol": 0.0, "n_iter_no_change": 10**9} | self.settings | extra
        if self.do == "fit":
            model = estimator(**settings, max_iter=count)
            times = stopped(lambda: model.fit(x, y))
            losses = model.loss_curve_ if self.settings.get("solver") != "lbfgs" else []
            return times | {"losses": [float(loss) for loss in losses]}
        if self.do == "partial_fit":
            return self.run_partial_fit(x, y, estimator(**settings), count)
        model = estimator(**settings, max_iter=1).fit(x[:1000], y[:1000])
        call, rows = getattr(model, self.do), x[: self.rows]
        call(rows)
        return stopped(lambda: [call(rows) is None for _ in range(count)]) | {"losses": []}

    def run_partial_fit(self, x, y, model, count):
        options = {"classes": np.unique(y)} if self.kind == "classification" else {}
        model.partial_fit(x[: self.rows], y[: self.rows], **options)
        parts = len(x) // self.rows

        def loop():
            for number in range(count):
                rows = slice(number % parts * self.rows, (number % parts + 1) * self.rows)
                model.partial_fit(x[rows], y[rows])

        return stopped(loop) | {"losses": [float(loss) for loss in model.loss_curve_]}


def stopped(function):
    """The time that it took, and that of the CPUs."""
    seconds, cpu = time.perf_counter(), time.process_time()
    function()
    return {"seconds": time.perf_counter() - seconds, "cpu": time.process_time() - cpu}


def named(folder, name):
    """A table of ours, its inputs standardised, or one of scikit-learn's."""
    if name in ("letter", "california"):
        file = folder / f"{name}.csv"
        cells = np.genfromtxt(file if file.is_file() else f"{file}.gz", delimiter=",", dtype=str, skip_header=1)
        x, y = cells[:, :-2].astype(float), cells[:, -2]
        y = y.astype(float) if name == "california" else y
    else:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12), y


def made(rows, inputs, classes):
    """A table that a smooth function of some of its columns made."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((rows, inputs))
    hidden = np.tanh(x[:, : min(inputs, 20)] @ generator.standard_normal((min(inputs, 20), 8)))
    y = hidden @ generator.standard_normal(8) + 0.3 * generator.standard_normal(rows)
    return x, np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1])) if classes else y


SETTINGS = {
    "hidden (10,)": {"hidden_layer_sizes": (10,)},
    "hidden (64, 64)": {"hidden_layer_sizes": (64, 64)},
    "hidden (256, 256)": {"hidden_layer_sizes": (256, 256)},
    "batch 32": {"batch_size": 32},
    "batch 2000": {"batch_size": 2000},
    "full batch": {"batch_size": 20000},
    "hidden (256, 256), batch 2000": {"hidden_layer_sizes": (256, 256), "batch_size": 2000},
    "sgd": {"solver": "sgd"},
    "tanh": {"activation": "tanh"},
    "logistic": {"activation": "logistic"},
    "early stopping": {"early_stopping": True},
}

CASES = {
    "letter, 20,000 x 16": Case("defaults", "letter", first=20),
    "california, 20,640 x 8": Case("defaults", "california", first=20),
}
CASES |= {
    f"{table}, {name}": Case("settings", table, settings=settings)
    for table in ("letter", "california")
    for name, settings in SETTINGS.items()
    if table == "letter" or name not in ("tanh", "logistic", "hidden (64, 64)")
}
CASES |= {
    "iris, 150 x 4": Case("tables", "iris", most=200),
    "wine, 178 x 13": Case("tables", "wine", most=200),
    "diabetes, 442 x 10": Case("tables", "diabetes", most=200),
    "4,000 x 16, 10 classes, hidden (512, 512, 512)": Case(
        "settings", (4000, 16, 10), settings={"hidden_layer_sizes": (512, 512, 512)}, first=1
    ),
    "iris, lbfgs": Case("settings", "iris", settings={"solver": "lbfgs"}, most=200),
    "2,000 x 100, lbfgs": Case("settings", (2000, 100, 0), settings={"solver": "lbfgs"}, most=200),
    "letter, lbfgs": Case("settings", "letter", settings={"solver": "lbfgs"}, most=200),
}
CASES |= {
    f"{rows:,} x {inputs}, {f'{classes} classes' if classes else 'a number'}": Case("tables", (rows, inputs, classes))
    for rows, inputs, classes in (
        (2000, 4, 0), (2000, 100, 2), (2000, 784, 10), (20000, 784, 10), (100000, 4, 0), (100000, 100, 10),
    )
}  # fmt: skip
CASES |= {
    f"{table}, {do}, {rows:,} rows": Case("calls", table, do=do, rows=rows, first=1)
    for table, do in (("letter", "predict"), ("letter", "predict_proba"), ("california", "predict"))
    for rows in (1, 1000, 20000)
}
CASES["100,000 x 100, predict"] = Case("calls", (100000, 100, 10), do="predict", rows=100000, first=1)
CASES |= {
    f"{table}, partial_fit, {rows} rows": Case("calls", table, do="partial_fit", rows=rows, first=5)
    for table in ("letter", "california")
    for rows in (1, 32, 200, 2000)
}
