"""How fast and how large the journal is: `python -m benchmarks.journal [--records N] [--folder F]`.

Turns of a session full of orders and fills, as the tests have, in commits of 50. Processor
time is what counts on a busy machine; a folder in memory (`/dev/shm`) leaves the disk out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journal.entries import turns

from intrabar.journal.backup import backup, verify_backup
from intrabar.journal.journal import open_journal
from intrabar.journal.restore import restore
from intrabar.journal.verifying import verify

COMMIT = 50  # records in a transaction


@contextmanager
def timed(what: str, records: int) -> Iterator[None]:
    wall, busy = time.perf_counter(), time.process_time()
    yield
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    print(f"{what:<28}{wall:8.2f} s {busy:8.2f} s busy {records / busy:12,.0f} records/s busy")


def measure(folder: Path, records: int) -> None:
    flat = [entry for turn in turns(records // 8) for entry in turn][:records]
    count = len(flat)
    url = f"sqlite:///{folder / 'journal.db'}"
    journal = open_journal(url, "main", folder, 0)
    with timed("append, commits of 50", count):
        for first in range(0, count, COMMIT):
            journal.append(flat[first : first + COMMIT])
    steps: dict[str, Callable[[], object]] = {
        "read, chain checked": lambda: sum(1 for _ in journal.read()),
        "verify": lambda: verify(journal.store),
        "verify deep": lambda: verify(journal.store, deep=True),
    }
    for what, step in steps.items():
        with timed(what, count):
            step()
    with timed("backup", count):
        path = backup(journal.store, folder / "backups", 0)
    with timed("verify backup deep", count):
        verify_backup(path, deep=True)
    with timed("restore", count):
        restore(path, f"sqlite:///{folder / 'again.db'}", 0)
    journal.close()
    size = (folder / "journal.db").stat().st_size
    kept = sum(file.stat().st_size for file in (folder / "backups").rglob("*") if file.is_file())
    print(f"{size / count:.0f} bytes a record with its tables, {kept / count:.0f} in the backup")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measure(Path(folder), given.records)


if __name__ == "__main__":
    main()
