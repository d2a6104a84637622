#!/usr/bin/env python3
"""A model's training once more, in PyTorch: is the recipe right, and how long does it take there?

    tulle train houses.csv --target price --split-column split -o houses.tulle
    tulle info houses.tulle --json > houses.json
    bench/recipe_torch.py houses.csv houses.json --seed 0

Columns and settings are those of the model; what they mean is written in the headers (struct
tulle_column, struct tulle_front, and the lists of formulas), and is written here as PyTorch's users
would write it: modules, autograd, its own optimisers. What is learned from columns is learned here
again. Random numbers differ, so scores differ as those of two seeds do. Prints one line of JSON;
the seconds are those of training alone, from arrays, without what reads the table or starts Python.
"""

import argparse
import copy
import csv
import gzip
import json
import math
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

ACTIVATIONS = {"identity": lambda z: z, "relu": F.relu, "leaky_relu": F.leaky_relu,
               "tanh": torch.tanh, "logistic": torch.sigmoid, "elu": F.elu, "selu": F.selu,
               "silu": F.silu, "mish": F.mish, "gelu": F.gelu, "softplus": F.softplus}  # fmt: skip
INITIALIZERS = {
    "fan_in": lambda w: w.uniform_(-1, 1).div_(math.sqrt(w.shape[-1])),
    "he": lambda w: w.normal_(0, math.sqrt(2 / w.shape[-1])),
    "glorot": lambda w: w.uniform_(-1, 1).mul_(math.sqrt(6 / (w.shape[-1] + w.shape[-2]))),
    "lecun": lambda w: w.normal_(0, 1 / math.sqrt(w.shape[-1])),
    "data": lambda w: w.normal_(0, 1 / math.sqrt(w.shape[-1])),
}
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
SCHEDULES = {
    "constant": lambda t: 1.0,
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
    "coslog4": lambda t: (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t))) / 2,
}
FADINGS = {
    "none": lambda t: 1.0,
    "flat_cos": lambda t: 1.0 if t < 0.5 else (1 + math.cos(math.pi * (2 * t - 1))) / 2,
}


def fail(message):
    sys.exit(f"recipe_torch.py: {message}")


class Settings:
    """A model's settings, as the options of `tulle train` that repeat its training."""

    def __init__(self, options):
        self.options = options

    def text(self, name, default=None):
        return self.options.get(name, default)

    def number(self, name, default=0.0):
        return float(self.options.get(name, default))

    def count(self, name, default=0):
        return int(self.options.get(name, default))

    def flag(self, name):
        return self.options.get(name) == "yes"

    def choice(self, name, table):
        text = self.options[name]
        if text not in table:
            fail(f"there is no --{name} {text} here, only {', '.join(table)}")
        return table[text]


# --- The table --------------------------------------------------------------------------------


