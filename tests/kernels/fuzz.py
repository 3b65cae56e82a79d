"""Every check of the kernels with fresh seeds: `python -m tests.kernels.fuzz --cases 5000`."""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Sequence

from tests.kernels.checks import CHECKS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, each check in turn; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1, help="of the first case")
    asked = parser.parse_args(arguments)
    began, failed = time.monotonic(), 0
    for case in range(asked.cases):
        check = CHECKS[case % len(CHECKS)]
        seed = asked.seed * 1_000_003 + case
        try:
            check(seed)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED: {check.__name__}({seed})", flush=True)
    print(f"{asked.cases} cases of {len(CHECKS)} checks in {time.monotonic() - began:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
