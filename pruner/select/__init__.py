"""Exact package selection: the provably smallest set of packages that satisfies a request."""
