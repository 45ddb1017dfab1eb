"""Names that no archive brings: text, links, made directories, mutation scripts, and what is left over."""

from __future__ import annotations

import pytest

from pruner.model import FileType
from pruner.slices.concatenation import mutation_of
from pruner.slices.contents import contents_of
from pruner.slices.statepaths import Leftover, comment_of, secret_of, state_content
from pruner.slices.types import PathKind, SliceKey, SourceFile
from tests.unit.slice_sources import directory, link, shipped, source, state

KEY = SliceKey("pkg", "config")
BODY = b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
CERTS = "/usr/share/ca-certificates/mozilla"


def what(file):
    made = state_content(file, KEY)
    assert isinstance(made, Leftover)
    return made.what


def test_text_is_carried_with_its_mode():
    """A file of text is written into the definition; 0644 is what chisel gives anyway."""
    made = state_content(state("/etc/a", "grüße\n".encode(), mode=0o664), KEY)
    assert (made.kind, made.text, made.mode) == (PathKind.TEXT, "grüße\n", 0o664)
    assert state_content(state("/etc/a", b""), KEY).text == ""
    assert state_content(state("/etc/a", b""), KEY).mode is None


def test_a_link_keeps_its_text():
    """Relative stays relative, absolute stays absolute."""
    assert state_content(link("/bin", "usr/bin"), KEY).source == "usr/bin"
    assert state_content(link("/etc/alternatives/awk", "/usr/bin/mawk"), KEY).source == "/usr/bin/mawk"


def test_a_directory_is_made_with_its_mode():
    """0755 is what chisel gives anyway."""
    made = state_content(directory("/var/lib/pkg", mode=0o1777), KEY)
    assert (made.path, made.kind, made.mode) == ("/var/lib/pkg/", PathKind.MAKE, 0o1777)
    assert state_content(directory("/var/lib/pkg"), KEY).mode is None


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"a\0b"])
def test_what_is_not_text_is_left_over(content):
    """Not UTF-8, or with a NUL: nothing that a definition should carry."""
    assert what(state("/etc/ld.so.cache", content)) == "binary-state"


def test_unknown_content_is_left_over():
    """Without the root's bytes there is nothing to write."""
    assert what(state("/etc/a", None)) == "unknown-content"


@pytest.mark.parametrize("kind", [FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE, FileType.FIFO, FileType.SOCKET])
def test_devices_are_left_over(kind):
    """chisel makes none of them."""
    assert what(SourceFile(path="/dev/x", type=kind, mode=0o600, package="pkg")) == "device"


def test_devices_of_archives_are_left_over():
    """Nor does it extract them."""
    parts = {KEY: [shipped("/dev/x", type=FileType.FIFO)]}
    contents = contents_of(parts, source(parts))
    assert [one.what for one in contents.leftovers] == ["device"]
    assert contents.bodies[KEY].contents == ()


