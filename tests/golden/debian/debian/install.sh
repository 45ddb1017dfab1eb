#!/bin/sh
# Installs the planned root from Debian packages of exactly the planned versions. Made by pruner.
#
#   install.sh [--allow-missing] DEST
#
# DEST is empty or does not exist. It needs root, apt with the archive's current lists (apt-get update), dpkg-deb and
# what is essential in Debian. No maintainer script is run. The tree grows in DEST.partial, is compared name by name
# with the plan, and takes its name when it is complete; otherwise nothing is left.
#
# Beside it: packages.txt and lists/ (what to take of which package), tree.tar (directories), state.tar (what no
# package brings), owners.txt, expected.nul and digests.nul (what the result must be), missing.nul.
#
# 4 packages bring 4 names.
# 10 names come with the plan, in state.tar:
#   /etc/os-release: no package brings it; state: names the distribution to scanners and programs
#   /etc/tool.conf: no package brings it; data: names /etc/tool.conf
#   /var/lib/dpkg/status.d/ld: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/ld.md5sums: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/libtool1: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/libtool1.md5sums: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/tool: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/tool.md5sums: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/words: made by the plan; package database of what is kept
#   /var/lib/dpkg/status.d/words.md5sums: made by the plan; package database of what is kept
set -eu
unset TAR_OPTIONS POSIXLY_CORRECT APT_LISTCHANGES_FRONTEND
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 022

partial=
scratch=

say() {
  printf 'pruner: %s\n' "$1" >&2
}

fail() {
  say "$1"
  exit "${2:-1}"
}

cleanup() {
  status=$?
  trap - EXIT HUP INT TERM
  cd /
  [ -z "$scratch" ] || rm -rf -- "$scratch"
  [ -z "$partial" ] || rm -rf -- "$partial"
  exit "$status"
}

# Names that end up on a terminal.
plain() {
  tr '\0' '\n' | tr -c '[:print:]\n' '?'
}

usage() {
  fail 'usage: install.sh [--allow-missing] DEST  (DEST: a directory that is empty or does not exist)' 2
}

compare() { # EXPECTED FOUND, records that end with NUL; what differs goes to standard error
  sort -z -- "$1" >"$scratch/expected"
  sort -z -- "$2" >"$scratch/found"
  cmp -s -- "$scratch/expected" "$scratch/found" && return 0
  comm -z -23 -- "$scratch/expected" "$scratch/found" | plain | sed -n '1,10s/^/  planned: /p' >&2
  comm -z -13 -- "$scratch/expected" "$scratch/found" | plain | sed -n '1,10s/^/  found:   /p' >&2
  return 1
}

extract() { # ARCHIVE LIST DIRECTORY [TRANSFORM]
  rm -f -- "$scratch/failed"
  { dpkg-deb --fsys-tarfile "$1" || : >"$scratch/failed"; } |
    tar -x -f - -C "$3" -p --numeric-owner --same-owner --no-recursion --no-unquote --no-wildcards \
      ${4:+"--transform=$4"} --null -T "$2" ||
    return 1
  [ ! -e "$scratch/failed" ]
}

# dpkg-deb writes `./` before names; other makers of packages do not, which tar tells apart.
unpack() { # as extract
  extract "$@" 2>"$scratch/said" && return 0
  sed -z 's,^\./,,' -- "$2" >"$scratch/bare"
  extract "$1" "$scratch/bare" "$3" "${4:-}" 2>/dev/null && return 0
  plain <"$scratch/said" >&2
  return 1
}

unpack_own() { # ARCHIVE DIRECTORY
  tar -x -f "$1" -C "$2" -p --numeric-owner --same-owner --xattrs --xattrs-include=security.capability \
    --xattrs-include='user.*'
}

file_of() { # NAME VERSION ARCHITECTURE: how apt names the archive
  printf '%s_%s_%s.deb' "$(printf '%s' "$1" | sed 's/_/%5f/g')" "$(printf '%s' "$2" | sed 's/:/%3a/g')" "$3"
}

