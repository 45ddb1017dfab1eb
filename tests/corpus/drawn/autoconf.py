"""autoconf and its companions: a configure script made, run where a build would run it, and its sources looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

CONFIGURE = """\
AC_INIT([garden], [2.5], [bugs@example.org])
AC_PREREQ([2.69])
AC_CONFIG_MACRO_DIRS([m4])
AC_CONFIG_AUX_DIR([build-aux])
GARDEN_CHECK_TOOL([sort])
AC_ARG_ENABLE([frost], [AS_HELP_STRING([--enable-frost], [protect from frost])], [], [enable_frost=no])
AS_IF([test "x$enable_frost" = xyes], [AC_DEFINE([FROST], [1], [Define to protect from frost.])])
AC_PROG_AWK
AC_PROG_SED
AC_CONFIG_HEADERS([config.h])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""

MACRO = """\
AC_DEFUN([GARDEN_CHECK_TOOL], [
  AC_PATH_PROG(m4_toupper([$1]), [$1], [missing])
  AC_SUBST([TOOL_LIST], ["$1"])
])
"""

OLD = """\
AC_INIT(old.c)
AC_CONFIG_HEADER(old.h)
AC_TRY_COMPILE([], [return 0;], [works=yes])
AC_OUTPUT(Makefile)
"""

SOURCE = """\
#include <stdlib.h>
#include <sys/epoll.h>
#ifdef HAVE_FROST
int main(void) { return strtoul("1", NULL, 10) + (int) epoll_create(1); }
#endif
"""

FILES = {
    "configure.ac": CONFIGURE,
    "m4/garden.m4": MACRO,
    "Makefile.in": "NAME = @PACKAGE_TARNAME@-@PACKAGE_VERSION@\nSORT = @SORT@\nTOOLS = @TOOL_LIST@\n",
    "build-aux/install-sh": "#!/bin/sh\nexit 0\n",
    "garden.c": SOURCE,
    "old/configure.in": OLD,
    "broken/configure.ac": "AC_INIT([broken], [1])\nAC_NO_SUCH_MACRO_HERE\nAC_OUTPUT\n",
}


def smoke(box: Box) -> None:
    for name, text in FILES.items():
        path = box.volume / "garden" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    generation(box)
    build(box)
    sources(box)
    refusals(box)


def generation(box: Box) -> None:
    """Autoreconf runs the other programs; what they trace and make is looked at."""
    (box.volume / "garden/aclocal.m4").write_text(f"{MACRO}")
    box.run("autoreconf", "--verbose", "--force", cwd="/volume/garden", env={"ACLOCAL": "true"})
    header = (box.volume / "garden/config.h.in").read_text()
    expect("/* Define to protect from frost. */" in header, f"autoheader made another template: {header!r}")
    traced = box.run("autoconf", "--trace=AC_DEFINE:$f:$l:$1", cwd="/volume/garden").out
    same(traced.splitlines()[-1].split(":")[2:], ["FROST"], "the trace of AC_DEFINE")
    script = (box.volume / "garden/configure").stat()
    expect(script.st_mode & 0o111 != 0 and script.st_size > 50_000, "configure is no script of the usual size")
    before = (box.volume / "garden/configure").read_bytes()
    again = box.run("autoconf", "--output=-", cwd="/volume/garden").raw
    same(again, before, "what a second run makes")
    suite = "AT_INIT([garden])\nAT_SETUP([echo])\nAT_CHECK([echo sun], [0], [sun\n])\nAT_CLEANUP\n"
    (box.volume / "garden/suite.at").write_text(suite)
    (box.volume / "garden/package.m4").write_text("m4_define([AT_PACKAGE_STRING], [garden 2.5])\n" + PACKAGE)
    box.run("autom4te", "--language=autotest", "-o", "suite", "suite.at", cwd="/volume/garden")
    expect("garden 2.5" in (box.volume / "garden/suite").read_text(), "the test suite lacks its package")


PACKAGE = """\
m4_define([AT_PACKAGE_NAME], [garden])
m4_define([AT_PACKAGE_TARNAME], [garden])
m4_define([AT_PACKAGE_VERSION], [2.5])
m4_define([AT_PACKAGE_BUGREPORT], [bugs@example.org])
m4_define([AT_PACKAGE_URL], [])
"""


def build(box: Box) -> None:
    """The script that was made runs in a system with the usual tools, as at whoever builds the package."""
    usage = box.tool("./configure", "--help", cwd="/volume/garden").out
    expect("--enable-frost" in usage and "protect from frost" in usage, f"the option is not in the help: {usage!r}")
    box.tool("./configure", "--quiet", "--enable-frost", cwd="/volume/garden")
    made = (box.volume / "garden/Makefile").read_text().splitlines()
    same(made, ["NAME = garden-2.5", "SORT = /usr/bin/sort", "TOOLS = sort"], "the Makefile")
    same("#define FROST 1" in (box.volume / "garden/config.h").read_text(), True, "the definition in config.h")


def sources(box: Box) -> None:
    """Autoscan, ifnames and autoupdate read sources and old input."""
    box.run("autoscan", cwd="/volume/garden")
    scanned = (box.volume / "garden/autoscan.log").read_text()
    expect("warning: missing AC_CHECK_FUNCS([strtoul])" in scanned, f"autoscan overlooked strtoul: {scanned!r}")
    same(box.run("ifnames", "garden.c", cwd="/volume/garden").out, "HAVE_FROST garden.c\n", "ifnames")
    box.run("autoupdate", "configure.in", cwd="/volume/garden/old")
    updated = (box.volume / "garden/old/configure.in").read_text()
    expect("AC_CONFIG_HEADERS([old.h])" in updated and "AC_COMPILE_IFELSE" in updated, f"not updated: {updated!r}")


def refusals(box: Box) -> None:
    """An unknown macro is an error that names its line."""
    failed = box.run("autoconf", cwd="/volume/garden/broken", code=1)
    expect(
        "configure.ac:2: error: possibly undefined macro: AC_NO_SUCH_MACRO_HERE" in failed.err,
        f"an unknown macro got another message: {failed.err!r}",
    )


APP = App(
    name="autoconf",
    packages=("autoconf",),
    entries=(
        "cmd:autoreconf --force", "cmd:autoconf", "cmd:autoheader", "cmd:autom4te", "cmd:autoscan", "cmd:autoupdate",
        "cmd:ifnames",
    ),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/bin/m4"),
        Needed(kind="program", glob="/usr/share/autoconf/Autom4te/Request.pm"),
        Needed(kind="data", glob="/usr/share/autoconf/autoconf/programs.m4"),
        Needed(kind="data", glob="/usr/share/autoconf/autotest/autotest.m4*"),
        Needed(kind="config", glob="/usr/share/autoconf/autom4te.cfg"),
        Needed(kind="data", glob="/usr/share/autoconf/m4sugar/m4sh.m4*"),
    ),
)  # fmt: skip
