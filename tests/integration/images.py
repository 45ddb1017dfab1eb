"""Real images in a storage of their own: made by buildah, handed over as archives and layouts."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import need, syft


@dataclass(frozen=True)
class Builder:
    """buildah with a storage of its own, so that no image of the machine is seen or left."""

    storage: Path

    def __call__(self, *argv: str) -> str:
        command = [need("buildah"), "--storage-driver", "vfs", "--root", f"{self.storage}/root"]
        done = subprocess.run(
            [*command, "--runroot", f"{self.storage}/run", *argv], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()

    def commit(self, name: str, root: Path, *config: str, base: str = "scratch") -> None:
        """An image of `root`: a layer upon the image `base`, with the options `config` of `buildah config`."""
        container = self("from", "--pull-never", base)
        mounted = Path(self("mount", container))
        for child in mounted.iterdir():
            subprocess.run(["rm", "-rf", str(child)], check=True)
        # what is as it was, times included, does not become part of the layer
        subprocess.run(["cp", "-a", f"{root}/.", str(mounted)], check=True)
        self("umount", container)
        if config:
            self("config", *config, container)
        self("commit", "--rm", "--quiet", "--format", "docker", container, name)

    def reconfigure(self, image: str, name: str, *config: str) -> None:
        """An image `name` with the layers of `image` and other configuration."""
        container = self("from", "--pull-never", image)
        self("config", *config, container)
        self("commit", "--rm", "--quiet", "--format", "docker", container, name)

    def push(self, image: str, target: str, *options: str) -> None:
        """Write `image` to `target` (`docker-archive:FILE`, `oci:DIRECTORY:TAG`, `oci-archive:FILE:TAG`)."""
        self("push", "--quiet", *options, image, target)

    def remove(self) -> None:
        """Remove all images and the storage."""
        self("rmi", "--all", "--force")
        shutil.rmtree(self.storage, ignore_errors=True)


def scan_image(archive: Path, output: Path) -> None:
    """Write syft's JSON report of a docker-archive, with every file selected, to `output`."""
    settings = {"SYFT_FILE_METADATA_SELECTION": "all", "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    command = [syft(), "scan", "--quiet", f"docker-archive:{archive}", "--output", f"syft-json={output}"]
    subprocess.run(command, env={**os.environ, **settings}, check=True)
