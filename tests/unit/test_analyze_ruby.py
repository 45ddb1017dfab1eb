"""Ruby applications: libraries, gems with what they require, Bundler's lock file."""

from __future__ import annotations

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.ruby import edges_of_ruby
from pruner.model import Findings
from tests.unit.languages import details, look, package, targets, view_of

STDLIB = "/usr/lib/ruby/3.1.0"
ARCH = "/usr/lib/x86_64-linux-gnu/ruby/3.1.0"
HOME = "/var/lib/gems/3.1.0"


def app(source, files=None, *packages, path="/app/main.rb", env=()):
    return look(edges_of_ruby, view_of({**(files or {}), path: source}, *packages, env=env), path)


def gem(name, *modules, version="1.0.0", requires=(), compiled=False):
    needed = "".join(f'  s.add_runtime_dependency(%q<{other}>.freeze, [">= 0"])\n' for other in requires)
    text = f'Gem::Specification.new do |s|\n  s.name = "{name}"\n  s.require_paths = ["lib".freeze]\n{needed}end\n'
    files = {f"{HOME}/specifications/{name}-{version}.gemspec": text}
    files |= {f"{HOME}/gems/{name}-{version}/{module}": "" for module in modules}
    if compiled:
        files[f"{HOME}/extensions/x86_64-linux/3.1.0/{name}-{version}/{name}/{name}.so"] = b"\x7fELF"
    return files


def test_standard_library_leads_to_its_package():
    """Features of the load path, Ruby and compiled, name the packages that own them."""
    files = {f"{STDLIB}/json.rb": "", f"{ARCH}/date_core.so": b"\x7fELF"}
    found = app('require "json"\nrequire "date_core"\nrequire "thread"\n', files, package("libruby3.1", *files))
    assert targets(found) == ["package:libruby3.1"]
    assert found.unknowns == ()


def test_application_files():
    """require_relative, load, autoload and directories added to the load path lead to the application's files."""
    files = {"/app/lib/a.rb": "", "/app/b.rb": "", "/app/c/d.rb": "", "/app/x/e.rb": "", "/app/f.rb": ""}
    source = """
        $LOAD_PATH.unshift File.expand_path("../x", __FILE__)
        require_relative "lib/a"
        load "b.rb"
        autoload :D, File.join(__dir__, "c", "d")
        require "e"
        require File.expand_path("f", __dir__)
    """
    assert targets(app(source, files)) == sorted(files)
    assert targets(app('require "lib_a"', {"/app/lib/lib_a.rb": ""}, path="/app/bin/start.rb")) == ["/app/lib/lib_a.rb"]


def test_globs_and_data_beside_the_file():
    """A glob over `__dir__` loads what it matches; other paths are data."""
    files = {"/app/jobs/a.rb": "", "/app/jobs/b.rb": "", "/app/views/i.erb": "", "/app/k.yml": ""}
    source = 'Dir[File.join(__dir__, "jobs", "*.rb")].each { |f| require f }\nV = File.join(__dir__, "views")\nK = "#{__dir__}/k.yml"\n'
    found = app(source, files)
    assert targets(found, kind="import") == ["/app/jobs/a.rb", "/app/jobs/b.rb"]
    assert set(targets(found, kind="data")) == {"/app/views", "/app/views/i.erb", "/app/k.yml"}


def test_missing_and_computed_libraries():
    """A missing library is unknown unless it is rescued; a computed name is unknown."""
    source = 'require "gone"\nbegin\n  require "opt"\nrescue LoadError\nend\nrequire name\nrequire "x#{y}"\nrequire "z" rescue nil\n'
    assert details(app(source)) == [
        "a library whose name is computed in line 6",
        "a library whose name is computed in line 7",
        "library gone, required in line 1, is not in the root",
    ]


def test_a_gem_with_what_it_requires():
    """A gem that no package lists hangs on its gemspec: its directory, compiled parts and the gems that it requires."""
    files = gem("rack-app", "lib/rack/app.rb", "data/x.txt", requires=("rack",), compiled=True) | gem(
        "rack", "lib/rack.rb"
    )
    found = app('require "rack/app"', files)
    assert f"{HOME}/specifications/rack-app-1.0.0.gemspec" in targets(found)
    whole = look(edges_of_ruby, view_of(files), f"{HOME}/specifications/rack-app-1.0.0.gemspec", active=False)
    assert targets(whole, kind="companion") == [
        f"{HOME}/extensions/x86_64-linux/3.1.0/rack-app-1.0.0/rack-app/rack-app.so",
        f"{HOME}/gems/rack-app-1.0.0/data/x.txt",
        f"{HOME}/gems/rack-app-1.0.0/lib/rack/app.rb",
    ]
    assert targets(whole, kind="depends") == [f"{HOME}/specifications/rack-1.0.0.gemspec"]


