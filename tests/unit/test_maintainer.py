"""Maintainer scripts, followed over a root in memory: what they make, and what is said of the rest."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruner.maintainer import ComposedRoot, open_installed
from pruner.maintainer.certificates import keystore
from pruner.maintainer.conditions import evaluate
from pruner.maintainer.knowledge import bundled_commands
from pruner.maintainer.words import _cut
from pruner.model import FileType
from tests.support import need
from tests.unit.packages import apk, deb

PASSWD = b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
GROUP = b"root:x:0:\nadm:x:4:\nwww-data:x:33:\nusers:x:100:\n"
BASE_FILES = {"/usr/share/base-passwd/passwd.master": PASSWD, "/usr/share/base-passwd/group.master": GROUP}
BASE_SCRIPT = """#!/bin/sh
[ -e "$DPKG_ROOT/etc/passwd" ] || cp "$DPKG_ROOT/usr/share/base-passwd/passwd.master" "$DPKG_ROOT/etc/passwd"
[ -e /etc/group ] || cp /usr/share/base-passwd/group.master /etc/group
"""


def opened(directory: Path) -> ComposedRoot:
    root = open_installed(directory)
    assert isinstance(root, ComposedRoot)
    return root


def installed(
    directory: Path,
    script: str,
    files: dict[str, bytes | str] | None = None,
    *,
    control: dict[str, str] | None = None,
    **how: Any,
) -> ComposedRoot:
    """The root of a base package and of package `app`, whose postinst has the lines of `script`."""
    deb(directory, "base-passwd", {"/etc/": b"", **BASE_FILES}, control={"postinst": BASE_SCRIPT})
    scripts = {"postinst": f"#!/bin/sh\nset -e\n{script}\n", **(control or {})}
    deb(directory, "app", {"/var/": b"", "/var/lib/": b"", **(files or {})}, control=scripts, **how)
    return opened(directory)


def text(root: ComposedRoot, path: str) -> str:
    return bytes(root.read(path)).decode()


def unknowns(root: ComposedRoot) -> list[str]:
    return [unknown.detail.partition(" in: ")[2] for unknown in root.unknowns]


def test_directories_with_owner_and_mode(tmp_path: Path) -> None:
    """mkdir, install -d, chown and chmod make directories as they would; the package is the reason."""
    root = installed(
        tmp_path,
        """
        install -d -o www-data -g adm -m 2750 /var/log/app
        mkdir -p /var/lib/app/a/b
        chown -R www-data:www-data /var/lib/app
        chmod 700 /var/lib/app && chmod u+x,g-w,o= /var/lib/app/a
        """,
    )
    log, home, inner = (root.files[path] for path in ("/var/log/app", "/var/lib/app", "/var/lib/app/a"))
    assert (log.mode, log.uid, log.gid) == (0o2750, 33, 4)
    assert (home.mode, home.uid, home.gid) == (0o700, 33, 33)
    assert (inner.mode, root.files["/var/lib/app/a/b"].uid) == (0o750, 33)
    assert root.reasons["/var/log/app"] == "made by app's postinst"
    assert root.unknowns == ()


def test_users(tmp_path: Path) -> None:
    """System users get ids from 100 in the order of the packages, with group, home and shell as adduser gives them."""
    root = installed(
        tmp_path,
        """
        if ! getent passwd app >/dev/null; then
          adduser --quiet --system --group --home /var/lib/app --gecos "The app" app
        fi
        addgroup --system extra
        adduser app extra
        groupadd -r other || true
        useradd --system --gid other --home-dir /srv --shell /bin/sh --comment C other
        usermod -a -G adm other
        """,
    )
    assert "app:x:100:101:The app:/var/lib/app:/usr/sbin/nologin" in text(root, "/etc/passwd")
    assert "other:x:101:103:C:/srv:/bin/sh" in text(root, "/etc/passwd")
    assert "extra:x:102:app\n" in text(root, "/etc/group")
    assert "adm:x:4:other\n" in text(root, "/etc/group")
    assert (root.files["/var/lib/app"].uid, root.files["/var/lib/app"].gid) == (100, 101)


def test_users_without_base_passwd(tmp_path: Path) -> None:
    """Where no package brings the distribution's users there are root and nobody; another owner is unknown."""
    deb(tmp_path, "app", {"/var/": b""}, control={"postinst": "#!/bin/sh\nchown www-data /var\n"})
    root = opened(tmp_path)
    assert [line.split(":")[0] for line in text(root, "/etc/passwd").splitlines()] == ["root", "nobody"]
    assert unknowns(root) == ["chown www-data /var"]


