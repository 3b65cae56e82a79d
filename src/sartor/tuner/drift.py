"""When to give up one order of a table for another as the workload drifts, whatever comes next; no clock, thread or connection.

Each way that a table could be arranged is a state. After each batch of statements every state is charged its *regret*: the seconds by
which the best state of that batch would have been faster. A state whose regret has reached `patience` times what a move costs is full.
The table is rearranged only for a state that is not full and whose *lead* has reached the same: what the present state lost against it
since it was last as good. Once all states are full, a phase ends and all regrets begin at nothing; the state that leads most may be
moved to then.

After Borodin, Linial, Saks, *An optimal online algorithm for metrical task systems* (JACM 1992), as Rong, Liu, Sonje, Charikar,
*Dynamic data layout optimization with worst-case guarantees* (OReO, 2024) apply it to layouts. They draw the next state; here it is
the one with the least regret, so that the ledger can tell why, and leads keep it from moves that noise suggests.

*Guarantee.* Let n states be known, a move cost D at most, and patience be b. In each phase every state that stays gets b D of regret,
so that any one state kept throughout pays as much beyond the best of each batch. The online choice leaves a state only when that is
full: it makes at most n stays in a phase, and n moves. In each stay it loses at most b D against the last state of the phase to become
full, and that one b D in all. So it pays at most (n + 1) b D + n D where any fixed state pays b D: in total at most n + 1 + n / b
times what the best fixed state pays, one unfinished phase and what single batches exceed b D by aside. No deterministic choice can
promise less than n. Where a phase ends after a move that has not paid, patience doubles, which only lessens the factor: to n + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

from sartor.core.constants import DRIFT_PATIENCE, DRIFT_PATIENCE_MOST

State = str
"""What a way to arrange a table is known by."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What is counted for one table.

    Attributes:
        regret: of each state since the phase began, in seconds.
        lead: of each other state over the present one, in seconds, since that was last as good.
        nothing: the regret of a state that saves nothing.
        patience: times the cost of a move.
        left: the state before the last move; empty if there was none.
        spared: what the last move has spared against that one, less its cost.
    """

    regret: Mapping[State, float] = field(default_factory=dict)
    lead: Mapping[State, float] = field(default_factory=dict)
    nothing: float = 0.0
    patience: float = DRIFT_PATIENCE.default
    left: State = ""
    spared: float = 0.0

    def observe(self, present: State, saved: Mapping[State, float]) -> Counters:
        """Take a batch in.

        Args:
            saved: for each state that spares it something, and the present one, the seconds that the batch is spared. Others save
                nothing, also one that is seen for the first time in the batches before.
        """
        best = max(saved.values())
        states = {**dict.fromkeys(self.regret, 0.0), **saved}
        regret = {state: self.regret.get(state, self.nothing) + best - seconds for state, seconds in states.items()}
        leads = {state: self.lead.get(state, 0.0) + seconds - saved[present] for state, seconds in states.items() if state != present}
        spared = self.spared + saved[present] - saved.get(self.left, 0.0) if self.left else 0.0
        return replace(
            self,
            regret=regret,
            lead={state: max(0.0, lead) for state, lead in leads.items()},
            nothing=self.nothing + best,
            spared=spared,
        )

    def decide(self, present: State, cost: float) -> tuple[Counters, State]:
        """Where to go, which may be where it is, and the counters to go on with, those of a new phase if one has ended.

        Args:
            cost: of a move to whichever state, in seconds.
        """
        enough = self.patience * cost
        counters = self
        if self.regret and all(regret >= enough for regret in self.regret.values()):
            patience = self.patience
            if self.left:
                patience = _doubled(patience) if self.spared < 0.0 else DRIFT_PATIENCE.default
            counters = replace(self, regret=dict.fromkeys(self.regret, 0.0), nothing=0.0, patience=patience)
        able = [state for state, lead in self.lead.items() if lead >= enough and counters.regret[state] < enough]
        if able:
            return counters, min(able, key=lambda state: (counters.regret[state], -self.lead[state], state))
        return (counters if counters is self else replace(counters, lead={})), present

    def moved(self, present: State, to: State, cost: float) -> Counters:
        """A move was made."""
        return replace(self, lead={}, left=present, spared=-cost) if to != present else self

    def barred(self, state: State) -> Counters:
        """A move was paid for and the state turned out to be no better: it is full until the phase ends, and patience doubles."""
        barred = {**self.regret, state: inf}
        return replace(self, regret=barred, lead={**self.lead, state: 0.0}, patience=_doubled(self.patience))


def _doubled(patience: float) -> float:
    return min(2 * patience, DRIFT_PATIENCE_MOST.default)
