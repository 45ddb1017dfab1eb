#!/bin/sh
# Installs the packages of a plan of pruner into an empty directory, in exactly the planned versions, and keeps of them
# exactly the planned names. Scriptlets are not run.
#
#   install.sh DESTINATION [OPTION OF DNF]...
#
# It needs root, dnf, rpm and GNU tar, and the repositories that dnf knows or that the options name
# (--repofrompath, --repo, --forcearch, ...). kept.nul and state.tar lie beside it.
#
# The rpm database of the result lists the planned packages and no others. It names a sliced package's files that are
# not there, too: rpm can't leave out some of them. Scanners report the packages that it lists.
#
# These come from state.tar: no package brings them, or the image has them otherwise:
#   "/etc/changed": kept
#   "/etc/made": kept
#   "/etc/unowned": config: named by tool
#   "/usr/bin/again": kept
# Not everybody may read all of them: guard state.tar like the image.
#
# The plan keeps these too, and they are NOT MADE. Supply them where they are needed:
#   "/etc/unread": too large to be carried in a plan directory
#   "/etc/unread2": a socket, which whoever listens on it makes

set -eu
release=40
database=/usr/lib/sysimage/rpm
unmade=2
altered=0

planned() {
  cat <<'END'
library-0:1.0-1.x86_64
tool-2:1.0-1.x86_64
END
}

unset TAR_OPTIONS POSIXLY_CORRECT
LC_ALL=C
export LC_ALL
umask 022

fail() { # MESSAGE [STATUS]
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

[ $# -ge 1 ] || fail 'usage: install.sh DESTINATION [OPTION OF DNF]...' 2
destination=$1
shift
for tool in dnf rpm rpmdb tar grep mktemp; do
  command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing: it is needed to install rpm packages" 4
done
case $(tar --version 2>&1 || :) in
*'GNU tar'*) ;;
*) fail 'GNU tar is missing: no other reads names by NUL and keeps file capabilities' 4 ;;
esac
[ "$(id -u)" -eq 0 ] || fail 'only root can install packages with their owners' 4

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || fail 'the directory of this script is gone'
for part in kept.nul state.tar; do
  [ -r "$here/$part" ] || fail "$part must lie beside this script" 3
done
if [ -e "$destination" ] || [ -L "$destination" ]; then
  [ -d "$destination" ] || fail 'the destination is not a directory' 2
  [ -z "$(ls -A -- "$destination")" ] || fail 'the destination is not empty' 2
else
  [ -d "$(dirname -- "$destination")" ] || fail 'the directory that the destination is to be made in does not exist' 2
fi
parent=$(CDPATH='' cd -- "$(dirname -- "$destination")" && pwd -P) || fail 'the destination is out of reach' 2
name=$(basename -- "$destination")
case $name in
. | .. | /) fail 'the destination must be named by its own name' 2 ;;
esac
destination=${parent%/}/$name
[ ! -L "$destination" ] || fail 'the destination is a link' 2

# All work is done beside the destination and takes its name at the end, so that nothing half-made is left.
work=$(mktemp -d "${parent%/}/.pruner-rpm.XXXXXXXX") || fail 'no directory can be made beside the destination'
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root
new=$work/new
mkdir "$root" "$new" "$work/home" "$work/home/.config" "$work/home/.config/rpm"
# The database lies where the image has it, whatever this machine's rpm prefers (rpm reads either file; rpm(8)).
printf '%%_dbpath %s\n' "$database" >"$work/home/.rpmmacros"
cp "$work/home/.rpmmacros" "$work/home/.config/rpm/macros"
HOME=$work/home
XDG_CONFIG_HOME=$HOME/.config
export HOME XDG_CONFIG_HOME

planned >"$work/planned"

# What dnf is told each time. Versions are exact, so module streams and obsoletes must not hide or replace any.
# Documentation is filtered by path and not by nodocs: a name that a package marks %doc may be a planned one.
in_root() {
  dnf --assumeyes --quiet --installroot="$root" ${release:+"--releasever=$release"} \
    --setopt=install_weak_deps=False --setopt=tsflags=noscripts,notriggers \
    --setopt=obsoletes=0 --setopt='*.module_hotfixes=1' "$@"
}

# with_planned COMMAND [WORD]...: run it with the planned packages as its last words
with_planned() {
  while IFS= read -r package; do
    set -- "$@" "$package"
  done <"$work/planned"
  "$@"
}

with_planned in_root "$@" repoquery --qf '%{name}-%{epoch}:%{version}-%{release}.%{arch}\n' >"$work/available" ||
  fail 'dnf could not read the repositories'
if grep -Fxv -f "$work/available" "$work/planned" >"$work/missing"; then
  while IFS= read -r package; do
    printf 'install.sh: %s is not in the repositories\n' "$package" >&2
  done <"$work/missing"
  fail 'nothing was installed: plan again from an image of what the repositories hold, or name others'
fi
with_planned in_root "$@" install >"$work/log" || {
  cat "$work/log" >&2
  fail 'dnf could not install the packages'
}

# What dnf added for declared dependencies that the plan does without leaves the database; its files are not copied.
rpm --root "$root" -qa --qf '%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n' >"$work/installed"
if grep -Fxv -f "$work/installed" "$work/planned" >&2; then
  fail 'dnf did not install the packages above'
fi
if grep -Fxv -f "$work/planned" "$work/installed" >"$work/surplus"; then
  sed -e 's/-[0-9]*:\([^:]*\)$/-\1/' -e 's/\.(none)$//' "$work/surplus" >"$work/erased"
  while IFS= read -r package; do
    rpm --root "$root" --erase --justdb --nodeps --noscripts --notriggers --allmatches "$package" ||
      fail "$package could not be taken out of the database"
  done <"$work/erased"
fi
rpmdb --root "$root" --rebuilddb || fail 'the database could not be rebuilt'

# GNU tar names what it misses.
{
  tar -c -f - -C "$root" --no-recursion --xattrs --xattrs-include=security.capability --no-unquote \
    --null -T "$here/kept.nul" || : >"$work/failed"
} | tar -x -f - -C "$new" -p --numeric-owner --xattrs --xattrs-include=security.capability ||
  fail 'tar could not write the kept files'
[ ! -e "$work/failed" ] || fail 'the packages do not hold all planned names (tar names them above)'
tar -x -f "$here/state.tar" -C "$new" -p --numeric-owner --xattrs --xattrs-include='*' ||
  fail 'tar could not write the state'
mkdir -p "$new$database"
cp -R "$root$database/." "$new$database/"
rm -f "$new$database/.rpm.lock" "$new$database/rpmdb.sqlite-shm"
[ -s "$new$database/rpmdb.sqlite-wal" ] || rm -f "$new$database/rpmdb.sqlite-wal"

[ ! -d "$destination" ] || rmdir -- "$destination"
mv -T -- "$new" "$destination"
[ "$unmade" -eq 0 ] ||
  printf 'install.sh: %s planned names are not made; the head of this script lists them\n' "$unmade" >&2
[ "$altered" -eq 0 ] ||
  printf "install.sh: %s files are their packages' and not the image's own; the head lists them\n" "$altered" >&2
