"""Perl applications: modules, their directories, their compiled halves, and packages that extend others."""

from __future__ import annotations

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.perl import edges_of_perl
from pruner.model import Findings
from tests.unit.languages import details, look, package, targets, view_of

CORE = "/usr/share/perl/5.36.0"
VENDOR = "/usr/share/perl5"
LOCAL = "/usr/local/lib/x86_64-linux-gnu/perl/5.36.0"


def app(source, files=None, *packages, path="/app/main.pl", env=()):
    return look(edges_of_perl, view_of({**(files or {}), path: source}, *packages, env=env), path)


def test_modules_lead_to_the_packages_that_own_them():
    """`use` and `require` with a bareword are looked for along `@INC`, in the version that is installed."""
    files = {f"{CORE}/File/Temp.pm": "", f"{VENDOR}/JSON.pm": "", "/usr/lib/x86_64-linux-gnu/perl-base/strict.pm": ""}
    found = app(
        "use strict; use v5.36; use 5.010; use File::Temp qw(tempfile); require JSON;",
        files,
        package("perl-modules-5.36", f"{CORE}/File/Temp.pm"),
        package("libjson-perl", f"{VENDOR}/JSON.pm"),
        package("perl-base", "/usr/lib/x86_64-linux-gnu/perl-base/strict.pm"),
    )
    assert targets(found) == ["package:libjson-perl", "package:perl-base", "package:perl-modules-5.36"]
    assert found.unknowns == ()


def test_arguments_that_name_modules():
    """Base classes and the module names that well-known loaders take are modules too."""
    names = ["A", "B", "C", "D", "E", "F"]
    source = """
        use parent qw(A B); use base 'C'; use Module::Runtime qw(use_module); use_module('D');
        Module::Load::load("E"); eval "use F; 1" or warn; use parent -norequire, 'Local::Class';
    """
    wanted = {f"{VENDOR}/{name}.pm": "" for name in names}
    pragmas = {f"{CORE}/{name}.pm": "" for name in ("parent", "base")} | {f"{VENDOR}/Module/Runtime.pm": ""}
    found = app(source, {**wanted, **pragmas})
    assert set(wanted) <= set(targets(found))
    assert found.unknowns == ()


def test_what_looks_like_code_and_is_none():
    """POD, heredocs, comments and what follows __END__ load nothing."""
    source = "# use A;\nmy $t = <<EOT;\nuse B;\nEOT\n\n=pod\n\nuse C;\n\n=cut\n\nmy $q = 'use D;';\n__END__\nuse E;\n"
    assert app(source) == Findings()


def test_directories_that_the_program_adds():
    """`use lib` with `$Bin`, `__FILE__` and literals, PERL5LIB, and lib directories above the file."""
    files = {
        "/app/lib/One.pm": "",
        "/app/x/Two.pm": "",
        "/app/y/Three.pm": "",
        "/opt/p/Four.pm": "",
        f"{CORE}/FindBin.pm": "",
        f"{CORE}/lib.pm": "",
    }
    source = """
        use FindBin qw($Bin); use lib "$Bin/../lib"; use lib dirname(__FILE__) . '/../x'; use lib '/app/y';
        use One; use Two; use Three; use Four;
    """
    found = app(source, files, path="/app/bin/main.pl", env=("PERL5LIB=/opt/p",))
    assert {"/app/lib/One.pm", "/app/x/Two.pm", "/app/y/Three.pm", "/opt/p/Four.pm"} <= set(targets(found))
    beside = app("use Two::Deep;", {"/app/lib/Two/Deep.pm": ""}, path="/app/lib/Two/Other.pm")
    assert targets(beside) == ["/app/lib/Two/Deep.pm"]


def test_files_by_path():
    """`do` and `require` of a string: absolute, relative to the script, or along `@INC`."""
    files = {"/app/conf.pl": "", "/app/lib/x.pl": "", f"{VENDOR}/legacy.pl": "", "/app/data/t.txt": ""}
    source = """use FindBin; do './conf.pl'; require "$FindBin::Bin/lib/x.pl"; require 'legacy.pl'; open F, "$FindBin::RealBin/data/t.txt";"""
    assert set(targets(app(source, {**files, f"{CORE}/FindBin.pm": ""}))) >= set(files)


