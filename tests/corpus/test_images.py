"""The emitted Dockerfile, built for real applications: the image's root passes the same smoke test.

Needs root, buildah and what the corpus needs. `make images` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.apps import APPS
from tests.corpus.roots import cache_dir, fat_root
from tests.corpus.table import differing_packages
from tests.corpus.trial import smoke_trial
from tests.integration.test_dockerfile import Builder
from tests.support import ROOT, need, skip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.corpus

CONFIGURED = {
    "python": ("--entrypoint", '["python3", "/app/main.py"]', "--workingdir", "/app"),
    "nginx": ("--entrypoint", '["nginx", "-g", "daemon off;"]', "--port", "80", "--stop-signal", "SIGQUIT"),
    "redis": ("--entrypoint", '["redis-server"]', "--cmd", "/etc/redis/redis.conf", "--port", "6379"),
}


@pytest.fixture
def builder() -> Iterator[Builder]:
    need("buildah")
    if os.geteuid() != 0:
        skip("buildah with chroot isolation needs root")
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="images-") as storage:
        made = Builder(Path(storage))
        yield made
        made("rm", "--all")
        made("rmi", "--all", "--force")


@pytest.mark.parametrize("name", list(CONFIGURED))
def test_built_image_runs(name: str, builder: Builder, tmp_path: Path) -> None:
    """`buildah build` of the plan directory gives a root in which the application passes its smoke test."""
    fat = fat_root(APPS[name])
    builder.image("fat", fat.root, *CONFIGURED[name])
    entries = [f"--entry={entry}" for entry in fat.app.entries]
    plan = tmp_path / "plan"
    command = [sys.executable, "-m", "pruner", "plan", fat.sbom, "--root", fat.root, "--image", "localhost/fat"]
    subprocess.run([*command, *entries, "--quiet", "--output", plan], cwd=ROOT, check=True)
    builder("build", "--isolation", "chroot", "--format", "docker", "--pull-never", "-t", "pruned", str(plan))
    root = builder.mounted("pruned")
    assert smoke_trial(fat, root).failure == ""
    packages = json.loads((plan / "plan.json").read_bytes())["packages"]
    kept = [package for package in packages if package["decision"] != "drop"]
    assert differing_packages(kept, root, tmp_path / "pruned.json") == ()
