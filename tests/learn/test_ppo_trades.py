"""What was trained in lanes is what a bot trades: the same decisions, rewards and ends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from intrabar.engine.lanes.stepped import Starts
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run, Setup
from intrabar.exits import Learned, TrailingATR
from intrabar.exits.network import Network
from intrabar.exits.policy import Policy
from intrabar.learn.passes import passes
from intrabar.learn.ppo_net import flat
from intrabar.learn.ppo_policy import ground_of, train_ppo
from intrabar.learn.ppo_training import Seed, plain_network
from intrabar.learn.terms import Terms
from intrabar.learn.world import World, world_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.given_side import SIDE, GivenSide
from intrabar.strategy.lane_room import CHOOSE, Scaling
from tests.learn.test_ppo import ARMS, SMALL, layers
from tests.strategy.markets import Told, walk

MOST = 20  # bars


@pytest.mark.parametrize("when", ["bar", "entry"])
def test_a_bot_trades_what_was_trained(when: str) -> None:
    market = walk(1_500, 9, wild=0.01, missing=0.05)
    traded = (Instrument("A", 0.01, commission_per_contract=0.2, slippage_ticks=1.0),)
    plain = Setup(market, traded, {"s": Bot(Told(), TrailingATR(7), qty=3.0)})
    world = world_of(plain, "s", Terms(arms=ARMS, max_bars=MOST), when)
    ground = ground_of(world, 0)
    policy = train_ppo(ground, SMALL, [Seed(1)]).policy
    own = layers(9 if when == "bar" else 5, len(ARMS), 4)  # weights that choose among all arms
    scaling = ground.checked.scaling
    policy = replace(policy, net=Network(*flat(own), *scaling))
    policy = replace(policy, probes=policy.probes._replace(outputs=_outputs(policy)))
    apart = _apart(world)
    wanted = _in_lanes(apart, scaling, policy)
    sides = np.zeros((len(market), 1))
    sides[apart.starts.bar, 0] = apart.starts.side
    bot = Bot(GivenSide(), Learned(policy, atr_period=7, max_bars=MOST, in_sample=True), qty=3.0)
    result = finish(Run(Setup(market, traded, {"s": bot}, columns={"s": {SIDE: sides}})))
    found = defaultdict(list)
    rewards: dict[int, float] = {}
    start = -1
    table = result.decisions
    for row in table.iter_rows(named=True):
        start = row["bar"] if row["bar"] in wanted else start
        found[start].append((row["bar"], row["arm"]))
        if row["reward"] is not None:
            rewards[start] = row["reward"]
    assert len(wanted) > 30
    for bar, (decided, score) in wanted.items():
        assert rewards[bar] == pytest.approx(score, rel=1e-12, abs=1e-12)
        # The log has a row where the arm changes.
        changes = [x for k, x in enumerate(decided) if k == 0 or x[1] != decided[k - 1][1]]
        assert found[bar] == changes
    assert len({arm for rows in found.values() for _, arm in rows}) > 2


def _outputs(policy: Policy) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([policy.pass_over(x) for x in policy.probes.inputs])


def _apart(world: World) -> World:
    """Starts of which no two campaigns touch."""
    bars = world.starts.bar[world.starts.side > 0]
    kept = bars[:: MOST + 5]
    sides = np.where(np.arange(len(kept)) % 2 == 0, 1, -1).astype(np.int8)
    return replace(world, starts=Starts(np.zeros(len(kept), np.int32), kept, sides))


def _in_lanes(
    world: World, scaling: Scaling, policy: Policy
) -> dict[int, tuple[list[tuple[int, int]], float]]:
    """By the bar of each start: its decisions, and its score."""
    going, net = world.stepped(scaling, 4), plain_network(layers(policy.net.plan[0, 1], 4, 4))
    going.begin(np.arange(len(world)))
    made = {}
    decided: dict[int, list[tuple[int, int]]] = defaultdict(list)
    while not going.is_over:
        room = going.room
        arms = passes(net, room.seen).argmax(axis=1)
        for k in np.flatnonzero(room.lanes["due"] == CHOOSE):
            decided[int(room.lanes["start"][k])].append((int(room.lanes["bar"][k]), int(arms[k])))
        going.step(arms)
        for k in np.flatnonzero(room.ended):
            start = int(room.first[k])
            score = float(room.last.net[k, 0] / room.last.budget[k, 0])
            made[int(world.starts.bar[start])] = decided[start], score
    return made
