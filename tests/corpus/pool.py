"""The pool that applications beyond the corpus are drawn from, by seed and not by choice.

The pool names Debian bookworm packages that bring a command or a service and need no screen. They
were chosen from general knowledge of what the popularity contest and web servers' package lists show
as widely installed, so that many languages, kinds of data and ways of starting are among them; the list was
written down before the first draw and before anything of it was tried. The fourteen applications of
the corpus, what their packages are, and the base system of every root are left out.

`python -m tests.corpus.pool` prints the first draw and the second.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

SEED = 20261122
"""The day of the draw."""
COUNT = 10
"""Applications in one draw."""

KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "tool in C or C++": (
        "aria2", "bc", "bind9-dnsutils", "exiv2", "gawk", "ghostscript", "graphviz", "jq", "librsvg2-bin", "lynx",
        "mediainfo", "ncdu", "nmap", "p7zip-full", "poppler-utils", "qpdf", "rsync", "socat", "sox", "sqlite3",
        "strace", "subversion", "tmux", "w3m", "wget", "zsh",
    ),
    "compiled, other languages": ("fzf", "hugo", "pandoc", "rclone", "restic", "ripgrep", "shellcheck"),
    "compiler or build tool": ("autoconf", "cmake", "gcc", "gdb", "gettext", "sbcl"),
    "service": (
        "apache2", "bind9", "cups", "dnsmasq", "dovecot-imapd", "exim4-daemon-light", "haproxy", "icecast2", "lighttpd",
        "mariadb-server", "memcached", "mosquitto", "openssh-server", "postfix", "prometheus", "rabbitmq-server",
        "rsyslog", "samba", "slapd", "snmpd", "squid", "stunnel4", "tor", "unbound", "varnish", "vsftpd",
    ),
    "service with plugins": ("collectd-core", "munin-node", "proftpd-core", "uwsgi"),
    "Python": (
        "ansible-core", "awscli", "borgbackup", "certbot", "fail2ban", "gunicorn", "httpie", "ipython3", "mercurial",
        "python3-sphinx", "supervisor", "yt-dlp",
    ),
    "Perl": ("ack", "cloc", "cowsay", "libimage-exiftool-perl", "moreutils", "perltidy", "po4a", "spamassassin"),
    "Ruby": ("asciidoctor", "jekyll", "puppet-agent", "rake", "ruby-sass"),
    "PHP": ("composer", "dokuwiki"),
    "Node": ("eslint", "npm", "uglifyjs"),
    "shell": ("dehydrated", "neofetch", "pass", "testssl.sh"),
    "Java": ("ant", "maven", "pdftk-java", "plantuml", "tomcat10"),
    "Lua": ("luarocks", "prosody"),
    "Tcl": ("expect", "tcl"),
    "data-heavy": (
        "aspell", "emacs-nox", "gnuplot-nox", "hunspell", "octave", "r-base-core", "tesseract-ocr",
        "texlive-latex-base", "vim",
    ),
})  # fmt: skip
"""Packages by what they are mainly written in or known for; every package once."""

IMPOSSIBLE: Mapping[str, str] = MappingProxyType({})
"""Drawn packages that no sandbox can run, with the reason; the next of the sequence takes the place."""


def pool() -> tuple[str, ...]:
    """All packages of the pool, sorted."""
    return tuple(sorted(name for names in KINDS.values() for name in names))


def sequence(seed: int = SEED) -> tuple[str, ...]:
    """The whole pool in the order that `seed` gives."""
    names = pool()
    return tuple(random.Random(seed).sample(names, len(names)))


def draw(seed: int = SEED, *, skip: int = 0) -> tuple[str, ...]:
    """The `COUNT` packages of the sequence that follow the first `skip`, those that are `IMPOSSIBLE` not counted."""
    return tuple(name for name in sequence(seed) if name not in IMPOSSIBLE)[skip : skip + COUNT]


def main() -> None:
    """Print both draws with the kind of each package, and what was passed over."""
    kinds = {name: kind for kind, names in KINDS.items() for name in names}
    for number, skip in enumerate((0, COUNT), 1):
        print(f"draw {number}: {COUNT} of {len(pool())} packages by seed {SEED}:")
        for name in draw(skip=skip):
            print(f"  {name:24} {kinds[name]}")
    for name, reason in IMPOSSIBLE.items():
        print(f"  passed over: {name}: {reason}")


if __name__ == "__main__":
    main()