def test_sysusers_and_tmpfiles(tmp_path: Path) -> None:
    """Declared users are made where the script asks for them, declared directories always, since no container boots."""
    root = installed(
        tmp_path,
        "systemd-sysusers ${DPKG_ROOT:+--root=$DPKG_ROOT} app.conf",
        {
            "/usr/lib/sysusers.d/app.conf": b'# users\nu app - "An app" /var/lib/app\nm app adm\n',
            "/usr/lib/tmpfiles.d/app.conf": b"d /run/app 0750 app app -\nL /run/link - - - - /run/app\nd /home/%u\n",
        },
    )
    assert "app:x:100:101:An app:/var/lib/app:/usr/sbin/nologin" in text(root, "/etc/passwd")
    assert (root.files["/run/app"].mode, root.files["/run/app"].uid) == (0o750, 100)
    assert root.files["/run/link"].target == "/run/app"


def test_alternatives(tmp_path: Path) -> None:
    """The alternative of the highest priority is linked, with the slaves that are there, and recorded as dpkg does."""
    slaves = "--slave /usr/bin/nawk nawk /usr/bin/nmawk --slave /usr/share/man/awk.1 awk.1 /usr/share/man/mawk.1"
    call = "#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk /usr/bin"
    deb(
        tmp_path,
        "mawk",
        {"/usr/bin/mawk": b"", "/usr/bin/nmawk": b""},
        control={"postinst": f"{call}/mawk 5 \\\n {slaves}\n"},
    )
    deb(tmp_path, "gawk", {"/usr/bin/gawk": b""}, control={"postinst": f"{call}/gawk 10\n"})
    root = opened(tmp_path)
    assert root.files["/usr/bin/awk"].target == "/etc/alternatives/awk"
    assert root.files["/etc/alternatives/awk"].target == "/usr/bin/gawk"
    assert "/usr/share/man/awk.1" not in root.files
    record = text(root, "/var/lib/dpkg/alternatives/awk").split("\n")
    assert record[:2] == ["auto", "/usr/bin/awk"]
    assert {"/usr/bin/mawk", "/usr/bin/gawk"} <= set(record)


FLOW = r"""
make() { [ -e "$1" ] || { mkdir -p "$(dirname "$1")"; echo "$2" > "$1"; }; }
case "$1" in configure|abort-*) wanted=yes ;; *) exit 1 ;; esac
if [ "$1" = configure ] && [ -z "$2" ]; then fresh=true; else fresh=false; fi
[ "$fresh" = true ] || exit 0
for pair in one:1 two:2; do
  name=$(echo $pair | cut -d: -f1)
  make "/etc/app/$name" "${pair#*:} $wanted"
done
cat > /etc/app/here <<END
kept: $wanted ${HOME:-none} ${unset:-default} \$literal
END
while read -r key value; do echo "$value" >> /etc/app/values; done < /usr/share/app/list
! false && touch /etc/app/negated
grep -q '^b' /usr/share/app/list && ln -s ../here /etc/app/link
sed 's/ /-/' /usr/share/app/list | sort | head -n 1 > /etc/app/first
(cd /etc/app && mv negated moved)
rm -f /etc/app/two /etc/app/never
"""


def test_control_flow(tmp_path: Path) -> None:
    """Conditions, loops, functions, case, substitutions, pipelines and here-documents are followed."""
    root = installed(tmp_path, FLOW, {"/usr/share/app/list": b"b second\na first\n"})
    assert text(root, "/etc/app/one") == "1 yes\n"
    assert text(root, "/etc/app/here") == "kept: yes /root default $literal\n"
    assert text(root, "/etc/app/values") == "second\nfirst\n"
    assert text(root, "/etc/app/first") == "a-first\n"
    assert root.files["/etc/app/link"].target == "../here"
    assert "/etc/app/moved" in root.files
    assert not {"/etc/app/negated", "/etc/app/two"} & root.files.keys()
    assert root.unknowns == ()


def test_what_is_not_understood(tmp_path: Path) -> None:
    """A command that is not known, and what stands behind an unknown condition, is listed and not done."""
    root = installed(
        tmp_path,
        """
        generate-things --into /var/lib/app
        if generate-more; then mkdir /var/lib/yes; else mkdir /var/lib/no; fi
        answer=$(generate-answer) && mkdir "/var/lib/$answer"
        systemctl daemon-reload || true
        deb-systemd-helper enable app.service >/dev/null || true
        echo done
        """,
    )
    assert unknowns(root) == [
        "generate-things --into /var/lib/app; generate-more; mkdir /var/lib/yes; mkdir /var/lib/no; "
        "generate-answer; mkdir …"
    ]
    assert not {"/var/lib/yes", "/var/lib/no"} & root.files.keys()
    (unknown,) = root.unknowns
    assert (unknown.kind, unknown.subject) == ("maintainer-script", "package:deb:app:all:1")


