"""Records the first run of the applications of one draw, once.

    python -m tests.corpus.record drawn|redrawn TREE [KEEP]

`TREE` names the state of the pruner that is tried (a commit); plans and pruned roots stay below `KEEP`. Writes the draw's record,
and refuses when it is there: a first run cannot be had twice.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.corpus.drawn import DRAWS
from tests.corpus.pool import SEED
from tests.corpus.table import rows


def main(words: list[str]) -> int:
    """Run, print and write; 2 when there is a record or no name of the state."""
    if len(words) not in (2, 3) or words[0] not in DRAWS:
        print(f"usage: python -m tests.corpus.record {'|'.join(DRAWS)} TREE [KEEP]")
        return 2
    draw = DRAWS[words[0]]
    if draw.record.exists():
        print(f"{draw.record} exists")
        return 2
    found = rows(list(draw.apps.values()), "root", Path(words[2]) if words[2:] else None)
    runs = [
        {
            "app": row.app, "run": "F" if row.failure else "P", "mb": round(row.bytes / 1e6, 1),
            "fat_mb": round(row.fat_bytes / 1e6, 1), "failure": row.failure, "differing": list(row.differing),
        }
        for row in found
    ]  # fmt: skip
    draw.record.write_text(
        json.dumps({"seed": SEED, "tree": words[1], "runs": runs}, indent=1, ensure_ascii=False) + "\n"
    )
    for run in runs:
        print(run["run"], run["app"], run["mb"], run["failure"][:300])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
