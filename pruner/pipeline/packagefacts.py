"""Facts about installed packages that follow from their files: what they ship, and who could find it."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from pruner.analyze.loader import is_loader_directory
from pruner.model import File, FileType, PackageId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruner.analyze.view import View


class PackageFacts:
    """Answers questions about the packages of one view; answers are computed once, when first asked for."""

    def __init__(self, view: View) -> None:
        self._view = view

    @cached_property
    def files_of(self) -> Mapping[PackageId, tuple[str, ...]]:
        """Real paths of what each package owns, sorted."""
        files: defaultdict[PackageId, list[str]] = defaultdict(list)
        for path, owners in self._view.inventory.owners.items():
            for owner in owners:
                files[owner].append(path)
        return defaultdict(tuple, {owner: tuple(sorted(set(paths))) for owner, paths in files.items()})

    @cached_property
    def _elf_directories(self) -> Mapping[PackageId, frozenset[str]]:
        """For each package with ELF files the directories that hold them."""
        found: defaultdict[PackageId, set[str]] = defaultdict(set)
        for package, paths in self.files_of.items():
            for path in paths:
                file = self._view.tree.files.get(path)
                if file is not None and self.is_elf(file):
                    found[package].add(path.rpartition("/")[0])
        return {package: frozenset(directories) for package, directories in found.items()}

    @cached_property
    def _sbom_knows_executables(self) -> bool:
        return any(file.executable for file in self._view.inventory.files.values())

    def is_elf(self, file: File) -> bool:
        """Whether `file` is an executable or shared object: the SBOM says so, or where it can't, its first bytes."""
        if file.type is not FileType.REGULAR or self._sbom_knows_executables:
            return file.executable
        content = self._view.read(file.path)
        return content is not None and bytes(content[:4]) == b"\x7fELF"

    def has_elf(self, package: PackageId) -> bool:
        """Whether the package ships any executable or shared object."""
        return package in self._elf_directories

    def is_private(self, package: PackageId) -> bool:
        """Whether the package is made of modules: nothing of it lies where a loader or a command look-up would find it.

        Scripts among its commands don't count where it has extension modules of its own (libdbi-perl ships dbiprof).
        """
        commands = self._command_directories
        directories = self._elf_directories.get(package, frozenset())
        if directories:
            return not any(directory in commands or is_loader_directory(directory) for directory in directories)
        return not any(path.rpartition("/")[0] in commands for path in self.files_of[package])

    @cached_property
    def _command_directories(self) -> frozenset[str]:
        found = (self._view.tree.resolve(directory).path for directory in self._view.search_path)
        return frozenset(directory for directory in found if directory)

    @cached_property
    def dependents_of(self) -> Mapping[PackageId, tuple[PackageId, ...]]:
        """For each package the installed packages that directly declare a need of it."""
        found: defaultdict[PackageId, set[PackageId]] = defaultdict(set)
        for package in self._view.inventory.packages:
            for clause in self._view.clauses(package.id):
                for option in clause:
                    found[option].add(package.id)
        return defaultdict(tuple, {package: tuple(sorted(dependents)) for package, dependents in found.items()})
