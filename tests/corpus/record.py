"""Records the first run of the drawn applications, once.

    python -m tests.corpus.record TREE [KEEP]

`TREE` names the state of the pruner that is tried (a commit); plans and pruned roots stay below `KEEP`. Writes `drawn/first-run.json`, and
refuses when it is there: a first run cannot be had twice.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.corpus.drawn import DRAWN, FIRST_RUN
from tests.corpus.pool import SEED
from tests.corpus.table import rows


def main(words: list[str]) -> int:
    """Run, print and write; 2 when there is a record or no name of the state."""
    if len(words) not in (1, 2) or FIRST_RUN.exists():
        print(f"{FIRST_RUN} exists" if FIRST_RUN.exists() else "usage: python -m tests.corpus.record TREE [KEEP]")
        return 2
    found = rows(list(DRAWN.values()), "root", Path(words[1]) if words[1:] else None)
    runs = [
        {
            "app": row.app, "run": "F" if row.failure else "P", "mb": round(row.bytes / 1e6, 1),
            "fat_mb": round(row.fat_bytes / 1e6, 1), "failure": row.failure, "differing": list(row.differing),
        }
        for row in found
    ]  # fmt: skip
    FIRST_RUN.write_text(
        json.dumps({"seed": SEED, "tree": words[0], "runs": runs}, indent=1, ensure_ascii=False) + "\n"
    )
    for run in runs:
        print(run["run"], run["app"], run["mb"], run["failure"][:300])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