def test_a_gem_of_the_sbom():
    """A gem that the SBOM lists is kept by its node."""
    files = gem("rack", "lib/rack.rb")
    listed = package(
        "rack", f"{HOME}/specifications/rack-1.0.0.gemspec", kind="gem", whole_directories=(f"{HOME}/gems/rack-1.0.0",)
    )
    assert "package:rack" in targets(app('require "rack"', files, listed))
    assert "package:rack" in targets(app('load Gem.activate_bin_path("rack", "rackup", version)', files, listed))


def test_bundler_wants_every_locked_gem():
    """Bundler refuses to start when a gem of the lock file is missing, used or not."""
    lock = "GEM\n  remote: x\n  specs:\n    puma (6.0.0)\n      nio4r (~> 2.0)\n    nio4r (2.5.0)\n    absent (1.0)\n\nDEPENDENCIES\n  puma\n"
    files = {"/app/Gemfile": "", "/app/Gemfile.lock": lock, f"{STDLIB}/bundler/setup.rb": ""}
    files |= (
        gem("puma", "lib/puma.rb", version="6.0.0")
        | gem("nio4r", "lib/nio4r.rb", version="2.5.0")
        | gem("other", "lib/o.rb")
    )
    found = app('require "bundler/setup"', files, path="/app/config/boot.rb")
    wanted = {
        f"{HOME}/specifications/puma-6.0.0.gemspec",
        f"{HOME}/specifications/nio4r-2.5.0.gemspec",
        "/app/Gemfile",
        "/app/Gemfile.lock",
    }
    assert wanted <= set(targets(found))
    assert not any("other" in target for target in targets(found))


def test_an_unowned_standard_library_is_kept_whole():
    """A Ruby built from source hangs its library on one landmark."""
    folder = "/usr/local/lib/ruby/3.3.0"
    files = {f"{folder}/English.rb": "", f"{folder}/json.rb": "", f"{folder}/json/ext.rb": ""}
    assert f"{folder}/English.rb" in targets(app('require "json"', files))
    whole = look(edges_of_ruby, view_of(files), f"{folder}/English.rb")
    assert {f"{folder}/json.rb", f"{folder}/json/ext.rb"} <= set(targets(whole, kind="companion"))


def test_commands_and_command_lines():
    """`system` with a literal starts a command; `-r` and `-e` are imports of the command line; RUBYLIB is searched."""
    assert targets(app('system("convert a b")', {"/usr/bin/convert": b""})) == ["/usr/bin/convert"]
    assert targets(app('require "far"', {"/opt/r/far.rb": ""}, env=("RUBYLIB=/opt/r",))) == ["/opt/r/far.rb"]
    view = view_of({"/usr/bin/ruby": b"", f"{STDLIB}/json.rb": "", f"{STDLIB}/set.rb": ""})
    edges, _ = edges_of_arguments("entry:e", ("/usr/bin/ruby", "-rjson", "-e", 'require "set"'), "/", view)
    assert targets(Findings(edges=edges)) == [f"{STDLIB}/json.rb", f"{STDLIB}/set.rb"]


@pytest.mark.parametrize(
    "source",
    [
        b"require 'caf\xe9'\nx = '\xe9'\n",
        b"\0\xff" * 50,
        "(" * 20000,
        "require(" * 5000,
        '"#{' * 5000,
        "__dir__ + " * 5000,
    ],
)
def test_hostile_text(source):
    """Nothing that a file may hold ends in an error; an inert file is not read at all."""
    assert isinstance(app(source), Findings)
    assert look(edges_of_ruby, view_of({"/a.rb": source}), "/a.rb", active=False) == Findings()


def optional(found, group):
    """Optional edges of one group: target to whether it is taken by default."""
    return {edge.target: edge.default for edge in found.edges if edge.group == group and edge.kind != "link"}