def test_diversions_are_listed(tmp_path: Path) -> None:
    """A diversion is not carried out; the preinst that asks for one is listed."""
    script = "#!/bin/sh\ndpkg-divert --package app --add --rename --divert /f.real /f\n"
    root = installed(tmp_path, "", {"/f": b""}, control={"preinst": script})
    assert unknowns(root) == ["dpkg-divert --package app --add --rename --divert /f.real /f"]
    assert "its preinst was not followed" in root.unknowns[0].detail


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("while :; do :; done", "it takes too many steps to follow"),
        ("f() { f; }; f", "its functions call each other too deeply"),
        ("while [ 1 = 1 ]; do x=$x$x; done", "it takes too many steps to follow"),
        ("x=a; while :; do x=$x$x$x; done", "it takes too many steps to follow"),
        ("if [ 1", "parts of it could not be parsed"),
        ("$(" * 300 + ")" * 300, ""),
    ],
)
def test_hostile_scripts_end(tmp_path: Path, script: str, reason: str) -> None:
    """A script that never ends, or that is no script, is given up, and that is said."""
    root = installed(tmp_path, script)
    assert reason in " ".join(unknowns(root))


def test_nothing_leaves_the_root(tmp_path: Path) -> None:
    """Paths with `..` and links that point above the root stay inside the root in memory."""
    script = "echo x > /../../../etc/mine; ln -s ../../../.. /var/up; echo y > /var/up/etc/other"
    root = installed(tmp_path, script)
    assert (text(root, "/etc/mine"), text(root, "/etc/other")) == ("x\n", "y\n")
    assert not Path("/etc/mine").exists()


def test_no_shell_script(tmp_path: Path) -> None:
    """A script of another language is listed as not followed."""
    root = installed(tmp_path, "", control={"preinst": "#!/usr/bin/perl\nprint 1;\n"})
    assert unknowns(root) == ["is no shell script"]


def test_debconf_defaults(tmp_path: Path) -> None:
    """Questions are answered by their defaults, as where nobody is asked; without a default db_get fails."""
    templates = "Template: app/zone\nType: string\nDefault: UTC\n\nTemplate: app/other\nType: string\n"
    root = installed(
        tmp_path,
        ". /usr/share/debconf/confmodule\ndb_get app/zone && echo $RET > /etc/zone\n"
        "OTHER=kept\ndb_get app/other && OTHER=$RET\necho $OTHER > /etc/other\ndb_stop",
        control={"templates": templates},
    )
    assert (text(root, "/etc/zone"), text(root, "/etc/other")) == ("UTC\n", "kept\n")


def test_database_lists_what_is_installed(tmp_path: Path) -> None:
    """dpkg's status, file lists and conffiles are those that dpkg would have written."""
    deb(
        tmp_path,
        "app",
        {"/etc/": b"", "/etc/app.conf": b"x\n", "/usr/": b"", "/usr/lib/": b"", "/usr/lib/app.so": b""},
        fields="Multi-Arch: same\n",
        architecture="amd64",
        control={"conffiles": "/etc/app.conf\n", "md5sums": "d41d8cd98f00b204e9800998ecf8427e  usr/lib/app.so\n"},
    )
    root = opened(tmp_path)
    status = text(root, "/var/lib/dpkg/status")
    assert "Package: app\nStatus: install ok installed\n" in status
    assert f"Conffiles:\n /etc/app.conf {hashlib.md5(b'x' + bytes([10])).hexdigest()}\n" in status
    assert text(root, "/var/lib/dpkg/info/app:amd64.list").split("\n")[:3] == ["/.", "/etc", "/etc/app.conf"]


def test_apk_database(tmp_path: Path) -> None:
    """apk's installed database has the package's fields, relations, and files with their checksums."""
    fields = "depend = so:libc.musl-x86_64.so.1\ndepend = other\nprovides = cmd:app=1\nsize = 5\n"
    scripts = {".post-install": "#!/bin/sh\nmkdir /srv\n"}
    apk(tmp_path, "app", {"/bin/": b"", "/bin/app": b"hello"}, fields=fields, scripts=scripts)
    root = opened(tmp_path)
    lines = text(root, "/lib/apk/db/installed").split("\n")
    assert lines[0].startswith("C:Q1")
    listed = {"P:app", "V:1-r0", "A:x86_64", "D:so:libc.musl-x86_64.so.1 other", "p:cmd:app=1", "F:bin", "R:app"}
    assert listed <= set(lines)
    assert "Z:Q1qvTGHdzF6KLavt4PO0gs2a6pQ00=" in lines
    assert root.files["/srv"].type is FileType.DIRECTORY


