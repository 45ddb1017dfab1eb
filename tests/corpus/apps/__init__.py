"""The applications of the corpus by name: every module here that declares one, in order of its name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.model import App

APPS: dict[str, App] = {
    app.name: app for app in (import_module(f"{__name__}.{module.name}").APP for module in iter_modules(__path__))
}
