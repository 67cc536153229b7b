"""What came out, for people: a table, the ratios that were promised, and a plot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.rounds import Measured
from bench.wires import WIRES, Wire

FASTER, ADDED = 8.0, 0.25
"""Promised on each wire: so many times the other's calls/s at 16, and at most this part of its added p50 at 1."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One wire's promise: `faster` at concurrency 16, `added` p50 at 1 as a part of the other's."""

    wire: str
    faster: float
    added: float

    @property
    def kept(self) -> bool:
        """Whether both halves hold."""
        return self.faster >= FASTER and self.added <= ADDED


def ratios(all_: Sequence[Measured]) -> list[Ratio]:
    """The ratio of each wire; needs rows at concurrency 1 and 16."""
    found = {(each.server, each.wire, each.concurrency): each for each in all_}
    upstream = found["tenant", None, 1].p50

    def one(wire: Wire) -> Ratio:
        faster = found["nudj-mcp", wire, 16].per_second / found["FastMCP", wire, 16].per_second
        added = (found["nudj-mcp", wire, 1].p50 - upstream) / (found["FastMCP", wire, 1].p50 - upstream)
        return Ratio(wire, faster, added)

    return [one(wire) for wire in WIRES]


def table(all_: Sequence[Measured]) -> str:
    """All figures as a Markdown table."""
    lines = [
        "| server | wire | at once | p50 us | p99 us | calls/s | CPU us/call | RSS MB |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for each in sorted(all_, key=lambda each: (each.concurrency, each.wire or "", each.server)):
        figures = (each.p50, each.p99, each.per_second, each.cpu_us, each.rss_mb)
        cells = (each.server, each.wire or "direct", str(each.concurrency), *(f"{figure:,.0f}" for figure in figures))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def promise(all_: Sequence[Measured]) -> str:
    """The ratios as a Markdown table."""
    lines = [
        f"| wire | calls/s at 16, of FastMCP's (>= {FASTER:g}) | added p50 at 1, of FastMCP's (<= {ADDED:g}) | |",
        "|---|--:|--:|---|",
    ]
    lines += [
        f"| {each.wire} | {each.faster:.1f}x | {each.added:.3f} | {'kept' if each.kept else 'NOT KEPT'} |"
        for each in ratios(all_)
    ]
    return "\n".join(lines)


def write(folder: Path, name: str, all_: Sequence[Measured], machine: Mapping[str, str]) -> None:
    """Leave `<name>.md`, `.json` and `.png` in a folder: the page, the plain figures and the plot."""
    about = "\n".join(f"- {name}: {said}" for name, said in machine.items())
    page = f"""# One tool call, measured

Made by `python -m bench`; medians over alternated rounds. The servers run on one core; the load generator (wrk) and the
tenant (nginx, 5 KB of JSON) share the other. Every answer is looked at. On our side all checks, the audit to a file and
metrics are on; FastMCP's `from_openapi` and `JWTVerifier` have the same operation among twenty. "Direct" is the request
to the tenant without a server between; "added" is what a server puts on top.

{about}

{promise(all_)}

{table(all_)}

![plot]({name}.png)
"""
    (folder / f"{name}.md").write_text(page, "utf-8")
    figures = {"machine": dict(machine), "measured": [asdict(each) for each in all_]}
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    _plot(folder / f"{name}.png", all_)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _plot(path: Path, all_: Sequence[Measured]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - an extra, needed for nothing else

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415 - as above

    rows = [each for each in all_ if each.wire is not None]
    concurrencies = sorted({each.concurrency for each in rows})
    names = sorted({(each.server, each.wire or "") for each in rows})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2))
    for place, name in enumerate(names):
        mine = sorted((each for each in rows if (each.server, each.wire) == name), key=lambda each: each.concurrency)
        where = [number + place * 0.2 for number in range(len(concurrencies))]
        colour = ("#b8860b", "#e0b040", "#1f4e8c", "#5b93d6")[place % 4]
        label = " ".join(name)
        for axis, values in ((left, [e.per_second for e in mine]), (right, [e.p50 / 1000 for e in mine])):
            axis.bar_label(axis.bar(where, values, 0.2, label=label, color=colour), fmt=_short, fontsize=6)
    right.set_yscale("log")
    for axis, title in ((left, "calls/s (more is better)"), (right, "p50 ms (log scale, less is better)")):
        axis.set(title=title, xlabel="calls at once")
        axis.set_xticks([number + 0.3 for number in range(len(concurrencies))], [str(each) for each in concurrencies])
    figure.legend(*left.get_legend_handles_labels(), loc="lower center", ncols=4, fontsize=8)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, dpi=110)
