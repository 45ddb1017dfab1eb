#!/bin/sh
# Makes the planned root out of the locked Alpine packages and of the state beside this script. Made by pruner.
#
#   install.sh [-X REPOSITORY]… [--repositories-file FILE] [--keys-dir DIRECTORY] DEST
#
#   DEST  an empty directory, or one that does not exist yet
#   -X    a repository to install from: an address, or a directory with one directory an architecture in it
#
# Without -X or --repositories-file the repositories of this machine are used, without --keys-dir its keys.
# It needs root, apk, awk, comm, find, sed, sort, tar and xargs (busybox has them all). No script of a package runs.
# The packages are installed beside DEST, what is not planned is taken away, and the result is renamed: DEST is complete
# or not there. What can't be installed from packages is listed in `not-installed.txt`, where there is such a file.
set -eu
unset TAR_OPTIONS POSIXLY_CORRECT
umask 022
LC_ALL=C
export LC_ALL

architecture=@ARCHITECTURE@

say() {
  printf 'pruner: %s\n' "$1" >&2
}

fail() {
  say "$1"
  exit "${2:-1}"
}

usage() {
  fail "$1: usage: install.sh [-X REPOSITORY] [--repositories-file FILE] [--keys-dir DIRECTORY] DEST" 2
}

# Line breaks can't stand in what apk is given, and would make one name two.
check_word() {
  case $1 in
  '' | *'
'*) usage "a word is empty or holds a line break" ;;
  esac
}

destination=
repositories=
keys=/etc/apk/keys
while [ "$#" -gt 0 ]; do
  option=$1
  shift
  case $option in
  -X | --repository | --repositories-file | --keys-dir)
    [ "$#" -gt 0 ] || usage "$option lacks its value"
    check_word "$1"
    case $option in
    --repositories-file)
      [ -r "$1" ] || fail "$1: can't be read" 3
      repositories="$repositories$(cat -- "$1")
"
      ;;
    --keys-dir) keys=$1 ;;
    *)
      repositories="$repositories$1
"
      ;;
    esac
    shift
    ;;
  -*) usage "$option is unknown" ;;
  *)
    check_word "$option"
    [ -z "$destination" ] || usage "more than one DEST"
    destination=$option
    ;;
  esac
done
[ -n "$destination" ] || usage "DEST is missing"
if [ -z "$repositories" ]; then
  [ -r /etc/apk/repositories ] || fail "no repository: give one with -X" 2
  repositories=$(cat /etc/apk/repositories)
