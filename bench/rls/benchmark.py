"""Ask the same in turns: without row-level security, with Freehold's policies, with others'."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench import cluster, conditions
from bench.report import Cell, Goal, Report, Table
from bench.rls import portfolio, reads
from bench.rls.portfolio import FULL, QUICK, RENTER, SMALL, Known, Scale
from bench.rls.reads import (
    IN_SELECT,
    MEMBERS,
    MEMBERS_UNSET,
    OURS,
    OURS_UNSET,
    PER_ROW,
    TIMEOUT,
    TWO_ARMS,
    UNGUARDED,
    Contender,
    Read,
    Reader,
)
from bench.sampling import Sample, in_turns
from scripts.stack.layout import Stack

MOST = 1.2
SMALL_TABLE = (
    "A quick run judges nothing: here the large workspace is a fifth of a table that fits the cache, where a"
    " bitmap scan is the better plan and Freehold's query still reads along the index."
)
LOOKUPS = (
    "workspaces_with('leases.read')",
    "workspaces_in_reach('leases.read')",
    "has_portal()",
    "my_lease_ids()",
)

Readers = Mapping[Contender, Reader]
Samples = Mapping[Contender, Sample]


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 4 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    with cluster.database(stack, "rls") as database, cluster.superuser(stack, database) as connection:
        circumstances = conditions.of(connection, rows=f"{scale.leases:,} in {scale.workspaces:,} workspaces")
        say(f"Filling {scale.leases:,} leases in {scale.workspaces:,} workspaces")
        known = portfolio.fill(connection, scale)
        contenders = (UNGUARDED, OURS, TWO_ARMS, IN_SELECT, PER_ROW, MEMBERS, OURS_UNSET, MEMBERS_UNSET)
        with reads.readers(stack, database, contenders) as readers:
            found = {}
            for read in reads.READS:
                say(f"Measuring: {read.title}")
                found[read] = _by_membership(readers, read, known, scale)
            say("Measuring the rest")
            tables = [
                *(_reads_table(read, by_user) for read, by_user in found.items()),
                _plans_table(readers, known),
                _lookups_table(readers[OURS], known, scale),
                _small_table(readers, known, scale),
                _renter_table(readers, known, scale),
                _settings_table(readers, known, scale),
            ]
    ratios = [samples[OURS].best / samples[UNGUARDED].best for samples in found[reads.LARGE].values()]
    return Report(
        name="rls",
        title="Row-level security",
        conditions=circumstances,
        tables=tables,
        goals=[
            Goal(
                f"{scale.large:,} rows read: at most {MOST} x the time without row-level security",
                f"{max(ratios):.2f} x at worst, of {', '.join(f'{ratio:.2f}' for ratio in ratios)}",
                None if quick else max(ratios) <= MOST,
            )
        ],
        remarks=[
            "Milliseconds, the best of the runs; x is the ratio to the query without row-level security.",
            "Queries are prepared, as PostgREST does it: planning is in a figure only where that is said.",
            f"“{TWO_ARMS.title}” is the plain form of Freehold's policy: "
            "workspace_id = any (array(select …)) or id = any (array(select …)).",
            f"“> {TIMEOUT * 1000:,}”: cancelled by the statement timeout of authenticated.",
            *([SMALL_TABLE] if quick else []),
        ],
    )


def _by_membership(readers: Readers, read: Read, known: Known, scale: Scale) -> Mapping[int, Samples]:
    """By how many workspaces the user is in. Who ran into the timeout once is not asked again."""
    asked = {one: readers[one] for one in (UNGUARDED, OURS, TWO_ARMS, IN_SELECT, PER_ROW)}
    result: dict[int, Samples] = {}
    late: dict[Contender, Sample] = {}
    for user in scale.memberships:
        measured = _measured(asked, read, user, known, scale)
        late |= {one: sample for one, sample in measured.items() if sample.best >= TIMEOUT}
        asked = {one: reader for one, reader in asked.items() if one not in late}
        result[user] = {**measured, **late}
    return result


def _measured(
    readers: Readers, read: Read, user: int, known: Known, scale: Scale, *, prepared: bool = True
) -> Samples:
    for reader in readers.values():
        reader.become(user)
        reader.know(large=known.large, mine=known.mine.get(user, []))
    asked = {contender: reader.ask(read, prepared=prepared) for contender, reader in readers.items()}
    return in_turns(asked, rounds=scale.rounds, budget=scale.budget)


def _only(readers: Readers, *contenders: Contender) -> Readers:
    return {contender: readers[contender] for contender in contenders}


def _reads_table(read: Read, by_user: Mapping[int, Samples]) -> Table:
    shown = (OURS, TWO_ARMS, IN_SELECT, PER_ROW)
    rows = []
    for user, samples in by_user.items():
        base = samples[UNGUARDED].best
        row: list[Cell] = [_member(user), _ms(samples[UNGUARDED])]
        for one in shown:
            row += [
                _ms(samples[one]),
                f"{samples[one].best / base:,.2f} x" if samples[one].best < TIMEOUT else "",
            ]
        rows.append(row)
    titles = [cell for one in shown for cell in (one.title, "")]
    return Table(read.title, ("member of", UNGUARDED.title, *titles), rows)


def _plans_table(readers: Readers, known: Known) -> Table:
    """Why Freehold's policies are not written in the plain form."""
    extracts = []
    user = max(known.mine.keys() & {1, 10, 100})
    for contender in (OURS, TWO_ARMS):
        reader = readers[contender]
        reader.become(user)
        reader.know(large=known.large, mine=known.mine[user])
        extracts.append(f"{contender.title}:\n{reader.plan(reads.NAMED_PAGE)}")
    rows: list[list[Cell]] = [[reads.NAMED_PAGE.title, f"{user:,}"]]
    return Table("Plans", ("query", "member of"), rows, "\n\n".join(extracts))


