"""worker.py PEER - one Python package at work for compare.py, as peer.h describes: one task at a
time on stdin, its seconds on stdout. THREADS=N in the environment: at most that many.

Every peer does the same: the reference network 100-128-256-1, relu, squared error, plain SGD. What
is timed is what its users would call.
"""
import os
import sys
import time
import warnings

import numpy as np

INPUTS, HIDDEN, OUTPUTS = 100, (128, 256), 1
WIDTHS = (INPUTS, *HIDDEN, OUTPUTS)
RATE = 1e-6  # the same rows, many thousand times
THREADS = int(os.environ.get("THREADS", "0")) or os.cpu_count()
TYPES = {"f32": np.float32, "f64": np.float64}
ROWS = 512  # to choose from, where they are predicted one by one


def data(rows, dtype):
    random = np.random.default_rng(0)
    return random.random((rows, INPUTS), dtype), random.random((rows, OUTPUTS), dtype)


def weights(dtype):
    random = np.random.default_rng(0)
    return [
        (random.uniform(-1, 1, (units, inputs)) / np.sqrt(inputs)).astype(dtype)
        for inputs, units in zip(WIDTHS, WIDTHS[1:])
    ]


def one_by_one(predict, rows):
    """A run that predicts another row each time."""
    at = 0

    def run():
        nonlocal at
        predict(rows[at])
        at = (at + 1) % len(rows)

    return run


class NumPy:
    """The notebook's own step, as tests/notebook_check.py has it."""

    def version(self):
        return np.__version__

    def network(self, dtype):
        w = weights(dtype)
        b = [np.zeros((units, 1), dtype) for units in WIDTHS[1:]]

        def forward(s):
            o1 = w[0] @ s.T + b[0]
            g1 = np.maximum(0, o1)
            o2 = w[1] @ g1 + b[1]
            g2 = np.maximum(0, o2)
            return o1, g1, o2, g2, w[2] @ g2 + b[2]

        return w, b, forward

    def step(self, rows, dtype):
        w, b, forward = self.network(dtype)
        s, y = data(rows, dtype)
        t = y.T

        def run():
            o1, g1, o2, g2, o3 = forward(s)
            d3 = o3 - t
            d2 = (w[2].T @ d3) * (o2 >= 0)
            d1 = (w[1].T @ d2) * (o1 >= 0)
            for layer, (d, g) in enumerate(((d1, s), (d2, g1.T), (d3, g2.T))):
                w[layer] -= RATE * (d @ g)
                b[layer] -= RATE * d.mean(axis=1, keepdims=True)

        return run

    def predict(self, dtype):
        forward = self.network(dtype)[2]
        return lambda x: forward(x)[-1]


