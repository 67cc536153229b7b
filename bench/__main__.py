"""The comparison with one command: `python -m bench`."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import machine, peer, report
from bench.rounds import measure
from bench.scene import scene

_HERE = Path(__file__).parent

LEAN = "cut to twenty operations and to small schemas without references, which is what it is fastest with"
WHOLE = "the API's own, cut to twenty operations"


def main() -> int:
    """Run it; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each contender at each concurrency, per round")
    parser.add_argument(
        "--at-once", type=int, nargs="+", default=[1, 16, 64], help="concurrencies; 1 and 16 are needed"
    )
    parser.add_argument("--results", type=Path, default=_HERE / "results")
    parser.add_argument("--peer", type=Path, default=_HERE.parent / "build" / "fastmcp", help="venv of FastMCP")
    parser.add_argument(
        "--whole-document",
        action="store_true",
        help="give FastMCP the API's document as it is, not the leanest one; results are named so",
    )
    said = parser.parse_args()
    python = peer.installed(said.peer)
    about = machine.described() | {"FastMCP": peer.version(python)}
    about["its document"] = WHOLE if said.whole_document else LEAN
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with scene(folder, python, lean=not said.whole_document) as contenders:
            found = measure(
                contenders,
                concurrencies=said.at_once,
                rounds=said.rounds,
                seconds=said.seconds,
                folder=folder,
                tell=lambda line: print(line, file=sys.stderr, flush=True),
            )
    said.results.mkdir(parents=True, exist_ok=True)
    report.write(said.results, "bench-whole-document" if said.whole_document else "bench", found, about)
    print(f"{report.table(found)}\n\n{report.promise(found)}")
    return 0 if all(ratio.kept for ratio in report.ratios(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
