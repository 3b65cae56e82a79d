"""Commits that no window accounts for: another connection to the same file, or one of ours that was gone past.

Every commit moves the pair of WAL size and header iteration (rollbacks, temporary tables and reads do not: measured). So while no
window is open the pair must be what it was when the last one closed.
"""

from __future__ import annotations

from sartor.freshness.identity import HeldDescriptor
from sartor.freshness.registry import Registry


class Watch:
    """Compares the pair with what the windows account for.

    Args:
        shared: others may write this file through this process at any time. Then no move of the pair is taken for ours,
            for one commit can not be told from two.
    """

    __slots__ = ("_held", "_pair", "_shared")

    def __init__(self, held: HeldDescriptor, *, shared: bool) -> None:
        self._held = held
        self._shared = shared
        self._pair = held.pair()

    def settle(self) -> None:
        """A window is about to close: what the pair shows now is accounted for. To be called before the close."""
        if not self._shared:
            self._pair = self._held.pair()

    def accounts_for(self, registry: Registry) -> bool:
        """Whether all that was committed passed through a window; says False once for each move that did not."""
        state = registry.state
        if state.open and not self._shared:
            return True
        pair = self._held.pair()
        if pair == self._pair or (registry.state is not state and not self._shared):
            return True
        self._pair = pair
        return False