def test_missing_and_computed_modules():
    """A missing module is unknown unless its failure is caught; a computed name is unknown."""
    source = 'use Gone;\neval { require Opt };\nrequire $class;\neval "require $class";\ntry { require Other } catch ($e) {}\n'
    assert details(app(source)) == [
        "a module whose name is computed in line 3",
        "a module whose name is computed in line 4",
        "module Gone, loaded in line 1, is not in the root",
    ]


def test_the_compiled_half_of_an_unowned_module():
    """What XSLoader takes from auto/ comes with a module that CPAN's client installed."""
    files = {f"{LOCAL}/Text/CSV_XS.pm": "", f"{LOCAL}/auto/Text/CSV_XS/CSV_XS.so": b"\x7fELF"}
    assert targets(app("use Text::CSV_XS;", files)) == sorted(files)


def test_packages_that_extend_an_imported_one():
    """DBI loads drivers by a computed name: those that put modules beside its own and require it are options."""
    files = {
        f"{VENDOR}/DBI.pm": "",
        f"{VENDOR}/DBD/File.pm": "",
        f"{VENDOR}/DBD/SQLite.pm": "",
        f"{VENDOR}/DBD/Stray.pm": "",
        f"{VENDOR}/CSV.pm": "",
    }
    found = app(
        "use DBI;",
        files,
        package("libdbi-perl", f"{VENDOR}/DBI.pm", f"{VENDOR}/DBD/File.pm"),
        package("libdbd-sqlite3-perl", f"{VENDOR}/DBD/SQLite.pm", depends=("libdbi-perl (>= 1)",)),
        package("libdbd-stray-perl", f"{VENDOR}/DBD/Stray.pm"),
        package("libcsv-perl", f"{VENDOR}/CSV.pm", depends=("libdbi-perl",)),
    )
    assert targets(found, optional=False) == ["package:libdbi-perl"]
    assert targets(found, optional=True) == ["package:libdbd-sqlite3-perl"]
    assert {edge.group for edge in found.edges if edge.group} == {"perl-plugins"}


def test_commands_and_command_lines():
    """`system` with a literal starts a command; `-M` and `-e` are imports of the command line."""
    assert targets(app("system('gzip -9 x');", {"/usr/bin/gzip": b""})) == ["/usr/bin/gzip"]
    view = view_of({"/usr/bin/perl": b"", f"{VENDOR}/JSON.pm": "", f"{VENDOR}/YAML.pm": ""})
    edges, unknowns = edges_of_arguments("entry:e", ("/usr/bin/perl", "-MJSON", "-e", "use YAML; print 1"), "/", view)
    assert targets(Findings(edges=edges)) == [f"{VENDOR}/JSON.pm", f"{VENDOR}/YAML.pm"]
    assert unknowns == ()


@pytest.mark.parametrize(
    "source",
    [
        b"use JSON; my $x = '\xe9'; require '\xe9.pl';",
        b"\0\xff" * 50,
        "(" * 20000,
        "use " * 5000,
        "$x = " + "{" * 20000,
        'use lib "' + "$Bin" * 5000,
    ],
)
def test_hostile_text(source):
    """Nothing that a file may hold ends in an error; an inert file is not read at all."""
    assert isinstance(app(source), Findings)
    assert look(edges_of_perl, view_of({"/a.pl": source}), "/a.pl", active=False) == Findings()


def optional(found, group):
    """Optional edges of one group: target to whether it is taken by default."""
    return {edge.target: edge.default for edge in found.edges if edge.group == group and edge.kind != "link"}


TOOLS = {f"/usr/bin/{name}": b"\x7fELF" for name in ("grep", "gzip", "sort", "m4", "diff", "onsgmls", "unused")}


def test_every_command_of_a_pipeline():
    """`system`, backticks, `qx` and pipes of `open` are command lines: computed words are passed over, the shell asked for."""
    found = app('system "$m4 --help </dev/null 2>&1 | grep reload >/dev/null";', TOOLS)
    assert optional(found, "script-commands") == {"/usr/bin/grep": True}
    assert optional(found, "shell") == {"capability:shell": True}
    for source in ('open(F, "gzip -dc $file | sort |");', "my $x = `gzip -dc $f | sort`;", "qx{gzip x | sort};"):
        found = app(source, TOOLS)
        assert set(optional(found, "script-commands")) == {"/usr/bin/gzip", "/usr/bin/sort"}, source
        assert optional(found, "shell"), source