@pytest.mark.parametrize("file", [
    state("/etc/a*", b"x"), state("/etc/\udcff", b"x"), link("/etc/b?", "c"), link("/etc/b", "\udcff"), directory("/e/?"),
])  # fmt: skip
def test_names_that_a_definition_cannot_hold_are_left_over(file):
    """A wildcard would be one, and YAML is UTF-8."""
    assert what(file) == "name"


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("/etc/x.key", b"-----BEGIN PRIVATE KEY-----\n" + BODY, 0o644),
        ("/etc/x.key", b"# mine\r\n-----BEGIN RSA PRIVATE KEY-----\r\n  " + BODY, 0o644),
        ("/etc/x.key", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES,0A\n\n" + BODY, 0o644),
        ("/etc/ssh/key", b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + BODY, 0o644),
        ("/etc/gpg.asc", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + BODY, 0o644),
        ("/etc/service.json", b'{"private_key": "-----BEGIN PRIVATE KEY-----\\n' + BODY[:-1] + b'\\n"}', 0o644),
        ("/etc/users", b"root:$6$salt$0123456789abcdef0123:19000:0:99999:7:::\n", 0o644),
        ("/etc/shadow", b"root:$y$j9T$0123456789$abcdef0123:19000:0:99999:7:::\n", 0o640),
        ("/etc/shadow", b"daemon:*:1::::::\nroot:!$6$salt$0123456789abcdef0123:1::::::\n", 0o640),
        ("/etc/passwd", b"root:abJnggxhB/yWI:0:0::/:/bin/sh\n", 0o644),
        ("/etc/gshadow-", b"root:by-another-scheme:1::::::\n", 0o640),
        ("/etc/app.conf", b"user = me\npassword = hunter2\n", 0o640),
        ("/etc/redis.conf", b"requirepass hunter2\n", 0o640),
        ("/etc/app.json", b'{"api_key": "0123"}\n', 0o600),
        ("/etc/bind/rndc.key", b'key "rndc-key" {\n\tsecret "0123==";\n};\n', 0o640),
        ("/var/lib/rabbitmq/.erlang.cookie", b"ABCDEFGHIJKLMNOPQRST", 0o400),
    ],
)
def test_secrets_are_left_over(path, content, mode):
    """Private keys and hashes wherever they are; passwords and tokens in a file that not everyone may read."""
    assert secret_of(path, content, mode)
    assert what(state(path, content, mode=mode)) == "secret"


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("/etc/shadow", b"root:*:19000:0:99999:7:::\ndaemon:!:19000::::::\nx:!*:1::::::\ny:!!:1::::::\n", 0o640),
        ("/etc/gshadow", b"root:*::\nshadow:!::\nadm::\n", 0o640),
        ("/etc/security/opasswd", b"", 0o600),
        ("/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n", 0o644),
        ("/etc/ssl/x.pem", b"-----BEGIN CERTIFICATE-----\nMII\n-----BEGIN PUBLIC KEY-----\n", 0o644),
        ("/usr/share/mime/magic", b"[50:x]\n>0=\0\x1b-----BEGIN PRIVATE KEY-----\n[50:application/pgp]\n", 0o644),
        ("/usr/share/x/formats", b"-----BEGIN RSA PRIVATE KEY-----\na key in PEM\n" + BODY, 0o644),
        ("/etc/app.conf", b"key: value-of-any:kind\nlibs:libcrypto1234:x\nPATH=/bin:$a$b\n", 0o644),
        ("/etc/app.conf", b"# password = example\n; secret = no\npassword =\n", 0o640),
    ],
)
def test_what_opens_nothing_is_no_secret(path, content, mode):
    """Locked accounts, public keys, titles of private keys without the keys, and settings that are commented out or empty."""
    assert secret_of(path, content, mode) == ""


def test_what_few_may_read_is_written_with_a_warning():
    """PostgreSQL does not start without its pg_hba.conf of mode 0640, which holds no password."""
    made = state_content(state("/etc/pg_hba.conf", b"# password\nlocal all all peer\n", mode=0o640), KEY)
    assert (made.kind, made.mode) == (PathKind.TEXT, 0o640)
    assert "before you publish" in made.comment
    assert "publish" not in state_content(state("/etc/a", b"x", mode=0o644), KEY).comment
    assert "publish" not in state_content(state("/etc/a", b"", mode=0o600), KEY).comment


def test_a_secret_never_reaches_the_definition():
    """Neither its text nor its comment has any of it."""
    parts = {KEY: [state("/etc/ssl/private/x.key", b"-----BEGIN PRIVATE KEY-----\n" + BODY, mode=0o640, gid=101)]}
    contents = contents_of(parts, source(parts))
    assert BODY[:24].decode() not in repr(contents)
    assert "/etc/ssl/private/x.key" in contents.bodies[KEY].comment
    assert [one.what for one in contents.leftovers] == ["owner", "secret"]


def test_a_changed_configuration_file_is_text_and_says_so():
    """The archive has another one, so that it can't be taken from there."""
    parts = {KEY: [state("/etc/pkg.conf", b"mine\n", conffile=True)]}
    [content] = contents_of(parts, source(parts, unkept={"pkg": ["/etc/pkg.conf"]})).bodies[KEY].contents
    assert (content.kind, content.text) == (PathKind.TEXT, "mine\n")
    assert "differs" in content.comment