class ScikitLearn:
    """MLPRegressor.fit() with warm_start, one epoch over many batches, not shuffled; per batch."""

    def __init__(self):
        import sklearn
        from sklearn.neural_network import MLPRegressor

        self.sklearn, self.regressor = sklearn, MLPRegressor
        warnings.filterwarnings("ignore")  # that one epoch does not converge

    def version(self):
        return self.sklearn.__version__

    def model(self, batch):
        return self.regressor(
            hidden_layer_sizes=HIDDEN, activation="relu", solver="sgd", alpha=0, batch_size=batch, learning_rate_init=RATE,
            momentum=0, nesterovs_momentum=False, max_iter=1, shuffle=False, warm_start=True,
            n_iter_no_change=10**6, random_state=0)  # fmt: skip

    def step(self, rows, dtype):
        batches = max(4, 512 // rows)
        x, y = data(rows * batches, dtype)
        model, y = self.model(rows), y.ravel()
        run = lambda: model.fit(x, y)
        run.parts = batches
        return run

    def predict(self, dtype):
        x, y = data(32, dtype)
        return self.model(32).fit(x, y.ravel()).predict


class PyTorch:
    """Eager: zero_grad, forward, mse_loss, backward, SGD.step; inference_mode for predictions."""

    def __init__(self):
        import torch

        self.torch = torch
        torch.set_num_threads(THREADS)

    def version(self):
        return self.torch.__version__

    def model(self, dtype):
        nn, torch = self.torch.nn, self.torch
        kind = torch.float32 if dtype == np.float32 else torch.float64
        layers = []
        for inputs, units in zip(WIDTHS, WIDTHS[1:]):
            layers += [nn.Linear(inputs, units, dtype=kind), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def wrap(self, function):
        return function

    def step(self, rows, dtype):
        torch, model = self.torch, self.model(dtype)
        loss = self.wrap(lambda x, y: torch.nn.functional.mse_loss(model(x), y))
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
        x, y = map(torch.from_numpy, data(rows, dtype))

        def run():
            optimizer.zero_grad()
            loss(x, y).backward()
            optimizer.step()

        return run

    def predict(self, dtype):
        torch, forward = self.torch, self.wrap(self.model(dtype).eval())

        def run(x):
            with torch.inference_mode():
                return forward(torch.from_numpy(x))

        return run


class TorchCompile(PyTorch):
    """The same with network and loss, forward and backward, through torch.compile()."""

    def __init__(self):
        super().__init__()
        import torch._inductor.config

        self.torch._dynamo.config.recompile_limit = 64
        torch._inductor.config.compile_threads = 1  # else compilers run on beside the others' turns

    def wrap(self, function):
        return self.torch.compile(function, dynamic=False)


class Jax:
    """One jitted function of value_and_grad and the update, parameters donated."""

    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        self.jax = jax

    def version(self):
        return self.jax.__version__

    def parameters(self, dtype):
        return [
            (self.jax.numpy.asarray(w.T.copy()), self.jax.numpy.zeros(w.shape[0], dtype))
            for w in weights(dtype)
        ]

    def forward(self, parameters, x):
        *hidden, (w, b) = parameters
        for v, c in hidden:
            x = self.jax.nn.relu(x @ v + c)
        return x @ w + b

    def step(self, rows, dtype):
        jax = self.jax
        x, y = map(jax.numpy.asarray, data(rows, dtype))
        parameters = self.parameters(dtype)

        def loss(parameters, x, y):
            return 0.5 * jax.numpy.mean((self.forward(parameters, x) - y) ** 2)

        def update(parameters, x, y):
            value, gradients = jax.value_and_grad(loss)(parameters, x, y)
            return value, jax.tree_util.tree_map(lambda p, g: p - RATE * g, parameters, gradients)

        update = jax.jit(update, donate_argnums=0)

        def run():
            nonlocal parameters
            value, parameters = update(parameters, x, y)
            value.block_until_ready()

        return run

    def predict(self, dtype):
        forward, parameters = self.jax.jit(self.forward), self.parameters(dtype)
        return lambda x: forward(parameters, x).block_until_ready()


class OnnxRuntime:
    """InferenceSession.run() of a graph of Gemm and Relu; predictions only."""

    def __init__(self):
        import onnxruntime

        import onnx

        self.ort, self.onnx = onnxruntime, onnx

    def version(self):
        return self.ort.__version__

    def step(self, rows, dtype):
        return None

    def predict(self, dtype):
        helper, onnx = self.onnx.helper, self.onnx
        kind = onnx.TensorProto.FLOAT if dtype == np.float32 else onnx.TensorProto.DOUBLE
        nodes, constants, name = [], [], "x"
        for layer, w in enumerate(weights(dtype)):
            constants.append(onnx.numpy_helper.from_array(w, f"w{layer}"))
            constants.append(onnx.numpy_helper.from_array(np.zeros(w.shape[0], dtype), f"b{layer}"))
            gemm = [name, f"w{layer}", f"b{layer}"]
            last = layer == len(HIDDEN)
            nodes.append(helper.make_node("Gemm", gemm, ["y" if last else f"z{layer}"], transB=1))
            if not last:
                name = f"a{layer}"
                nodes.append(helper.make_node("Relu", [f"z{layer}"], [name]))
        x = helper.make_tensor_value_info("x", kind, [None, INPUTS])
        y = helper.make_tensor_value_info("y", kind, [None, OUTPUTS])
        graph = helper.make_graph(nodes, "mlp", [x], [y], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = self.ort.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = self.ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])  # fmt: skip
        return lambda x: session.run(None, {"x": x})


PEERS = {
    "numpy": NumPy,
    "sklearn": ScikitLearn,
    "torch": PyTorch,
    "torch-compile": TorchCompile,
    "jax": Jax,
    "onnxruntime": OnnxRuntime,
}


def prepare(peer, task, precision, rows):
    dtype = TYPES[precision]
    if task == "step":
        return peer.step(rows, dtype)
    predict = peer.predict(dtype)
    if task == "row":
        return one_by_one(predict, [row[np.newaxis] for row in data(ROWS, dtype)[0]])
    x = data(rows, dtype)[0]
    return lambda: predict(x)


def time_runs(run, seconds, group):
    """The median over groups of runs that fill `group` seconds; 0: over single runs."""
    clock, times = time.perf_counter, []
    begin = clock()
    run()
    last = clock()
    runs = range(int(group / (last - begin) + 1))
    begin = last
    while True:
        for _ in runs:
            run()
        now = clock()
        times.append(now - last)
        last = now
        if last - begin >= seconds:
            return sorted(times)[len(times) // 2] / len(runs) / getattr(run, "parts", 1)


def warm_up(run, seconds):
    begin = time.perf_counter()
    while True:
        run()
        if time.perf_counter() - begin >= seconds:
            return


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # packages that print must not answer
    peer = PEERS[sys.argv[1]]()
    print("ready", peer.version(), file=answers, flush=True)
    runs = {}
    for line in sys.stdin:
        task, precision, rows, seconds = line.split()
        key, seconds = (task, precision, rows), float(seconds)
        if key not in runs:
            runs[key] = prepare(peer, task, precision, int(rows))
        run = runs[key]
        if run is None:
            print("-", file=answers, flush=True)
            continue
        warm_up(run, seconds / 10)
        print(f"{time_runs(run, seconds, 0 if task == 'row' else 1e-3):.9g}", file=answers, flush=True)


if __name__ == "__main__":
    main()
