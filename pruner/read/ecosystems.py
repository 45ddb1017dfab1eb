"""Which entries of an SBOM are installed packages, and what ecosystem they belong to."""

from __future__ import annotations

DISTRIBUTION_TYPES = ("deb", "apk", "rpm", "alpm", "portage", "nix")
"""Ecosystems whose packages make up the operating system; they come first among the owners of a file."""

METADATA_ALIASES = {
    "AlpmMetadata": "alpm-db-entry",
    "ApkMetadata": "apk-db-entry",
    "BinaryMetadata": "binary-signature",
    "CargoPackageMetadata": "rust-cargo-lock-entry",
    "DpkgMetadata": "dpkg-db-entry",
    "GemMetadata": "ruby-gemspec",
    "GolangBinMetadata": "go-module-buildinfo-entry",
    "GolangMetadata": "go-module-buildinfo-entry",
    "GolangModMetadata": "go-module-entry",
    "JavaMetadata": "java-archive",
    "NixStoreMetadata": "nix-store-entry",
    "NpmPackageJSONMetadata": "javascript-npm-package",
    "NpmPackageLockJSONMetadata": "javascript-npm-package-lock-entry",
    "PhpComposerJSONMetadata": "php-composer-lock-entry",
    "PortageMetadata": "portage-db-entry",
    "PythonPackageMetadata": "python-package",
    "PythonPipfileLockMetadata": "python-pipfile-lock-entry",
    "PythonRequirementsMetadata": "python-pip-requirements-entry",
    "RpmMetadata": "rpm-db-entry",
    "RpmdbMetadata": "rpm-db-entry",
    "YarnLockJSONMetadata": "javascript-yarn-lock-entry",
}
"""`metadataType` before schema 12 (syft/internal/packagemetadata/names.go)."""

_DECLARED_ONLY = frozenset(
    {
        "conan-entry",
        "dart-pubspec",
        "dart-pubspec-lock-entry",
        "dpkg-archive-entry",
        "github-actions-use-statement",
        "go-module-entry",
        "haskell-hackage-stack-entry",
        "java-archive-pom",
        "python-pdm-lock-entry",
        "python-pip-requirements-entry",
        "rpm-archive",
        "terraform-lock-provider-entry",
    }
)
_DECLARING_CATALOGERS = (
    "-lock-cataloger",
    "-lockfile-cataloger",
    "deb-archive-cataloger",
    "rpm-archive-cataloger",
    "gemfile-cataloger",
    "java-pom-cataloger",
)
_DATABASES = {"deb": "dpkg-db-entry", "apk": "apk-db-entry", "rpm": "rpm-db-entry"}

_TYPE_OF_PURL = {
    "pypi": "python",
    "maven": "java-archive",
    "golang": "go-module",
    "composer": "php-composer",
    "cargo": "rust-crate",
    "generic": "binary",
}


def is_installed(*, ecosystem: str, metadata_type: str, found_by: str) -> bool:
    """Whether an entry stands for something that is installed.

    Directory scans also list what lock files, manifests and package archives lying in the tree name. A `deb`, `apk`
    or `rpm` that does not come from the package database (an ELF package note names its origin so) is none either.
    """
    if metadata_type in _DECLARED_ONLY or metadata_type.endswith("-lock-entry"):
        return False
    database = _DATABASES.get(ecosystem)
    if database is not None and metadata_type not in {database, ""}:
        return False
    if database is not None and found_by == "elf-binary-package-cataloger":
        return False
    return not found_by.endswith(_DECLARING_CATALOGERS)


def type_of_purl(purl_type: str) -> str:
    """Syft's word for the ecosystem of a purl type."""
    return _TYPE_OF_PURL.get(purl_type, purl_type)