fi
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
command -v apk >/dev/null 2>&1 || fail "apk is missing: run this on Alpine Linux, or in a container of it" 4
[ -d "$keys" ] || fail "$keys: no such directory" 3
keys=$(CDPATH='' cd -- "$keys" && pwd)
case $destination in
/*) ;;
*) destination=$(pwd)/$destination ;;
esac
while [ "$destination" != "${destination%/}" ]; do
  destination=${destination%/}
done
[ -n "$destination" ] || fail "/: is not empty" 2
if [ -e "$destination" ] || [ -L "$destination" ]; then
  if [ -L "$destination" ] || [ ! -d "$destination" ]; then
    fail "$destination: is no directory" 2
  fi
  [ -z "$(cd -- "$destination" && find . ! -name . -print | head -n 1)" ] || fail "$destination: is not empty" 2
fi
[ "$(id -u)" -eq 0 ] || fail "only root can set the owners of files" 4
@ATTRIBUTES@
partial=$destination.partial
stage=$partial/root
mkdir -- "$partial" || fail "$partial: left by another run? remove it"

clean() {
  # apk mounts one for scripts; an interrupted one may have left it
  umount "$stage/proc" 2>/dev/null || :
  rm -rf -- "$partial"
}
trap clean EXIT
trap 'exit 130' HUP INT TERM

printf '%s\n' "$repositories" >"$partial/repositories"
mkdir -- "$stage"

run_apk() {
  apk --root "$stage" --arch "$architecture" --keys-dir "$keys" --repositories-file "$partial/repositories" \
    --no-cache --no-progress "$@"
}

# -- packages: exactly the locked versions ---------------------------------------------------------------------------

run_apk add --initdb --no-scripts >/dev/null || fail "apk could not make a database"
set --
while IFS= read -r wanted; do
  set -- "$@" "${wanted%%=*}"
done <"$here/world"
sed 's/=/-/' "$here/world" | sort >"$partial/wanted"
run_apk search --all --exact "$@" | sort -u >"$partial/available"
comm -23 "$partial/wanted" "$partial/available" >"$partial/missing"
if [ -s "$partial/missing" ]; then
  sed 's/^/pruner: not in any repository: /' "$partial/missing" >&2
  fail "locked versions are not available any more: plan again from an image of today, or give a repository with them"
fi
set --
while IFS= read -r wanted; do
  set -- "$@" "$wanted"
done <"$here/world"
run_apk add --no-scripts "$@" >&2 || fail "apk could not install the locked versions"

database=$stage/lib/apk/db/installed
[ -f "$database" ] || database=$stage/usr/lib/apk/db/installed
awk -F: '
  { value = substr($0, 3) }
  $1 == "C" { checksum = value }
  $1 == "P" { name = value }
  $1 == "V" { print name, value, checksum }
' "$database" | sort >"$partial/installed"
comm -23 "$here/checksums" "$partial/installed" >"$partial/other"
if [ -s "$partial/other" ]; then
  sed 's/^/pruner: not what the lock says: /' "$partial/other" >&2
  fail "the repository has other archives under the locked versions"
fi

# -- the path filter: names that apk put there and the plan does not hold go ------------------------------------------

[ -z "$(find "$stage" -name '*
*' -print | head -n 1)" ] || fail "a package holds a name with a line break"

names() { # names TYPE: what is there of one type, directories or links among them never followed
  (
    cd -- "$stage"
    case $1 in
    o) find . ! -type d ! -type f ! -type l -print ;;
    *) find . ! -name . -type "$1" -print ;;
    esac
  ) | sort
}

planned() { # planned TYPE: what is kept of what packages bring
  sed -n "s/^$1 [0-7]* [0-9]* [0-9]* //p" "$here/paths" | sort
}

for type in d f l o; do
  planned "$type" >"$partial/planned.$type"
  names "$type" >"$partial/there.$type"
  comm -13 "$partial/planned.$type" "$partial/there.$type" | tr '\n' '\0' >"$partial/surplus.$type"
  [ "$type" = d ] || comm -23 "$partial/planned.$type" "$partial/there.$type" >>"$partial/lacking"
done
if [ -s "$partial/lacking" ]; then
  sed 's/^/pruner: planned, but in no package: /' "$partial/lacking" >&2
  fail "the packages do not hold what the plan expects of them"
fi
for type in o l f d; do
  if [ -s "$partial/surplus.$type" ]; then
    (cd -- "$stage" && xargs -0 rm -rf -- <"$partial/surplus.$type")
  fi
done

# Packages' scripts make users and set owners; they did not run.
cut -d ' ' -f 1-4 "$here/paths" | grep -v '^d' | sort -u >"$partial/owners" || :
while read -r type mode uid gid; do
  sed -n "s/^$type $mode $uid $gid //p" "$here/paths" | tr '\n' '\0' >"$partial/group"
  (
    cd -- "$stage"
    xargs -0 chown -h "$uid:$gid" -- <"$partial/group"
    [ "$type" = l ] || xargs -0 chmod "$mode" -- <"$partial/group"
  )
done <"$partial/owners"

# -- state: what no package holds, from the plan ----------------------------------------------------------------------
#
@STATE@

unpack() {
  tar -x -f "$1" -C "$stage" -p --numeric-owner @XATTRS@|| fail "tar could not write $1"
}

unpack "$here/directories.tar"
unpack "$here/state.tar"
unpack "$here/directories.tar" # again, for the times
# Links have the time at which apk, or a tar that restores none, made them: another one every time.
(cd -- "$stage" && TZ=UTC0 find . -type l -exec touch -h -t 197001010000.00 {} +)
TZ=UTC0 touch -t 197001010000.00 "$stage"

(
  cd -- "$stage"
  sha256sum -c "$here/files.sha256" 2>/dev/null || :
) | sed -n 's/: FAILED.*//p' >"$partial/differing"
if [ -s "$partial/differing" ]; then
  say "DEST holds these as their packages bring them; the image had them otherwise, changed after they were installed"
  say "or, where the lock states no checksum, of another archive of the same version:"
  cat "$partial/differing" >&2
fi
[ ! -f "$here/not-installed.txt" ] || say "not installed, see not-installed.txt: $(grep -vc '^#' "$here/not-installed.txt")"

[ ! -d "$destination" ] || rmdir -- "$destination"
mv -- "$stage" "$destination"
