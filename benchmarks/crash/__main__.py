# ruff: noqa: T201 - printing is what it is for
"""`python -m benchmarks.crash [--seed N] [--recipients 3000] [--kills 50]`: the whole history on SQLite and PostgreSQL.

PostgreSQL is a server of its own in a temporary folder, which is stopped as by a loss of power; where its programs are
missing a line says so. The seed is printed: the same one draws the same steps again. Ends with 1 if anything is found
that must not be.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.crash.cluster import open_cluster, programs
from benchmarks.crash.history import Told, run
from benchmarks.crash.plan import Trouble, draw

PAST_THE_LEASE = 31.0  # seconds
JITTER = 0.01  # seconds at most between a step and what happens at it
WINDOW = 4  # mails of a connection that are on their way by BDAT


def main() -> int:
    """Both databases, and once more by BDAT; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__.partition("\n\n")[2])
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--recipients", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8, help="of each process")
    given = parser.parse_args()
    print(f"seed {given.seed}: {given.recipients:,} recipients, {given.processes} processes of {given.connections}")
    usual = {Trouble.KILL: given.kills, Trouble.STOP: 2, Trouble.CUT: 8}

    def history(
        url: str, amounts: dict[Trouble, int], *, chunking: int = 0, restart: Callable[[], None] | None = None
    ) -> Told:
        return run(
            url,
            draw(given.seed, recipients=given.recipients, amounts=usual | amounts, jitter=JITTER),
            recipients=given.recipients,
            processes=given.processes,
            connections=given.connections,
            chunking=chunking,
            lease=PAST_THE_LEASE,
            restart=restart,
        )

    faults = []
    with tempfile.TemporaryDirectory(prefix="crash-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may have to be another user
        faults += tell("SQLite", history(f"sqlite:///{folder}/crash.db", {Trouble.FULL: 6}))
        faults += tell("SQLite, by BDAT", history(f"sqlite:///{folder}/chunks.db", {Trouble.FULL: 6}, chunking=WINDOW))
        if where := programs():
            with open_cluster(where, folder / "cluster") as cluster:
                faults += tell("PostgreSQL", history(cluster.url, {Trouble.RESTART: 4}, restart=cluster.crash))
        else:
            print("# without PostgreSQL: `apt-get install postgresql` brings initdb and pg_ctl")
    return 1 if faults else 0


def tell(database: str, told: Told) -> list[str]:
    """Print what came of it; the faults."""
    account = told.account
    troubles = ", ".join(f"{amount} x {trouble}" for trouble, amount in sorted(told.troubles.items()))
    print(f"\n{database}: {troubles}; {told.started} processes in {told.seconds:.0f} s")
    print(f"  {account.taken:,} mails taken for {account.recipients:,} recipients")
    print(f"  lost {len(account.lost)}; doubled {account.doubled}, mails on their way at the cuts {account.allowed}")
    print(f"  uncertain {account.uncertain}, of which again by hand {told.retried}")
    print(
        f"  under more than one Message-ID {len(account.renamed)}, too many without a record {len(account.unrecorded)}"
    )
    for fault in account.faults:
        print(f"  WRONG: {fault}")
    return account.faults


if __name__ == "__main__":
    sys.exit(main())