def test_state_names_its_script():
    """The comment says which maintainer script makes it."""
    assert "pkg's postinst" in state_content(state("/etc/a", b"", maker="postinst"), KEY).comment
    leftover = state_content(state("/etc/a", b"\xff", maker="triggers"), KEY)
    assert "pkg's triggers" in comment_of([leftover])


def test_what_nobody_is_seen_to_make_is_not_said_to_be_made():
    """It may be the user's own, which the comment asks."""
    comment = state_content(state("/etc/a", b"", local=True), KEY).comment
    assert comment == "In no package, and no script is seen to make it: your own?"


def test_titles_of_keys_without_an_end_take_no_time():
    """A hostile file of headers and escapes is read once."""
    content = b"-----BEGIN PRIVATE KEY-----" + b"\\nA-: x\n-: \n" * 20_000
    assert secret_of("/etc/x", content, 0o644) == ""


def test_many_leftovers_of_one_reason_are_counted():
    """A comment is read by people."""
    leftovers = [state_content(state(f"/var/lib/pkg/{number:02}", b"\xff"), KEY) for number in range(20)]
    assert comment_of(leftovers) == "Not in this slice: 20 files below /var/lib/pkg (its content is not text)."
    assert len(comment_of(leftovers[:3]).splitlines()) == 3


BUNDLE = state("/etc/ssl/certs/bundle.crt", b"one\ntwo\n")
NAMES = (f"{CERTS}/a.crt", f"{CERTS}/b.crt")


def test_a_concatenation_is_a_mutation_over_parts_that_go_away():
    """The target is empty and mutable; parts that nothing keeps are there until the script has run."""
    parts = {KEY: [BUNDLE]}
    given = source(parts, unkept={"pkg": [*NAMES, CERTS]}, concatenations={BUNDLE.path: NAMES})
    body = contents_of(parts, given).bodies[KEY]
    [target, glob] = body.contents
    assert (target.path, target.kind, target.text, target.mutable) == (BUNDLE.path, PathKind.TEXT, "", True)
    assert (glob.path, glob.kind, glob.until) == (f"{CERTS}/*.crt", PathKind.GLOB, "mutate")
    assert "content.list" in body.mutate
    assert BUNDLE.path in body.mutate


def test_parts_that_the_slice_keeps_stay():
    """They are listed once, without an end."""
    kept = shipped(NAMES[0])
    parts = {KEY: [BUNDLE, kept]}
    given = source(parts, unkept={"pkg": NAMES}, concatenations={BUNDLE.path: NAMES})
    found = {content.path: content.until for content in contents_of(parts, given).bodies[KEY].contents}
    assert found == {BUNDLE.path: "", NAMES[0]: "", NAMES[1]: "mutate"}


def test_parts_that_are_not_a_whole_directory_are_named():
    """A script that lists the directory would take the others, too."""
    mutation = mutation_of(BUNDLE, NAMES, {"pkg": [*NAMES, f"{CERTS}/c.crt"]}, ())
    assert [part.path for part in mutation.parts] == list(NAMES)
    assert "content.list" not in mutation.script
    assert all(name in mutation.script for name in NAMES)
    others = mutation_of(BUNDLE, NAMES, {"pkg": NAMES, "other": [f"{CERTS}/c.crt"]}, ())
    assert others.script == mutation.script


def test_what_chisel_cannot_join_stays_text():
    """Parts of another package, or whose names differ between archive and root."""
    parts = {KEY: [BUNDLE]}
    for names in (NAMES, ("/lib/a.crt", "/lib/b.crt")):
        unkept = {"other": names} if names is NAMES else {"pkg": names}
        given = source(parts, unkept=unkept, concatenations={BUNDLE.path: names})
        body = contents_of(parts, given).bodies[KEY]
        assert body.mutate == ""
        assert [content.text for content in body.contents] == ["one\ntwo\n"]


def test_a_name_cannot_leave_its_string_in_a_script():
    """Quotes and line ends of a hostile name stay inside the literal."""
    names = ('/a"\\', "/b\n")
    mutation = mutation_of(state('/e"\n', b""), names, {"pkg": [*names, "/c"]}, ())
    assert r'"/e\"\n"' in mutation.script
    assert r'"/a\"\\"' in mutation.script
    assert mutation.script.count("\n") == 7
