"""vsftpd with TLS: anonymous reading, users of the system by password, in their own directory, and what they may not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.roots import Build, authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

CONFIGURATION = """\
listen=YES
listen_ipv6=NO
background=NO
secure_chroot_dir=/var/lib/vsftpd/empty
anonymous_enable=YES
anon_root=/srv/ftp/public
local_enable=YES
write_enable=YES
local_umask=027
chroot_local_user=YES
allow_writeable_chroot=YES
pam_service_name=vsftpd
userlist_enable=YES
userlist_file=/etc/vsftpd.users
userlist_deny=NO
user_config_dir=/etc/vsftpd.d
banner_file=/etc/vsftpd.banner
dirmessage_enable=YES
ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=YES
force_local_data_ssl=YES
rsa_cert_file=/etc/ssl/private/ftp.pem
require_ssl_reuse=NO
ssl_ciphers=HIGH
pasv_min_port=30000
pasv_max_port=30009
xferlog_enable=YES
vsftpd_log_file=/var/log/vsftpd.log
"""

WORK = bytes(range(256)) * 2000


def setup(build: Build) -> None:
    """Four users with passwords: one who may write, one who is not listed, one who may only read, one barred by PAM."""
    for name in ("anna", "boris", "cyril", "dora"):
        build.inside("useradd", "--create-home", "--shell", "/bin/bash", name)
        build.inside("sh", "-c", f"echo {name}:otvor | chpasswd")
        build.inside("sh", "-c", f"echo of {name} > /home/{name}/note.txt && chown {name}: /home/{name}/note.txt")
    with (build.root / "etc/ftpusers").open("a") as barred:
        barred.write("dora\n")
    build.write("/srv/ftp/public/žaba.txt", "kvak\n")
    build.write("/srv/ftp/public/.message", "Welcome to the pond\n")
    (build.root / "var/lib/vsftpd/empty").mkdir(parents=True)
    place = build.root / "etc/ssl/private/ftp.pem"
    authority().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(place))


def smoke(box: Box) -> None:
    service = box.start("vsftpd", "/etc/vsftpd.conf")
    service.ready(21)
    expect(b"220-Garden of files" in box.talk(21, b"QUIT\r\n"), "another banner")
    anonymous(box)
    users(box)
    refusals(box)
    log = (box.root / "var/log/vsftpd.log").read_text()
    for line in ("[anna] OK UPLOAD", "[ftp] OK DOWNLOAD", "[anna] FAIL LOGIN"):
        expect(line in log, f"no {line!r} in the log: {log!r}")


def anonymous(box: Box) -> None:
    """Whoever comes may list and read, in the clear and by TLS, and sees the directory's message."""
    listed = curl(box, "--verbose", f"ftp://{HOST}/")
    expect("žaba.txt" in listed.out and "Welcome to the pond" in listed.err, f"another listing: {listed!r}")
    same(curl(box, f"ftp://{HOST}/%C5%BEaba.txt").out, "kvak\n", "the public file")
    same(curl(box, "--ssl-reqd", "--range", "1-2", f"ftp://{HOST}/%C5%BEaba.txt").out, "va", "a part of it by TLS")
    curl(box, "--upload-file", "/etc/hostname", f"ftp://{HOST}/new.txt", code=25)


def users(box: Box) -> None:
    """A user writes, continues, renames, removes and reads in his own directory, with his own name and the umask."""
    (box.volume / "work.bin").write_bytes(WORK)
    (box.volume / "rest.bin").write_bytes(b"rest")
    curl(box, *secure("anna"), "--upload-file", "/volume/work.bin", f"ftp://{HOST}/work.bin")
    curl(box, *secure("anna"), "--append", "--upload-file", "/volume/rest.bin", f"ftp://{HOST}/work.bin")
    made = box.root / "home/anna/work.bin"
    same(made.read_bytes() == WORK + b"rest", True, "the file arrived and was continued")
    owner = (box.root / "home/anna").stat().st_uid
    same((made.stat().st_uid, oct(made.stat().st_mode & 0o777)), (owner, "0o640"), "owner and mode of the file")
    orders = ("-Q", "MKD box", "-Q", "RNFR work.bin", "-Q", "RNTO box/done.bin", "-Q", "DELE note.txt")
    listed = curl(box, *secure("anna"), *orders, f"ftp://{HOST}/")
    expect("box" in listed.out and "note.txt" not in listed.out, f"another listing: {listed.out!r}")
    got = curl(box, *secure("anna"), f"ftp://{HOST}/box/done.bin").raw
    same(got == WORK + b"rest", True, "the file returned")
    status = curl(box, *secure("anna"), "--verbose", "-Q", "STAT", f"ftp://{HOST}/").err
    expect("Logged in as anna" in status and "Control connection is encrypted" in status, f"status: {status!r}")


def refusals(box: Box) -> None:
    """No password in the clear, no wrong one, nobody outside the list, no way out, and no writing for a reader."""
    clear = curl(box, "--verbose", "--user", "anna:otvor", f"ftp://{HOST}/", code=None)
    expect("530 Non-anonymous sessions must use encryption" in clear.err, f"in the clear: {clear.err!r}")
    curl(box, *secure("anna", "zavri"), f"ftp://{HOST}/", code=67)
    curl(box, *secure("boris"), f"ftp://{HOST}/", code=67)
    curl(box, *secure("dora"), f"ftp://{HOST}/", code=67)
    curl(box, *secure("anna"), f"ftp://{HOST}/..%2f..%2fetc/passwd", code=78)
    same(curl(box, *secure("cyril"), f"ftp://{HOST}/note.txt").out, "of cyril\n", "the reader's note")
    curl(box, *secure("cyril"), "--upload-file", "/volume/rest.bin", f"ftp://{HOST}/new.txt", code=25)


def secure(user: str, word: str = "otvor") -> tuple[str, ...]:
    """A login by TLS."""
    return ("--ssl-reqd", "--user", f"{user}:{word}")


def curl(box: Box, *words: str, code: int | None = 0) -> Done:
    """The client, from the tools root."""
    return box.tool("curl", "--silent", "--show-error", "--ftp-method", "nocwd", "--tls-max", "1.2", *words, code=code)


APP = App(
    name="vsftpd",
    packages=("vsftpd",),
    files={
        "/etc/vsftpd.conf": CONFIGURATION,
        "/etc/vsftpd.users": "anna\ncyril\ndora\nanonymous\nftp\n",
        "/etc/vsftpd.banner": "Garden of files\n",
        "/etc/vsftpd.d/cyril": "write_enable=NO\n",
    },
    setup=setup,
    entries=("cmd:vsftpd /etc/vsftpd.conf", "/srv/ftp/", "/home/"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libwrap.so.0*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/security/pam_unix.so"),
        Needed(kind="config", glob="/etc/pam.d/vsftpd"),
        Needed(kind="config", glob="/etc/pam.d/common-auth"),
        Needed(kind="config", glob="/etc/vsftpd.d/cyril"),
        Needed(kind="state", glob="/etc/shells"),
        Needed(kind="state", glob="/etc/shadow"),
        Needed(kind="state", glob="/var/lib/vsftpd/empty"),
    ),
)