# The versions must all be there, and be what was locked, before anything is fetched.
look_up() {
  if ! apt_get --print-uris download "$@" >"$scratch/uris" 2>"$scratch/errors"; then
    sed -n "s/^E: Version '\(.*\)' for '\(.*\)' was not found\$/pruner: \2 \1 is no longer in the archive/p;
      s/^E: Unable to locate package \(.*\)\$/pruner: \1 is not in the archive/p;
      s/^E: Can't find a source to download version '\(.*\)' of '\(.*\)'\$/pruner: \2 \1 is no longer in the archive/p
      " "$scratch/errors" >"$scratch/named"
    if [ -s "$scratch/named" ]; then cat "$scratch/named" >&2; else cat "$scratch/errors" >&2; fi
    fail 'nothing was downloaded: run apt-get update, add an archive that has these versions, or plan again'
  fi
  while read -r _ name version architecture checksum; do
    [ "$checksum" != - ] || continue
    offered=$(offered_hash "$(file_of "$name" "$version" "$architecture")")
    [ -z "$offered" ] || [ "$offered" = "$checksum" ] ||
      fail "the archive offers another $name $version than was locked (sha256 $offered): nothing was downloaded"
  done <"$here/packages.txt"
}

offered_hash() { # FILE: the SHA256 that apt's lists state for it
  while read -r _ file _ hash; do
    [ "$file" != "$1" ] || printf '%s' "${hash#SHA256:}"
  done <"$scratch/uris"
}

apt_get() {
  apt-get -qq -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 "$@"
}

fetch() {
  set --
  while read -r _ name version architecture _; do
    set -- "$@" "$name:$architecture=$version"
  done <"$here/packages.txt"
  [ $# -gt 0 ] || return 0
  look_up "$@"
  mkdir "$scratch/archives"
  (cd "$scratch/archives" && apt_get download "$@") || fail 'apt could not download the packages'
  while read -r _ name version architecture checksum; do
    archive=$scratch/archives/$(file_of "$name" "$version" "$architecture")
    [ -f "$archive" ] || fail "apt did not bring $name $version"
    # Without a locked checksum apt has compared the archive with its signed lists.
    [ "$checksum" = - ] || printf '%s  %s\n' "$checksum" "$archive" | sha256sum --check --status ||
      fail "$name $version has another checksum than was locked"
  done <"$here/packages.txt"
}

place() {
  transform=$(cat "$here/rename.sed")
  while read -r number name version architecture _; do
    archive=$scratch/archives/$(file_of "$name" "$version" "$architecture")
    lists=$here/lists/$number
    if [ -e "$lists.nul" ]; then
      unpack "$archive" "$lists.nul" "$partial" "$transform" ||
        fail "$name $version does not hold what the plan takes of it (tar names it above)"
    fi
    if [ -e "$lists.moved.nul" ]; then
      mkdir "$scratch/stage"
      unpack "$archive" "$lists.moved.nul" "$scratch/stage" ||
        fail "$name $version does not hold what the plan takes of it (tar names it above)"
      # shellcheck disable=SC2016 # the inner shell expands them
      (cd "$scratch/stage" && xargs -0 -n 2 sh -c 'mv -T -- "$1" "$0/$2"' "$partial" <"$lists.pairs.nul")
      rm -rf -- "$scratch/stage"
    fi
    rm -f -- "$archive"
  done <"$here/packages.txt"
  cd "$partial"
  if [ -e "$here/copies.txt" ]; then
    xargs -0 -n 2 cp -- <"$here/lists/copies.nul"
    xargs -0 touch -d "@$(cat "$here/copies.txt")" -- <"$here/lists/copied.nul"
  fi
  xargs -0 -r rm -f -- <"$here/lists/surplus.nul"
  xargs -0 -r rmdir -- <"$here/lists/surplus-directories.nul"
}

set_owners() {
  while read -r number uid gid mode; do
    xargs -0 -r chown -h -- "$uid:$gid" <"$here/lists/owners-$number.nul"
    [ "$mode" = - ] || xargs -0 -r chmod -- "$mode" <"$here/lists/owners-$number.nul"
  done <"$here/owners.txt"
}

same_but_sizes() { # of the records that `compare` left
  for side in expected found; do
    sed -z 's/^\(f [0-7]* [0-9]* [0-9]*\) [0-9]* /\1 - /' "$scratch/$side" | sort -z >"$scratch/$side.loose"
  done
  cmp -s -- "$scratch/expected.loose" "$scratch/found.loose"
}

otherwise() { # SED, from a record to its name: whether all that differs is configuration, which an image may change
  comm -z -3 -- "$scratch/expected" "$scratch/found" | sed -z "s/^$(printf '\t')//; $1" | sort -z -u >"$scratch/names"
  comm -z -23 -- "$scratch/names" "$here/conffiles.nul" >"$scratch/others"
  [ ! -s "$scratch/others" ] || return 1
  say 'the image had these configuration files otherwise, and their content is not known'
  [ -n "$allow_missing" ] ||
    fail 'give --allow-missing to take those of the packages, or plan with the root filesystem'
}

check() {
  find . -mindepth 1 \( -type f -printf '%y %m %U %G %s %p -> \0' -o -printf '%y %m %U %G 0 %p -> %l\0' \) \
    >"$scratch/tree"
  compare "$here/expected.nul" "$scratch/tree" ||
    { same_but_sizes && otherwise 's/^f [0-7]* [0-9]* [0-9]* [0-9]* //; s/ -> $//'; } ||
    fail 'the packages hold other files than the plan was made from: they differ above'
  [ -s "$here/digests.nul" ] || return 0
  sed -z 's/^[0-9a-f]*  //' "$here/digests.nul" | xargs -0 sha256sum --zero -- >"$scratch/digests"
  compare "$here/digests.nul" "$scratch/digests" ||
    otherwise 's/^[0-9a-f]*  //' ||
    fail 'files of the packages have other content than the SBOM states: they differ above'
}

# As update-ca-certificates joins it: every certificate with a line break at its end.
join_authorities() {
  [ -e "$here/bundle.txt" ] || return 0
  bundle=etc/ssl/certs/ca-certificates.crt
  # shellcheck disable=SC1003,SC2016 # for sed: append nothing, which ends the last line
  xargs -0 sed -s -e '$a\' -- <"$here/lists/authorities.nul" >"$bundle"
  read -r mode uid gid time digest <"$here/bundle.txt"
  chown -- "$uid:$gid" "$bundle"
  chmod -- "$mode" "$bundle"
  touch -d "@$time" -- "$bundle"
  [ "$digest" != - ] || return 0
  printf '%s  %s\n' "$digest" "$bundle" | sha256sum --check --status && return 0
  say 'the CA bundle that the packages give is not the one of the image: it held authorities of its own'
  [ -n "$allow_missing" ] || fail 'give --allow-missing to go without them, or plan with the root filesystem'
}

allow_missing=
while [ $# -gt 0 ]; do
  case $1 in
  --allow-missing) allow_missing=1 ;;
  --)
    shift
    break
    ;;
  -*) usage ;;
  *) break ;;
  esac
  shift