def read_table(path):
    """The columns' cells, by name."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, zip(*rows)))


def numbers_of(cells, missing):
    return np.array([math.nan if cell in missing else float(cell) for cell in cells])


def levels_of(cells, levels):
    """Indices; -1 where a cell is none of the levels."""
    index = {level: i for i, level in enumerate(levels)}
    return np.array([index.get(cell, -1) for cell in cells])


def normal_deviates(x, known):
    """Of the shares of known values below x, by at most 1001 quantiles, straight between them."""
    count = min(known.size, 1001)
    quantiles = np.quantile(known, np.linspace(0, 1, count))
    knots, first, repeats = np.unique(quantiles, return_index=True, return_counts=True)
    shares = (first + (repeats - 1) / 2) / (count - 1)
    edge = 1 / (4 * (count - 1))
    deviates = torch.special.ndtri(torch.tensor(shares.clip(edge, 1 - edge)))
    return np.interp(x, knots, deviates.numpy())


def scale_number(x, train, scaling):
    """The whole column, by what its training rows say; a missing number is 0."""
    known = x[train][~np.isnan(x[train])]
    if scaling == "none":
        u = x
    elif known.size == 0 or known.min() == known.max():
        u = x * 0
    elif scaling == "standard":
        u = (x - known.mean()) / known.std()
    elif scaling == "robust":
        low, median, high = np.quantile(known, [0.25, 0.5, 0.75])
        unit = high - low if high > low else (known.max() - known.min()) / 2
        u = (x - median) / unit
        u = u / np.sqrt(1 + (u / 3) ** 2)
    elif scaling == "quantile":
        u = normal_deviates(x, known)
    else:
        fail(f"there is no --scaling {scaling} here")
    return np.nan_to_num(u)


def spread_values(known, count):
    """All values where these are few, else `count` of them with about as many rows between
    neighbours, of which a value's count for no more than one bin's share."""
    values, counts = np.unique(known, return_counts=True)
    if values.size <= count:
        return values
    rest, left = counts.sum(), count - 1  # a share is rest / left rows
    while (smaller := (counts[counts * left < rest].sum(),
                       count - 1 - (counts * left >= rest).sum())) != (rest, left):  # fmt: skip
        rest, left = smaller
    sums = np.cumsum(np.minimum(counts * left, rest))
    return values[np.append(np.searchsorted(sums, rest * np.arange(count - 1), "right"), -1)]


def find_knots(scaled, bins):
    """Values spread over the training rows, those that are apart; then some beyond all values."""
    knots = []
    for knot in spread_values(scaled, bins + 1):
        if not knots or knot - knots[-1] > max(abs(knot) * 2.0**-20, 1.2e-38):
            knots.append(knot)
    return knots + [knots[-1] + 1 + i for i in range(bins + 1 - len(knots))]


class Inputs:
    """All rows as the network has them: numbers x, levels, and which columns of x are embedded."""

    def __init__(self, info, settings, table, train, missing):
        x, levels, self.sizes, self.embedded, self.knots = [], [], [], [], []
        for column in info["inputs"]:
            cells = table[column["name"]]
            if column["kind"] == "numeric":
                self.add_number(x, numbers_of(cells, missing), settings, train)
            else:
                index = levels_of(cells, column["levels"])
                self.add_category(x, levels, index, len(column["levels"]), settings, train)
        rows = len(table[info["inputs"][0]["name"]])
        self.x = torch.tensor(np.column_stack(x) if x else np.zeros((rows, 0))).float()
        self.levels = torch.tensor(np.column_stack(levels) if levels else np.zeros((rows, 0), int))

    def add_number(self, x, values, settings, train):
        is_missing = np.isnan(values)
        scaled = scale_number(values, train, settings.text("scaling"))
        self.embedded.append(len(x))
        if settings.count("number-bins"):
            is_known = ~is_missing[train]
            known = scaled[train][is_known] if is_known.any() else np.zeros(1)
            self.knots.append(find_knots(known, settings.count("number-bins")))
        x.append(scaled)
        if is_missing[train].any() and not is_missing[train].all():
            x.append(is_missing.astype(float))

    def add_category(self, x, levels, index, count, settings, train):
        may_miss = (index[train] < 0).any()
        kinds = count + may_miss
        if count == 2 and not may_miss:
            x.append(np.where(index < 0, 0, 2 * index - 1))
        elif kinds > 2 and kinds > settings.count("one-hot-levels"):
            levels.append(index + 1)
            self.sizes.append(count)
        else:
            x.extend((index == i).astype(float) for i in range(count))
            if may_miss:
                x.append((index < 0).astype(float))


# --- The network ------------------------------------------------------------------------------


class Waves(nn.Module):
    def __init__(self, numbers, frequencies, dimensions, deviation):
        super().__init__()
        bound = 1 / math.sqrt(frequencies)
        self.w = nn.Parameter(deviation * torch.randn(numbers, frequencies))
        self.b = nn.Parameter(torch.empty(numbers, frequencies).uniform_(-math.pi, math.pi))
        self.v = nn.Parameter(torch.empty(numbers, frequencies, dimensions).uniform_(-bound, bound))
        self.c = nn.Parameter(torch.empty(numbers, 1, dimensions).uniform_(-bound, bound))

    def forward(self, x):
        waves = torch.cos(2 * math.pi * x.T[:, :, None] * self.w[:, None] + self.b[:, None])
        return torch.baddbmm(self.c, waves, self.v).transpose(0, 1).flatten(1)


class Splines(nn.Module):
    def __init__(self, knots, dimensions):
        super().__init__()
        knots = torch.tensor(knots).float()
        self.register_buffer("first", knots[:, None, :-1].contiguous())
        self.register_buffer("share", 1 / (knots[:, None, 1:] - knots[:, None, :-1]))
        self.w = nn.Parameter(torch.zeros(len(knots), knots.shape[1] - 1, dimensions))

    def forward(self, x):
        shares = ((x.T[:, :, None] - self.first) * self.share).clamp(0, 1)
        return torch.bmm(shares, self.w).transpose(0, 1).flatten(1)


class Dense(nn.Module):
    """Of (members, rows, inputs): one layer for all members, or a copy for each."""

    def __init__(self, copies, inputs, units, settings):
        super().__init__()
        self.factor = 1 / math.sqrt(inputs) if settings.text("parametrization") == "ntk" else 1
        weight = settings.choice("init", INITIALIZERS)(torch.empty(copies, units, inputs))
        self.weight = nn.Parameter(weight / self.factor)
        self.bias = nn.Parameter(torch.zeros(copies, 1, units))

    def forward(self, x):
        weight = self.weight * self.factor if self.factor != 1 else self.weight
        if len(weight) == 1:
            return F.linear(x, weight[0], self.bias[0, 0])
        return torch.baddbmm(self.bias, x, weight.transpose(1, 2))


class Network(nn.Module):
    def __init__(self, inputs, outputs, settings):
        super().__init__()
        self.sources = [*range(inputs.x.shape[1])]  # of each input of the first layer
        self.add_numbers(inputs, settings)
        self.add_tables(inputs, settings)
        self.add_factors(settings)
        units = [int(u) for u in settings.text("hidden").split(",") if u != "none"]
        widths = [len(self.sources), *units, outputs]
        copies = [1] * len(units) + [settings.count("members", 1)]
        self.layers = nn.ModuleList(
            Dense(*shape, settings) for shape in zip(copies, widths, widths[1:])
        )
        self.mixes = None
        if settings.flag("parametric"):
            self.mixes = nn.ParameterList(torch.ones(u) for u in units)
        self.activation = settings.choice("activation", ACTIVATIONS)
        self.dropout = 0.0

    def add_numbers(self, inputs, settings):
        self.numbers, dimensions = None, settings.count("number-dim")
        if not dimensions or not inputs.embedded:
            return
        self.register_buffer("embedded", torch.tensor(inputs.embedded))
        if inputs.knots:
            self.numbers = Splines(inputs.knots, dimensions)
        else:
            frequencies = settings.count("number-frequencies")
            deviation = settings.number("number-deviation")
            self.numbers = Waves(len(inputs.embedded), frequencies, dimensions, deviation)
        self.sources += [i for i in inputs.embedded for _ in range(dimensions)]

    def add_tables(self, inputs, settings):
        dimensions, first = settings.count("embedding-dim"), inputs.x.shape[1]
        self.tables = nn.ModuleList(nn.Embedding(size + 1, dimensions) for size in inputs.sizes)
        for e, size in enumerate(inputs.sizes):
            nn.init.uniform_(self.tables[e].weight, -1 / math.sqrt(size), 1 / math.sqrt(size))
            nn.init.zeros_(self.tables[e].weight[0])
            self.sources += [first + e] * dimensions

    def add_factors(self, settings):
        self.factors, members = None, settings.count("members", 1)
        if settings.flag("input-factors"):
            shape = members, 1 + max(self.sources)
            values = torch.randn(shape) if members > 1 else torch.ones(shape)
            self.factors = nn.Parameter(values[:, None, self.sources])

    def front(self, x, levels):
        """(members, rows, inputs of the first layer)"""
        parts = [x]
        if self.numbers is not None:
            parts.append(self.numbers(x[:, self.embedded]))
        parts += [table(levels[:, e]) for e, table in enumerate(self.tables)]
        x = torch.cat(parts, 1)[None]
        return x * self.factors if self.factors is not None else x

    def activate(self, z, hidden):
        a = self.activation(z)
        return torch.lerp(z, a, self.mixes[hidden]) if self.mixes is not None else a

    def forward(self, x, levels):
        """(members, rows, outputs)"""
        h = self.front(x, levels)
        for hidden, layer in enumerate(self.layers[:-1]):
            h = self.activate(layer(h), hidden)
            if self.training and self.dropout > 0:
                h = F.dropout(h, self.dropout)
        return self.layers[-1](h)

    @torch.no_grad()
    def fit(self, x, levels):
        """Each unit's sums deviate by 1, and are 0 at a random mean of five rows'."""
        h = self.front(x, levels)
        for number, layer in enumerate(self.layers):
            z = layer(h)[: len(layer.weight)]
            five = torch.randint(z.shape[1], (z.shape[0], 5, z.shape[2]))
            shares = torch.empty(five.shape).exponential_()
            centre = (z.gather(1, five) * shares).sum(1, keepdim=True) / shares.sum(1, True)
            deviation = z.std(1, correction=0, keepdim=True)
            varies = deviation > z.shape[1] * 1.2e-7 * z.mean(1, keepdim=True).abs()
            scale = torch.where(varies, 1 / deviation, 1)
            layer.weight *= scale.transpose(1, 2)
            layer.bias -= torch.where(varies, centre * scale, 0)
            if number + 1 < len(self.layers):
                h = self.activate(layer(h), number)

    def groups(self, settings):
        """For the optimiser, which is to have other rates and decays for some parameters."""
        layers = list(self.layers)
        kinds = [
            ([layer.weight for layer in layers] + [t.weight for t in self.tables], 1, 1),
            ([layer.bias for layer in layers], settings.number("bias-lr", 1),
             settings.number("bias-decay")),
            (list(self.mixes or []), settings.number("mix-lr", 1), 1),
            (list(self.numbers.parameters()) if self.numbers is not None else [],
             settings.number("number-lr", 1), 1),
            ([self.factors] if self.factors is not None else [],
             settings.number("factor-lr", 1), 1),
        ]  # fmt: skip
        return [{"params": p, "rate": rate, "decay": decay} for p, rate, decay in kinds if p]


# --- The target -------------------------------------------------------------------------------


class Target:
    """One column: how it enters, its loss, and the metric of what comes out."""

    def __init__(self, info, settings, table, train, missing):
        (column,) = info["targets"]
        cells, loss = table[column["name"]], settings.text("loss")
        self.smoothing = settings.number("label-smoothing")
        self.outputs = 1
        if info["task"] == "classification":
            self.metric, self.find_loss = "accuracy", getattr(self, loss)
            self.y = torch.tensor(levels_of(cells, column["levels"]))
            if loss == "cross_entropy":
                self.outputs = len(column["levels"])
            return
        if loss != "mse":
            fail(f"there is no --loss {loss} here")
        y = numbers_of(cells, missing)
        self.metric, self.find_loss, self.range = "rmse", self.mse, None
        self.mean, self.scale = 0.0, 1.0
        if settings.flag("standardize-targets"):
            self.mean, self.scale = y[train].mean(), y[train].std() or 1.0
        if settings.flag("clamp"):
            self.range = y[train].min(), y[train].max()
        self.raw, self.y = y, torch.tensor((y - self.mean) / self.scale).float()

    @staticmethod
    def mse(o, y):
        return F.mse_loss(o[..., 0], y)

    def cross_entropy(self, o, y):
        return F.cross_entropy(o.flatten(0, -2), y.flatten(), label_smoothing=self.smoothing)

    def binary_cross_entropy(self, o, y):
        smooth = y * (1 - self.smoothing) + self.smoothing / 2
        return F.binary_cross_entropy_with_logits(o[..., 0], smooth)

    def measure(self, o, rows):
        """The metric of these rows' outputs, in the target's own units."""
        if self.metric == "accuracy":
            classes = o.argmax(1) if self.outputs > 1 else (o[:, 0] > 0).long()
            return (classes == self.y[rows]).double().mean().item()
        predicted = o[:, 0].double().numpy() * self.scale + self.mean
        if self.range:
            predicted = predicted.clip(*self.range)
        return math.sqrt(((predicted - self.raw[rows.numpy()]) ** 2).mean())


# --- Training ---------------------------------------------------------------------------------


@torch.no_grad()
def predict(model, inputs, rows):
    """(rows, outputs), the means over the members."""
    model.eval()
    parts = [model(inputs.x[part], inputs.levels[part]).mean(0) for part in rows.split(4096)]
    model.train()
    return torch.cat(parts)


def make_optimizer(network, settings):
    momenta = settings.number("beta1", 0.9), settings.number("beta2", 0.999)
    return settings.choice("optimizer", OPTIMIZERS)(
        network.groups(settings), betas=momenta, eps=settings.number("epsilon", 1e-8), fused=True
    )


class Run:
    def __init__(self, settings, inputs, target, splits):
        self.settings, self.inputs, self.target, self.splits = settings, inputs, target, splits
        self.network = Network(inputs, target.outputs, settings)
        if settings.text("init") == "data":
            first = splits["train"][:1024]
            self.network.fit(inputs.x[first], inputs.levels[first])
        self.optimizer = make_optimizer(self.network, settings)
        self.averaged, self.best = self.network, self.network
        averaging = settings.number("averaging")
        if averaging > 0:
            self.averaged = AveragedModel(
                self.network, multi_avg_fn=get_ema_multi_avg_fn(averaging)
            )
            self.averaged.update_parameters(self.network)
        self.batch = settings.count("batch")
        self.epochs = settings.count("epochs")
        self.steps = self.epochs * math.ceil(len(splits["train"]) / self.batch)
        self.step = 0

    def follow_schedule(self):
        settings, t = self.settings, self.step / self.steps
        rate = settings.number("lr") * settings.choice("schedule", SCHEDULES)(t)
        warmup = settings.number("warmup") * self.steps
        rate *= min(1, (self.step + 1) / warmup) if warmup > 0 else 1
        fade = settings.choice("fading", FADINGS)(t)
        self.network.dropout = settings.number("dropout") * fade
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["rate"]
            group["weight_decay"] = settings.number("weight-decay") * fade * group["decay"]

    def run_step(self, rows):
        self.follow_schedule()
        output = self.network(self.inputs.x[rows], self.inputs.levels[rows])
        y = self.target.y[rows].expand(len(output), -1)
        self.optimizer.zero_grad()
        self.target.find_loss(output, y).backward()
        if self.settings.number("clip-norm") > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.number("clip-norm"))
        self.optimizer.step()
        if self.averaged is not self.network:
            self.averaged.update_parameters(self.network)
        self.step += 1

    def train(self, most_epochs):
        """Returns the best epoch and every epoch's seconds; leaves the best model in `best`."""
        train, valid = self.splits["train"], self.splits["valid"]
        best_loss, best_epoch, seconds = math.inf, 0, []
        patience = self.settings.count("patience") or self.epochs
        for epoch in range(1, min(self.epochs, most_epochs) + 1):
            began = time.perf_counter()
            for batch in torch.randperm(len(train)).split(self.batch):
                self.run_step(train[batch])
            output = predict(self.averaged, self.inputs, valid)[None]
            loss = self.target.find_loss(output, self.target.y[valid][None]).item()
            if self.settings.flag("keep-best") and loss < best_loss:
                best_loss, best_epoch = loss, epoch
                self.best = copy.deepcopy(self.averaged)
            seconds.append(time.perf_counter() - began)
            if best_epoch and epoch - best_epoch >= patience:
                break
        self.best = self.best if best_epoch else self.averaged
        return best_epoch, seconds


