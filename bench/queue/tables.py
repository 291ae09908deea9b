"""What the queue's figures say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.queue.crew import Shift
from bench.queue.mailing import Mailing
from bench.report import Cell, Goal, Table
from bench.sampling import Sample

GATEWAY = "Freehold, API"
POSTGREST = "Freehold, PostgREST directly"
SQL = "Freehold, SQL"
ONE_BY_ONE = "Freehold, API, one by one"
BARE = "pgmq alone: read and delete"
OURS = (GATEWAY, POSTGREST, SQL, ONE_BY_ONE, BARE)
THROUGHPUT, FACTOR, MEMORY = 10_000, 10, 100


@dataclass(frozen=True)
class Found:
    """`shifts` by contender; `hot` are rows of table, updates, share of HOT ones."""

    shifts: Mapping[str, Sequence[Shift]]
    mailing: Mailing
    latency: Sample
    hot: Sequence[Sequence[Cell]]

    @property
    def best(self) -> Mapping[str, Shift]:
        return {name: max(runs, key=lambda shift: shift.rate) for name, runs in self.shifts.items()}

    @property
    def rival(self) -> Shift:
        """procrastinate at its best."""
        return max((self.best[name] for name in self.best if name not in OURS), key=lambda shift: shift.rate)


def of(found: Found) -> list[Table]:
    return [_rates(found), _times(found), _writes(found), _mails(found)]


def goals(found: Found) -> list[Goal]:
    api = max(found.best[GATEWAY].rate, found.best[POSTGREST].rate)
    factor = found.best[GATEWAY].rate / found.rival.rate
    memory = max(found.mailing.peak_rss_mb, found.best[GATEWAY].rss_mb)
    return [
        Goal(
            f"through the API at least {THROUGHPUT:,} messages/s",
            f"{found.best[GATEWAY].rate:,.0f}/s through the gateway, "
            f"{found.best[POSTGREST].rate:,.0f}/s from PostgREST directly",
            api >= THROUGHPUT,
        ),
        Goal(f"at least {FACTOR} x procrastinate", f"{factor:.1f} x", factor >= FACTOR),
        Goal(f"a worker needs less than {MEMORY} MB", f"{memory:.0f} MB at most", memory < MEMORY),
    ]


def _rates(found: Found) -> Table:
    rows: list[list[Cell]] = []
    for name, runs in found.shifts.items():
        rates = sorted(shift.rate for shift in runs)
        x = f"{rates[-1] / found.rival.rate:.1f} x"
        rows.append([name, rates[-1], rates[len(rates) // 2], rates[0], x])
    return Table(
        "Claimed and completed, with their status written; messages a second",
        ("contender", "best", "median", "worst", "best : procrastinate's"),
        rows,
    )


def _times(found: Found) -> Table:
    """Where the processor's time goes, and how long a worker waits for its calls."""
    parts = ("postgres", "postgrest", "gateway", "workers")
    rows: list[list[Cell]] = []
    for name, shift in found.best.items():
        thousands = shift.messages / 1000
        spent: list[Cell] = [
            shift.cpu[part] * 1e3 / thousands if part in shift.cpu else None for part in parts
        ]
        waited: list[Cell] = [
            shift.calls[call] * 1e3 if call in shift.calls else None for call in ("claim", "complete")
        ]
        rows.append([name, *spent, *waited, f"{shift.rss_mb:.0f} MB"])
    return Table(
        "CPU milliseconds for 1,000 messages; milliseconds a call; memory of a worker process",
        ("contender", *parts, "claim", "complete", "memory"),
        rows,
    )


def _writes(found: Found) -> Table:
    return Table("Updates of rows", ("table", "updates", "of them HOT"), found.hot)


def _mails(found: Found) -> Table:
    return Table(
        "The whole way of a mail: claim, begin, SMTP, complete",
        ("what", "measured"),
        [
            [
                f"`freehold work`, one process at its defaults, {found.mailing.mails:,} mails",
                f"{found.mailing.rate:,.0f} mails/s",
            ],
            ["its peak memory", f"{found.mailing.peak_rss_mb:.0f} MB"],
            [
                "queued to claimed, by a worker that asks at once",
                f"{found.latency.middle * 1e3:.1f} ms (best {found.latency.best * 1e3:.1f})",
            ],
        ],
    )