def _lookups_table(reader: Reader, known: Known, scale: Scale) -> Table:
    """What a policy asks once a query, whatever the query reads."""
    rows: list[list[Cell]] = []
    for user in scale.memberships:
        reader.become(user)
        asked = {one: _asking(reader, f"cardinality(array(select private.{one}))") for one in LOOKUPS}
        samples = in_turns({"": _asking(reader, "1"), **asked}, rounds=500, budget=scale.budget)
        trip = _milliseconds(samples[""])
        rows.append([_member(user), *(_milliseconds(samples[one]) - trip for one in LOOKUPS)])
    return Table("The fixed cost: looking up who asks; ms a query", ("member of", *LOOKUPS), rows)


def _asking(reader: Reader, expression: str) -> Callable[[], object]:
    return lambda: reader.connection.execute(f"select {expression}".encode(), prepare=True)


def _small_table(readers: Readers, known: Known, scale: Scale) -> Table:
    """The worst case of a page without a filter: few of the rows are the user's."""
    asked = _only(readers, UNGUARDED, OURS, TWO_ARMS, MEMBERS, IN_SELECT)
    rows = []
    for read in (reads.PAGE, reads.PAGE_BY_ID, reads.RENTS_BY_ID):
        samples = _measured(
            {one: asked[one] for one in asked if read.table == "leases" or one is not MEMBERS},
            read,
            SMALL,
            known,
            scale,
        )
        rows.append([read.title, *(_ms(samples[one]) if one in samples else None for one in asked)])
    title = "A member of one small workspace pages without a filter; ms"
    return Table(title, ("query", *(one.title for one in asked)), rows)


def _renter_table(readers: Readers, known: Known, scale: Scale) -> Table:
    """Somebody who rents one unit in the large workspace, and is a member of none."""
    asked = _only(readers, OURS, TWO_ARMS)
    rows = []
    for read in (Read("leases"), Read("lease_terms", table="lease_terms")):
        samples = _measured(asked, read, RENTER, known, scale)
        rows.append([read.title, *(_ms(samples[one]) for one in asked)])
    return Table(
        "A renter in the large workspace reads all that is theirs; ms",
        ("table", *(one.title for one in asked)),
        rows,
    )


def _settings_table(readers: Readers, known: Known, scale: Scale) -> Table:
    """What random_page_cost = 1.1 is for: a connection's first runs of a query, and all unprepared ones."""
    asked = _only(readers, UNGUARDED, OURS, OURS_UNSET, MEMBERS, MEMBERS_UNSET)
    rows = []
    for user in scale.memberships:
        samples = _measured(asked, reads.NAMED_PAGE, user, known, scale, prepared=False)
        rows.append([_member(user), *(_ms(samples[one]) for one in asked)])
    title = f"{reads.NAMED_PAGE.title}, planned anew, at random_page_cost 1.1 and at 4; ms, planning included"
    return Table(title, ("member of", *(one.title for one in asked)), rows)


def _member(user: int) -> str:
    return f"{user:,} workspaces" if user > 1 else "1 workspace"


def _ms(sample: Sample) -> Cell:
    return _milliseconds(sample) if sample.best < TIMEOUT else f"> {TIMEOUT * 1000:,}"


def _milliseconds(sample: Sample) -> float:
    return sample.best * 1e3
