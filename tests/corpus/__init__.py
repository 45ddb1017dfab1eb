"""Real applications on real fat root filesystems, and the checks that a pruned one still runs.

    apps/     one declaration an application: packages, set-up, entry points, smoke test, reference size
    roots     builds the fat root of an application (mmdebstrap) and its SBOM (syft), cached outside the tree
    sandbox   runs commands and services in a root the way a container runtime would
    table     plan, apply, smoke test, re-scan and measure every application, and judge the result

The roots take about 6 GB below `$PRUNER_CACHE` (default `~/.cache/pruner`). Everything here needs
root: it makes device nodes, changes owners and mounts overlays.
"""
