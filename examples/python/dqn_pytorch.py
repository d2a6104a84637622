"""The agent of dqn.py in PyTorch: the same network, carts, memory and schedule; and how long each takes.

python examples/python/dqn_pytorch.py [--seed N] [--pairs N] [--threads N] [--compile]
"""

# %% The agent
# All but this class comes from dqn.py. Arrays and tensors share their memory, nothing is recorded that no gradient
# will need, and the optimiser and the trailing network are each updated in one call for all parameters.
import argparse
import copy
import time

import dqn
import numpy as np
import torch


class TorchAgent:
    def __init__(self, agent, is_compiled=False):
        """With the weights of a `dqn.Agent`."""
        units = [4, dqn.HIDDEN, dqn.HIDDEN, 2]
        linear = [torch.nn.Linear(*pair) for pair in zip(units, units[1:])]
        self.network = torch.nn.Sequential(linear[0], torch.nn.SiLU(), linear[1], torch.nn.SiLU(), linear[2])
        with torch.no_grad():
            for number, layer in enumerate(linear):
                weights, biases = agent.network.parameters(number)
                layer.weight.copy_(torch.from_numpy(weights))
                layer.bias.copy_(torch.from_numpy(biases))
        self.trailing = copy.deepcopy(self.network).requires_grad_(False)
        self.pairs = list(self.trailing.parameters()), [one.detach() for one in self.network.parameters()]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=dqn.RATE, fused=True)
        self.loss = self._loss
        if is_compiled:
            self.loss = torch.compile(self._loss, dynamic=False)
            for _ in range(3):  # it is compiled here, before anybody looks at the clock
                self.loss(*map(torch.from_numpy, some_pushes())).backward()

    def values(self, seen):
        with torch.inference_mode():
            return self.network(torch.from_numpy(seen)).numpy()

    def _loss(self, before, action, after, fell):
        with torch.no_grad():
            goal = torch.where(fell, -1.0, dqn.DISCOUNT * self.trailing(after).amax(1))
        value = self.network(before).gather(1, action[:, None])[:, 0]
        return torch.nn.functional.huber_loss(value, goal)

    def learn(self, *pushes):
        self.optimizer.zero_grad()
        self.loss(*map(torch.from_numpy, pushes)).backward()
        self.optimizer.step()
        torch._foreach_lerp_(*self.pairs, dqn.TRAIL)

    def set_learning_rate(self, rate):
        self.optimizer.param_groups[0]["lr"] = rate


# %% The same?
# Two agents that begin with the same weights and learn from the same pushes say the same afterwards, but for rounding.
def some_pushes(seed=0):
    generator = np.random.default_rng(seed)
    carts, action = dqn.Carts(dqn.BATCH, generator), generator.integers(0, 2, dqn.BATCH)
    seen = carts.seen()
    after, _, _ = carts.step(action)
    return seen, action, after, generator.random(dqn.BATCH) < 0.1


def difference_after(steps):
    """The largest of two values, and how far learning has moved them."""
    ours = dqn.Agent(0)
    theirs, seen = TorchAgent(ours), np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)
    untrained = ours.values(seen)
    for step in range(steps):
        ours.learn(*some_pushes(step))
        theirs.learn(*some_pushes(step))
    return np.abs(theirs.values(seen) - ours.values(seen)).max(), np.abs(untrained - ours.values(seen)).max()


# %% How long?
# The two take turns, so that what else the machine does strikes both; a ratio is that of neighbours in time.
def seconds_of_a_step(agent, steps=1000):
    pushes = some_pushes()
    began = time.perf_counter()
    for _ in range(steps):
        agent.learn(*pushes)
    return (time.perf_counter() - began) / steps


def compare(pairs, seed, rounds, is_compiled):
    """Prints medians of times and of their ratios: of the optimiser's steps alone, and of all of training."""
    seconds = np.empty((pairs, 2, 2))  # of a step and of training, by Tulle and by PyTorch
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 else (1, 0):
            agent = dqn.Agent(seed + pair)
            agent = TorchAgent(agent, is_compiled) if which else agent
            seconds[pair, 1, which] = dqn.train(agent, seed + pair, rounds)
            result, name = dqn.average_return(agent), ("Tulle", "PyTorch")[which]
            seconds[pair, 0, which] = seconds_of_a_step(agent)
            print(f"{name:8} seed {seed + pair}: the pole stands for {result:.1f} pushes", flush=True)
    (ours, theirs), trainings = np.median(seconds, axis=0)
    speeds = dqn.CARTS * rounds / trainings
    step, training = np.median(seconds[:, :, 1] / seconds[:, :, 0], axis=0)
    print(f"a step on {dqn.BATCH} pushes: {1e6 * ours:.0f} us and {1e6 * theirs:.0f} us, {step:.1f} times as fast")
    print(f"pushes a second: {speeds[0]:.0f} and {speeds[1]:.0f}, {training:.1f} times as fast")


# %% A run
# Every pair begins with the same weights and the same pushes by chance.
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first pair")
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of PyTorch, which else has one a core; Tulle has one")
    parser.add_argument("--compile", action="store_true", help="PyTorch's loss by torch.compile")
    parser.add_argument("--quick", action="store_true", help="half the rounds")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"PyTorch {torch.__version__} on {torch.get_num_threads()} threads, Tulle {dqn.tulle.__version__} on 1")
    difference, moved = difference_after(steps=100)
    print(f"100 steps from the same weights move values by {moved:.2g}; the two differ by {difference:.1g}")
    assert difference < 1e-3 * moved
    compare(arguments.pairs, arguments.seed, dqn.ROUNDS // 2 if arguments.quick else dqn.ROUNDS, arguments.compile)


if __name__ == "__main__":
    main()
