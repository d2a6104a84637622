"""A pole that learns to stand: deep Q-learning with `tulle.Trainer` and NumPy, in a few seconds.

    python examples/python/dqn.py [--seed N] [--quick]

dqn_pytorch.py beside it is the same agent in PyTorch, and compares the two.
"""

# %% The task
# A cart on a rail carries a pole; a push to the left or to the right, fifty times a second, is all that can be done
# about its fall. Equations, constants and the reinforcement, -1 for a fall and 0 else, are those of Barto, Sutton and
# Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", IEEE Transactions on
# Systems, Man, and Cybernetics 13 (1983), without friction. An episode ends when the pole leans more than 12 degrees,
# when the cart is 2.4 m off, or after 200 pushes: the pole stands. Arrays hold many carts at once, a row each.
import argparse
import time

import numpy as np

import tulle

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
EDGE, LEAN, LIMIT = 2.4, np.radians(12), 200
SCALE = np.float32([0.5, 0.5, 5, 0.5])  # position, speed, angle and spin as the agent sees them: about 1


class Carts:
    """Carts side by side, each of which begins anew when its episode ends."""

    def __init__(self, count, generator):
        self.generator = generator
        self.state = self._upright(count)
        self.age = np.zeros(count, int)

    def _upright(self, count):
        return self.generator.uniform(-0.05, 0.05, (count, 4)).astype(np.float32)

    def seen(self):
        return self.state * SCALE

    def step(self, action):
        """Pushes each cart, 0 left or 1 right. Returns what is seen then, who fell, and whose episode is over."""
        x, speed, angle, spin = self.state.T
        sine, cosine, mass = np.sin(angle), np.cos(angle), CART + POLE
        force = (FORCE * (2 * action - 1) + POLE * HALF_LENGTH * spin**2 * sine) / mass
        turn = (GRAVITY * sine - cosine * force) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass))
        drive = force - POLE * HALF_LENGTH * turn * cosine / mass
        self.state = self.state + np.float32(SECONDS) * np.stack([speed, drive, spin, turn], axis=1).astype(np.float32)
        self.age += 1
        seen = self.seen()
        fell = (np.abs(self.state[:, 0]) > EDGE) | (np.abs(self.state[:, 2]) > LEAN)
        over = fell | (self.age == LIMIT)
        if over.any():
            self.state[over] = self._upright(over.sum())
            self.age[over] = 0
        return seen, fell, over


# %% The memory
# Pushes are learned from in random order, long after they were made. This and the trailing network below are what
# makes it work at all: Mnih et al., "Human-level control through deep reinforcement learning", Nature 518 (2015).
class Replay:
    """The last pushes, and some of them by chance."""

    def __init__(self, capacity):
        self.before, self.after = np.empty((2, capacity, 4), np.float32)
        self.action, self.fell = np.empty(capacity, int), np.empty(capacity, bool)
        self.count = 0

    def add(self, *push):
        place = np.arange(self.count, self.count + len(push[0])) % len(self.fell)
        self.before[place], self.action[place], self.after[place], self.fell[place] = push
        self.count += len(place)

    def sample(self, rows, generator):
        place = generator.integers(0, min(self.count, len(self.fell)), rows)
        return self.before[place], self.action[place], self.after[place], self.fell[place]


# %% The agent
# A network says what each push is worth: -1 for a fall that is certain and near, 0 for none. What it should have said
# of a push follows from what it says of the state behind it, or rather a second network that trails behind the first
# (`blend`, as in Lillicrap et al., 2016). Only the push that was made has an error, so the derivatives by the outputs
# are ours to write, clipped to [-1, 1] as Mnih et al. have it, which is Huber's loss; `step_gradient` takes it from
# there.
HIDDEN, RATE, BATCH, DISCOUNT, TRAIL = 64, 1e-3, 128, 0.995, 0.01


class Agent:
    def __init__(self, seed, threads=1):  # so small a step is done before a second thread is awake
        layers = [(HIDDEN, "silu"), (HIDDEN, "silu"), (2, "identity")]
        options = dict(optimizer="adam", learning_rate=RATE, batch_size=BATCH, seed=seed, threads=threads)
        self.network, self.trailing = (tulle.Trainer(4, layers, **options) for _ in range(2))

    def values(self, seen):
        return self.network.predict(seen)

    def learn(self, before, action, after, fell):
        goal = np.where(fell, -1, DISCOUNT * self.trailing.predict(after).max(axis=1))
        rows, values = np.arange(len(action)), self.network.predict(before)
        gradient = np.zeros_like(values)
        gradient[rows, action] = np.clip(values[rows, action] - goal, -1, 1)
        self.network.step_gradient(before, gradient)
        self.trailing.blend(self.network, TRAIL)

    def set_learning_rate(self, rate):
        self.network.set_learning_rate(rate)


# %% Learning
# Eight carts are pushed at once, at first by chance and then more and more as the agent thinks best. Every round of
# pushes is followed by eight steps of the optimiser, one for each cart.
CARTS, ROUNDS, ROUNDS_BEFORE = 8, 1000, 100


def train(agent, seed, rounds=ROUNDS):
    """The seconds that it took."""
    generator = np.random.default_rng(seed)
    carts, replay = Carts(CARTS, generator), Replay(50_000)
    began = time.perf_counter()
    for round in range(rounds):
        seen = carts.seen()
        by_chance = generator.random(CARTS) < max(0.02, 1 - round / (0.8 * rounds))
        action = np.where(by_chance, generator.integers(0, 2, CARTS), agent.values(seen).argmax(axis=1))
        after, fell, _ = carts.step(action)
        replay.add(seen, action, after, fell)
        if round >= ROUNDS_BEFORE:
            agent.set_learning_rate(RATE * (1 - round / rounds))
            for _ in range(CARTS):
                agent.learn(*replay.sample(BATCH, generator))
    return time.perf_counter() - began


def average_return(agent, episodes=100):
    """Pushes until the fall, at most 200, on average over new episodes in which the agent does what it thinks best."""
    carts = Carts(episodes, np.random.default_rng(10_000))
    standing, pushes = np.ones(episodes, bool), np.zeros(episodes)
    while standing.any():
        _, _, over = carts.step(agent.values(carts.seen()).argmax(axis=1))
        pushes += standing
        standing &= ~over
    return pushes.mean()


# %% A run
# 195 of 200 pushes is what is commonly called solved. What has been learned can be kept: `agent.network.model()` is a
# `tulle.Model`, whose file sessions, C programs and the command read.
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="half the rounds")
    arguments = parser.parse_args()
    rounds = ROUNDS // 2 if arguments.quick else ROUNDS
    agent = Agent(arguments.seed)
    print(f"untrained: the pole stands for {average_return(agent):.1f} of {LIMIT} pushes")
    seconds = train(agent, arguments.seed, rounds)
    pushes, steps = CARTS * rounds, CARTS * (rounds - ROUNDS_BEFORE)
    print(f"{pushes} pushes and {steps} steps of {BATCH} in {seconds:.1f} s: {pushes / seconds:.0f} pushes a second")
    print(f"trained:   the pole stands for {average_return(agent):.1f} of {LIMIT} pushes")


if __name__ == "__main__":
    main()
