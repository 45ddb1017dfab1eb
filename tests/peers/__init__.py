"""Selection held against other solvers over the whole Debian archive: aspcud fed by dose-ceve, dose-debcheck, apt."""
