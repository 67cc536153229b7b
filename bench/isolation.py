"""`python -m bench.isolation`: what a slow, dead or flooding organisation costs another one, judged against 20 %."""

import sys
from functools import partial

import anyio

from tests.hosted import hosted
from tests.isolation import TROUBLES, measure

ALLOWED = 1.2
ROUNDS = 9
ROUND_S = 4.0


def main() -> int:
    """Measure and judge; 1 when a neighbour cost more."""
    held = True
    with hosted() as here:
        for trouble in TROUBLES:
            found = anyio.run(partial(measure, here, trouble, rounds=ROUNDS, round_s=ROUND_S))
            moved = found.beside_p99 / found.alone_p99
            held = held and moved < ALLOWED
            print(f"{trouble:9} {found}; p99 moved by {100 * (moved - 1):+.0f} %")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