TOOLS = {f"/usr/bin/{name}": b"\x7fELF" for name in ("gzip", "sort", "useradd", "yum", "diff")}
VENDOR = "/usr/lib/ruby/vendor_ruby"


@pytest.mark.parametrize(
    "call", ["`{}`", "x = %x({})", 'system("{}", out: f)', 'IO.popen("{}", "r")', 'Open3.capture2("{}")']
)
def test_every_command_of_a_pipeline(call):
    """What goes to a shell is read as its text: all commands count, computed words do not."""
    found = app(call.replace("{}", "gzip -dc #{file} | sort"), TOOLS)
    assert optional(found, "script-commands") == {"/usr/bin/gzip": True, "/usr/bin/sort": True}
    assert optional(found, "shell") == {"capability:shell": True}


def test_commands_without_a_shell():
    """Argument vectors and lines without metacharacters start a program and no shell; a computed command is skipped."""
    for source in ('system("sort", "a|b")', 'spawn({}, "sort")', 'IO.popen(["sort", x])', 'exec "sort -u"'):
        found = app(source, TOOLS)
        assert optional(found, "script-commands") == {"/usr/bin/sort": True}, source
        assert optional(found, "shell") == {}, source
    assert app('system("#{tool} sort")', TOOLS) == Findings()


def test_declared_commands_of_providers():
    """`commands name: "program"` counts where the package depends on the program; other systems' tools are offered."""
    packages = (
        package("agent", "/usr/bin/agent", depends=("passwd",)),
        package("passwd", "/usr/bin/useradd"),
        package("yum", "/usr/bin/yum"),
        package("diffutils", "/usr/bin/diff", stanza="Essential: yes\n"),
    )
    source = 'commands :add => "useradd", :other => "yum"\nhas_command(:diff, "diff") { }\n'
    found = app(source, TOOLS, *packages, path="/usr/bin/agent")
    wanted = {"/usr/bin/useradd": True, "/usr/bin/yum": False, "/usr/bin/diff": True}
    assert optional(found, "script-commands") == wanted
    script = {**TOOLS, "/usr/bin/useradd": "#!/usr/bin/perl\n"}
    found = app('commands :add => "useradd"', script, *packages, path="/usr/bin/agent")
    assert optional(found, "script-commands") == {"/usr/bin/useradd": False}
    found = app('default = "diff" # of the command\nyum = "yum"', TOOLS, *packages, path="/usr/bin/agent")
    assert optional(found, "named-executables") == {"/usr/bin/diff": True}


OWN = {f"{VENDOR}/agent/{name}.rb": "" for name in ("cli", "type/user", "provider/user/useradd", "provider/user/pw")}
OWNER = package("agent", "/usr/bin/agent", *OWN)


def test_libraries_of_the_same_package_are_looked_at():
    """A script's own package is its application: what it requires there is active; a dependency's files stay inert."""
    other = package("other", f"{VENDOR}/other.rb")
    files = {**OWN, f"{VENDOR}/other.rb": ""}
    found = app('require "agent/cli"\nrequire "other"', files, OWNER, other, path="/usr/bin/agent")
    assert targets(found, kind="import") == [f"{VENDOR}/agent/cli.rb", "package:agent", "package:other"]


@pytest.mark.parametrize(
    "source",
    [
        'require "agent/provider/#{name}"',
        'require "agent/provider/" + name',
        'require File.join("agent", "provider", name)',
        'Util::Autoload.new(self, "agent/provider/#{name}")',
        'instance_load :provider, "agent/provider"',
    ],
)
def test_computed_names_with_a_beginning(source):
    """The own libraries below the directory that a computed name begins with are optional imports, taken by default."""
    path = f"{VENDOR}/agent/provider/foreign.rb"
    foreign = package("foreign", path)
    found = app(source, {**OWN, path: ""}, OWNER, foreign, path="/usr/bin/agent")
    wanted = dict.fromkeys((f"{VENDOR}/agent/provider/user/{name}.rb" for name in ("useradd", "pw")), True)
    assert optional(found, "computed-modules") == wanted


def test_computed_names_without_a_beginning():
    """Nothing says which library is meant: it is unknown, and nothing is kept."""
    found = app("require name", OWN, OWNER, path="/usr/bin/agent")
    assert targets(found) == []
    assert details(found) == ["a library whose name is computed in line 1"]
