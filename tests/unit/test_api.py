"""The public API: small, documented, and importable without side effects."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pruner


def test_all_is_documented() -> None:
    """Every public name exists and says what it is for; the package's docstring shows the pipeline."""
    assert pruner.__all__ == sorted(pruner.__all__, key=str.lower)
    assert "make_plan" in (pruner.__doc__ or "")
    for name in pruner.__all__:
        value = getattr(pruner, name)
        assert isinstance(value, str) or inspect.getdoc(value)


def test_every_module_is_documented() -> None:
    """Every module has a docstring, and every name in an `__all__` exists."""
    names = [
        module.name for module in pkgutil.walk_packages(pruner.__path__, "pruner.") if module.name != "pruner.__main__"
    ]
    assert len(names) > 80
    for name in names:
        module = importlib.import_module(name)
        assert module.__doc__, name
        assert [public for public in getattr(module, "__all__", ()) if not hasattr(module, public)] == [], name


def test_version_is_a_release() -> None:
    """The version is one that packaging knows."""
    from packaging.version import Version

    assert str(Version(pruner.__version__)) == pruner.__version__