def test_authorities(tmp_path: Path) -> None:
    """update-ca-certificates makes the bundle and the links of all authorities, in order of their names."""
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    root = installed(
        tmp_path,
        'update-ca-certificates --hooksdir ""',
        {
            "/usr/share/ca-certificates/m/B.crt": pem.replace("AAAA", "BBBB").encode(),
            "/usr/share/ca-certificates/m/A_(x).crt": pem.encode(),
            "/usr/local/share/ca-certificates/own.crt": b"own",
            "/etc/ca-certificates/update.d/jks-keystore": b"#!/bin/sh\n",
        },
    )
    assert text(root, "/etc/ssl/certs/ca-certificates.crt") == f"{pem}{pem.replace('AAAA', 'BBBB')}own\n"
    assert root.files["/etc/ssl/certs/A_=x=.pem"].target == "/usr/share/ca-certificates/m/A_(x).crt"
    assert root.files["/etc/ssl/certs/java/cacerts"].bytes > 20


def test_keystore() -> None:
    """A keystore is one that Java reads: magic, version, number of entries, and a digest over the password and all."""
    pem = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    data = keystore([("debian:a.pem", pem), ("damaged", b"none")])
    assert struct.unpack(">III", data[:12]) == (0xFEEDFEED, 2, 1)
    assert data[-22:-20] == b"0\0"
    expected = hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + data[:-20]).digest()
    assert data[-20:] == expected


def test_every_command_has_a_reason() -> None:
    """The bundled list of commands that leave nothing behind is read, and gives a reason for each."""
    commands = bundled_commands()
    assert commands["systemctl"].status is True
    assert all(entry.why for entry in commands.values())


WORDS = st.text(st.sampled_from("ab/. *?"), max_size=6)
TEXTS = st.text(st.sampled_from("ab/."), max_size=8)
OPERATORS = st.sampled_from(["#", "##", "%", "%%"])
CONDITIONS = st.sampled_from(["", "a", "b", "1", "2", "!", "=", "!=", "-eq", "-lt", "-n", "-z", "-a", "-o"])


@settings(max_examples=60)
@given(value=TEXTS, pattern=WORDS, operator=OPERATORS)
def test_patterns_are_cut_as_the_shell_cuts(value: str, pattern: str, operator: str) -> None:
    """Removing a prefix or suffix pattern gives what /bin/sh gives."""
    script = f'printf %s "${{1{operator}$2}}"'
    done = subprocess.run([need("sh"), "-c", script, "sh", value, pattern], capture_output=True, text=True, check=True)
    assert _cut(value, pattern, operator) == done.stdout


@settings(max_examples=100)
@given(st.lists(CONDITIONS, max_size=5))
def test_conditions_are_those_of_the_shell(words: list[str]) -> None:
    """What is answered of a condition is what test(1) answers; what test calls an error may be left unknown."""
    answer = evaluate(words, None)  # type: ignore[arg-type]  # no condition here asks for a file
    done = subprocess.run([need("test"), *words], check=False, stderr=subprocess.DEVNULL)
    assert answer is None or done.returncode == 2 or answer == (done.returncode == 0)


def test_a_shipped_name_made_again(tmp_path: Path) -> None:
    """A shipped link that a script takes away and makes again is there, as dash does it with /bin/sh."""
    script = "ln -sf dash /bin/sh.tmp\nmv -f /bin/sh.tmp /bin/sh"
    root = installed(tmp_path, script, {"/bin/": b"", "/bin/dash": b"ELF", "/bin/sh": "-> dash"})
    assert root.files["/usr/bin/sh"].target == "dash"
    assert "/usr/bin/sh.tmp" not in root.files


def test_programs_that_are_scripts(tmp_path: Path) -> None:
    """A program of the packages that is a shell script is followed, too: all of it, or nothing where a part is unknown."""
    known = b'#! /bin/sh\nfor word; do echo "$word" >> /etc/words; done\nIFS=:\nset -- $1\necho $2 > /etc/second\n'
    files: dict[str, bytes | str] = {
        "/usr/bin/": b"",
        "/usr/bin/write-words": known,
        "/usr/bin/half-known": b"#!/bin/sh\nmkdir /etc/half\nmystery\n",
    }
    root = installed(tmp_path, "write-words a:b c\nhalf-known --now", files)
    assert (text(root, "/etc/words"), text(root, "/etc/second")) == ("a:b\nc\n", "b\n")
    assert "/etc/half" not in root.files
    assert unknowns(root) == ["half-known --now"]


def test_what_is_skipped_is_listed(tmp_path: Path) -> None:
    """A file that is written behind an unknown condition is listed, and what precedes a command holds for it alone."""
    script = 'VALUE=other sh-like || true\nif mystery; then echo x > /etc/maybe; fi\necho "[$VALUE]" > /etc/value'
    root = installed(tmp_path, script)
    assert unknowns(root) == ["sh-like; mystery; writes > /etc/maybe"]
    assert text(root, "/etc/value") == "[]\n"
