"""Components of CycloneDX documents, which may hold components of their own (CycloneDX 1.6, component.components)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Nested(Protocol):
    """Anything with further ones of its kind below it."""

    @property
    def components(self) -> Iterable[Any] | None:
        """Those directly below; None and nothing are the same."""


_N = TypeVar("_N", bound=Nested)


def flat(components: Iterable[_N]) -> Iterator[_N]:
    """Every one of `components` and of those below them, however deep, in no order that means anything."""
    pending = list(components)
    while pending:
        component = pending.pop()
        yield component
        pending.extend(component.components or ())
