#!/bin/sh
# Copies the kept names of the image that this runs in, and adds the ones that the plan makes.
#
#   prune.sh CONTEXT DESTINATION
#
#   CONTEXT/kept.nul  names to copy, `./` before each, NUL behind each, directories before what is in them
#   CONTEXT/made.tar  names that the plan makes
#   DESTINATION       an empty directory
#
# It needs a tar in the image, and root. Names of files never reach the shell.
set -eu
unset TAR_OPTIONS POSIXLY_CORRECT
LC_ALL=C
PATH=${PATH:-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

context=$1
destination=$2

fail() {
  printf 'pruner: %s\n' "$1" >&2
  exit 1
}

# File capabilities are an extended attribute; others (labels of a security module) are the host's own.
pack_gnu() {
  tar -c -f - -C / --no-recursion --xattrs --xattrs-include=security.capability --no-unquote \
    --null -T "$context/kept.nul"
}

unpack_gnu() {
  tar -x -f - -C "$destination" -p --numeric-owner --xattrs --xattrs-include=security.capability
}

pack_bsd() {
  tar -c -f - -C / -n --format pax --null -T "$context/kept.nul"
}

# Other tars (busybox) read names by the line and keep no extended attributes.
pack_plain() {
  tar -c -f - -C / --no-recursion -T "$context/kept.lines"
}

unpack_plain() {
  tar -x -f - -C "$destination" -p --numeric-owner
}

copy_kept() {
  { "$1" || : >"$context/failed"; } | "$2" || fail 'tar could not write the kept files'
  [ ! -e "$context/failed" ] ||
    fail 'the image does not hold all kept files (tar names them above): was the plan made from this image?'
}

command -v tar >/dev/null 2>&1 ||
  fail 'the image has no tar: install tar in it, or use "pruner apply" on its root file system instead'

case $(tar --version 2>&1 || :) in
*'GNU tar'*)
  copy_kept pack_gnu unpack_gnu
  ;;
*bsdtar*)
  copy_kept pack_bsd unpack_plain
  ;;
*)
  case $(tar --help 2>&1 || :) in
  *-T*) ;;
  *) fail 'the tar of the image reads no list of names: install GNU tar in it' ;;
  esac
  [ "$(tr -cd '\n' <"$context/kept.nul" | wc -c)" -eq 0 ] ||
    fail 'names of kept files hold line breaks, which only GNU tar or bsdtar copies: install one of them in the image'
  tr '\0' '\n' <"$context/kept.nul" >"$context/kept.lines"
  copy_kept pack_plain unpack_plain
  ;;
esac

tar -x -f "$context/made.tar" -C "$destination" -p --numeric-owner || fail 'tar could not write the made files'