def test_commands_without_a_shell():
    """A line without metacharacters, an argument vector and `open` with a list start a program and no shell."""
    for source in (
        'system("sort -u $f");',
        'system("sort", "a|b");',
        "open(my $f, '-|', 'sort', '-u');",
        "run(['sort']);",
    ):
        found = app(source, TOOLS)
        assert optional(found, "script-commands") == {"/usr/bin/sort": True}, source
        assert optional(found, "shell") == {}, source
    assert app('system $program, "sort"; exec { $x } @a; open(F, "<sort");', TOOLS) == Findings()


PO = {f"{VENDOR}/Po/{name}.pm": "" for name in ("Chooser", "Sgml", "Text", "deep/More")}
OWN = package("po", "/usr/bin/po", *PO)


def test_modules_of_the_same_package_are_looked_at():
    """A script's own package is its application: what it imports there is active; a dependency's modules stay inert."""
    files = {**PO, f"{VENDOR}/Other.pm": ""}
    other = package("other", f"{VENDOR}/Other.pm")
    found = app("use Po::Chooser; use Other;", files, OWN, other, path="/usr/bin/po")
    assert targets(found, kind="import") == [f"{VENDOR}/Po/Chooser.pm", "package:other", "package:po"]


@pytest.mark.parametrize(
    "source",
    [
        "eval qq{use Po::$name};",
        'eval("require Po::$name");',
        'require "Po/$name.pm";',
        'my $class = "Po::$name"; eval "require $class";',
        'use Module::Runtime "use_module"; use_module("Po::" . $name);',
        "use Module::Pluggable search_path => ['Po'];",
        "package Po; use Module::Find; useall Po;",
    ],
)
def test_computed_names_with_a_beginning(source):
    """The own modules below the namespace that a computed name begins with are optional imports, taken by default."""
    foreign = package("foreign", f"{VENDOR}/Po/Foreign.pm")
    found = app(source, {**PO, f"{VENDOR}/Po/Foreign.pm": ""}, OWN, foreign, path="/usr/bin/po")
    assert optional(found, "computed-modules") == dict.fromkeys(PO, True)


def test_computed_names_without_a_beginning():
    """Nothing says which module is meant: it is unknown, and nothing is kept."""
    found = app('eval "use $name"; require $file;', PO, OWN, path="/usr/bin/po")
    assert targets(found) == []
    assert details(found) == ["a module whose name is computed in line 1"]


def test_names_of_declared_commands():
    """A literal that is the name of a command which the package depends on; no ordinary word, no undeclared command."""
    files = {**TOOLS, **PO}
    packages = (
        package("po", "/usr/bin/po", depends=("opensp",)),
        package("opensp", "/usr/bin/onsgmls"),
        package("coreutils", "/usr/bin/sort", stanza="Package: coreutils\nEssential: yes\n"),
        package("diffutils", "/usr/bin/diff", stanza="Package: diffutils\nEssential: yes\n"),
        package("m4", "/usr/bin/m4"),
    )
    source = 'my %h = (a => "onsgmls", b => "sort", c => \'diff\', d => "m4");\n# "unused"\n'
    found = app(source, files, *packages, path="/usr/bin/po")
    assert optional(found, "named-executables") == {"/usr/bin/onsgmls": False, "/usr/bin/diff": False}
    found = app(f"{source} system($h{{a}});", files, *packages, path="/usr/bin/po")
    assert optional(found, "named-executables") == {"/usr/bin/onsgmls": True, "/usr/bin/diff": True}


def test_wrappers_start_what_is_declared():
    """A function that is named as if it started commands is believed where the package declares the command."""
    packages = (
        package("po", "/usr/bin/po", depends=("m4",)),
        package("m4", "/usr/bin/m4"),
        package("x", "/usr/bin/sort"),
    )
    found = app('xsystem ("m4 " . $a); xsystem ("sort $b");', TOOLS, *packages, path="/usr/bin/po")
    assert optional(found, "script-commands") == {"/usr/bin/m4": True, "/usr/bin/sort": False}
