"""The command line: one file a command; parse, call, print, exit code."""

from pruner.cli.app import app

__all__ = ["app"]
