"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.predicate_cache.support import everything_is_remembered


@pytest.fixture
def remembered() -> Iterator[None]:
    """Everything is remembered."""
    with everything_is_remembered():
        yield