def check_size(network, info):
    found, wanted = sum(p.numel() for p in network.parameters()), info["network"]["parameters"]
    if found != wanted:
        fail(f"the network here has {found} parameters, and the model's {wanted}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="the table, .csv or .csv.gz")
    parser.add_argument("info", type=argparse.FileType(), help="what tulle info --json printed")
    parser.add_argument("--seed", type=int, default=0, help="[0]")
    parser.add_argument("--threads", type=int, default=0, help="0 for PyTorch's own choice [0]")
    parser.add_argument("--epochs", type=int, default=2**31, help="end after so many, for timing")
    arguments = parser.parse_args()
    info = json.load(arguments.info)
    settings = Settings(info["training"]["options"])
    torch.manual_seed(arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    table = read_table(arguments.data)
    names = np.array(table[info["training"]["split_column"]])
    missing = {"", *info["training"]["missing"]}
    splits = {name: np.flatnonzero(names == name) for name in ("train", "valid", "test")}
    inputs = Inputs(info, settings, table, splits["train"], missing)
    target = Target(info, settings, table, splits["train"], missing)
    splits = {name: torch.tensor(rows) for name, rows in splits.items()}

    began = time.perf_counter()
    run = Run(settings, inputs, target, splits)
    check_size(run.network, info)
    best_epoch, epochs = run.train(arguments.epochs)
    seconds = time.perf_counter() - began
    result = {"metric": target.metric}
    for name in ("valid", "test"):
        result[name] = target.measure(predict(run.best, inputs, splits[name]), splits[name])
    result |= {"best_epoch": best_epoch, "epochs": len(epochs), "seconds": round(seconds, 3),
               "seconds_per_epoch": round(statistics.median_low(epochs), 6), "seed": arguments.seed,
               "torch": torch.__version__, "threads": torch.get_num_threads()}  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
