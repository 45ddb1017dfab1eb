"""Sentences about what an input does not hold, where more than one module needs to know them."""

from __future__ import annotations

ONLY_OWNED_FILES = (
    "the SBOM lists only files that packages own: links, directories and state are missing; "
    "scan with SYFT_FILE_METADATA_SELECTION=all"
)
NO_FILES = "the SBOM lists no files with type and size; syft-json scanned with SYFT_FILE_METADATA_SELECTION=all does"
NO_SIZES = "the SBOM holds no sizes of files, which Syft states since 0.78.0"
NO_LIBRARIES = "the SBOM holds no imported libraries, which syft-json states since Syft 1.1.0"
NO_DEBIAN_DEPENDENCIES = (
    "the SBOM holds no declared dependencies of Debian packages, which syft-json states since Syft 0.94.0"
)
NO_DECLARATIONS = "the SBOM holds no declared dependencies, only the edges that were made from them"
NO_IMAGE_CONFIG = "the SBOM holds no image configuration, which syft-json does"
NO_OWNERS = "the SBOM does not say which package owns a file"

HEALED_BY_ROOT = frozenset({ONLY_OWNED_FILES, NO_FILES, NO_SIZES, NO_LIBRARIES, NO_OWNERS})
"""What a root filesystem makes up for."""

HEALED_BY_DATABASE = frozenset({NO_DEBIAN_DEPENDENCIES, NO_DECLARATIONS})
"""What a package database in the root makes up for."""
