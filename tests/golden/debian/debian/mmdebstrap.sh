#!/bin/sh
# Installs the planned root below mmdebstrap's own apt: suite and mirror need not be the machine's. Made by pruner.
#
#   mmdebstrap.sh SUITE OUTPUT.tar [MIRROR…]
#
# To go without what README calls missing: ALLOW_MISSING=1 in the environment.
#
# --variant=custom installs nothing by itself, and the hooks take the planned names out of the planned packages:
# mmdebstrap's own path filters would be one pattern for every name, and apt would add what is declared but not planned.
set -eu
[ $# -ge 2 ] || {
  printf 'usage: mmdebstrap.sh SUITE OUTPUT.tar [MIRROR...]\n' >&2
  exit 2
}
suite=$1
PRUNER_OUTPUT=$(CDPATH='' cd -- "$(dirname -- "$2")" && pwd -P)/$(basename -- "$2")
PRUNER_PLAN=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
export PRUNER_OUTPUT PRUNER_PLAN
shift 2
trap 'rm -f -- "$PRUNER_OUTPUT.partial"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck disable=SC2016 # mmdebstrap's shell expands them
mmdebstrap --variant=custom --mode=root --format=null --architectures=amd64 --skip=chroot/mount \
  --customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG sh "$PRUNER_PLAN/install.sh" \
    ${ALLOW_MISSING:+--allow-missing} "$1/.pruned"' \
  --customize-hook='tar -c -f "$PRUNER_OUTPUT.partial" -C "$1/.pruned" --sort=name --numeric-owner \
    --xattrs --xattrs-include=security.capability .' \
  "$suite" /dev/null "$@"
mv -f -- "$PRUNER_OUTPUT.partial" "$PRUNER_OUTPUT"