done
if [ $# -ne 1 ] || [ -z "$1" ]; then usage; fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
for tool in apt-get dpkg-deb tar find xargs sort cmp comm sha256sum; do
  command -v "$tool" >/dev/null 2>&1 || fail "$tool is not there: this runs on Debian and what is made from it" 4
done
[ "$(id -u)" = 0 ] || fail 'owners and modes can be set by root alone: run it as root, or in a container' 4

if [ -s "$here/missing.nul" ]; then
  say 'the content of these files is not known (README says why), so they are not installed:'
  plain <"$here/missing.nul" | sed 's/^\./  /' >&2
  [ -n "$allow_missing" ] || fail 'give --allow-missing to install without them'
fi

parent=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd -P) || fail 'the directory that DEST is to lie in does not exist' 2
name=$(basename -- "$1")
case $name in
/ | . | ..) usage ;;
esac
destination=${parent%/}/$name
if [ -L "$destination" ] || { [ -e "$destination" ] && [ ! -d "$destination" ]; }; then
  fail "$destination is not a directory" 2
fi
if [ -d "$destination" ] && [ -n "$(find "$destination" -mindepth 1 -print -quit)" ]; then
  fail "$destination is not empty" 2
fi

trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -- "$destination.partial" || fail "$destination.partial is in the way: is another install running?"
partial=$destination.partial
scratch=$(mktemp -d)

fetch
unpack_own "$here/tree.tar" "$partial"
place
unpack_own "$here/state.tar" "$partial"
set_owners
check
join_authorities
unpack_own "$here/tree.tar" "$partial" # the times of directories
cd /
[ ! -d "$destination" ] || rmdir -- "$destination"
mv -T -- "$partial" "$destination"
partial=
say "installed $(tr -cd '\0' <"$here/expected.nul" | wc -c) names in $destination"
