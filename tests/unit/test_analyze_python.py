"""Python applications: imports, environments, module names, and what distributions use when it is there."""

from __future__ import annotations

from typing import ClassVar

import pytest

from pruner.analyze.arguments import edges_of_arguments
from pruner.analyze.python import edges_of_python
from pruner.model import Findings
from tests.unit.languages import Link, details, look, package, targets, view_of

SITE = "/opt/venv/lib/python3.11/site-packages"
STDLIB = {
    "/usr/bin/python3": Link("python3.11"),
    "/usr/bin/python3.11": b"\x7fELF",
    "/usr/lib/python3.11/os.py": "",
    "/usr/lib/python3.11/json/__init__.py": "",
    "/usr/lib/python3.11/lib-dynload/_sqlite3.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
}
RUNTIME = package("libpython3.11-stdlib", *(path for path in STDLIB if path.startswith("/usr/lib/")))
VENV = {
    "/opt/venv/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n",
    "/opt/venv/bin/python3": Link("/usr/bin/python3"),
    "/opt/venv/bin/python": Link("python3"),
}


def distribution(name, *modules, depends=(), site=SITE):
    paths = [f"{site}/{module}" for module in modules]
    metadata = f"{site}/{name}-1.dist-info/METADATA"
    return package(name, *paths, metadata, kind="python", depends=depends, locations=(metadata,))


def app(source, *packages, files=None, path="/app/main.py", env=()):
    content = {**STDLIB, **(files or {}), path: source}
    for entry, owned in packages:
        if entry.type == "python":
            content.update({place: content.get(place, "") for place in owned})
    view = view_of(content, RUNTIME, *packages, env=env)
    return look(edges_of_python, view, path)


class TestImports:
    def test_standard_library_leads_to_its_packages(self):
        """A module of the interpreter's package names the package, extension modules included."""
        found = app("import json\nimport _sqlite3\n")
        assert targets(found) == ["package:libpython3.11-stdlib"]
        assert found.unknowns == ()

    def test_application_files_lead_to_themselves(self):
        """Modules, packages, submodules and relative imports of the application are files."""
        files = {
            "/app/store.py": "",
            "/app/pkg/__init__.py": "",
            "/app/pkg/sub.py": "",
            "/app/pkg/deep/__init__.py": "",
            "/app/pkg/deep/leaf.py": "",
        }
        found = app("import store\nfrom pkg import sub, name\nimport pkg.deep.leaf as leaf\n", files=files)
        assert [target for target in targets(found) if target.startswith("/app")] == sorted(files)
        relative = app(
            "from . import sub\nfrom .deep.leaf import x\nfrom .. import gone\n",
            files={**files, "/app/pkg/a.py": ""},
            path="/app/pkg/a.py",
        )
        assert {"/app/pkg/__init__.py", "/app/pkg/sub.py", "/app/pkg/deep/leaf.py"} <= set(targets(relative))

    def test_absolute_imports_from_above_a_package(self):
        """`python -m` puts the directory above a package on the path, so a module may name its own package."""
        files = {"/srv/project/__init__.py": "", "/srv/project/settings.py": "", "/srv/other.py": ""}
        found = app("import project.settings\nimport other\n", files=files, path="/srv/project/urls.py")
        assert {"/srv/project/settings.py", "/srv/other.py"} <= set(targets(found))

    def test_distributions_are_named_once(self):
        """However many modules are imported, a distribution is one edge; a namespace package has no file of its own."""
        found = app(
            "import flask\nimport flask.json\nfrom google.cloud import storage\n",
            distribution("flask", "flask/__init__.py", "flask/json.py"),
            distribution("google-storage", "google/cloud/storage/__init__.py"),
            files=VENV,
        )
        assert targets(found, kind="import") == [
            "package:flask",
            "package:google-storage",
            "package:libpython3.11-stdlib",
        ]
        assert found.unknowns == ()

    def test_missing_modules_are_unknown_unless_guarded(self):
        """A module that the root lacks is listed, with its line; where its absence is expected it is not."""
        found = app(
            "import gone\n"
            "try:\n    import fast\nexcept ImportError:\n    import slow\n"
            "import sys\nif sys.platform == 'win32':\n    import winthing\n"
            "from contextlib import suppress\nwith suppress(ImportError):\n    import quiet\n"
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import types_only\n"
            "def later():\n    import lazy\n"
        )
        assert details(found) == [
            "module gone, imported in line 1, is not in the root",
            "module lazy, imported in line 16, is not in the root",
        ]

    def test_guarded_modules_that_exist_are_needed(self):
        """What a try block imports is used when it is there."""
        found = app(
            "try:\n    import orjson\nexcept ImportError:\n    orjson = None\n",
            distribution("orjson", "orjson/__init__.py"),
            files=VENV,
        )
        assert "package:orjson" in targets(found, optional=False)

    def test_import_module_with_a_literal_and_without(self):
        """A literal is an import; a computed name is an unknown."""
        found = app(
            "import importlib\nimportlib.import_module('plugin')\n__import__(name)\n", files={"/app/plugin.py": ""}
        )
        assert "/app/plugin.py" in targets(found)
        assert details(found) == ["a module whose name is computed in line 3"]

    def test_inert_and_foreign_files_yield_nothing(self):
        """An inert file imports nothing; text that is no Python is an unknown, not an error."""
        view = view_of({**STDLIB, "/a.py": "import json", "/b.py": "print 'two'", "/c.py": b"\0\xff"})
        assert look(edges_of_python, view, "/a.py", active=False) == Findings()
        assert details(look(edges_of_python, view, "/b.py")) == ["source that does not parse"]
        assert details(look(edges_of_python, view, "/c.py")) == ["source that does not parse"]

    def test_hostile_nesting(self):
        """Source nested beyond the parser's stack ends in an unknown; long sums are walked without recursion."""
        assert details(app("x = " + "(" * 5000 + ")" * 5000)) == ["source that does not parse"]
        assert app("x = " + "+".join(["__file__"] * 300)).edges


class TestEnvironments:
    def test_a_console_script_runs_in_its_virtual_environment(self):
        """The shebang leads through the links of the environment to the base interpreter."""
        found = app(
            "#!/opt/venv/bin/python3\nfrom uvicorn.main import main\nimport json\n",
            distribution("uvicorn", "uvicorn/__init__.py", "uvicorn/main.py"),
            files=VENV,
            path="/opt/venv/bin/uvicorn",
        )
        assert targets(found, kind="import") == ["package:libpython3.11-stdlib", "package:uvicorn"]
        assert targets(found, kind="config") == ["/opt/venv/pyvenv.cfg"]

    def test_a_virtual_environment_hides_the_system(self):
        """Without include-system-site-packages a module of dist-packages is not there; with it, it is."""
        system = package("python3-yaml", "/usr/lib/python3/dist-packages/yaml/__init__.py")
        files = {**VENV, "/usr/lib/python3/dist-packages/yaml/__init__.py": ""}
        script = "#!/opt/venv/bin/python\nimport yaml\n"
        assert details(app(script, system, files=files)) == ["module yaml, imported in line 2, is not in the root"]
        files["/opt/venv/pyvenv.cfg"] = "home = /usr/bin\ninclude-system-site-packages = true\n"
        assert "package:python3-yaml" in targets(app(script, system, files=files))

    def test_doubt_keeps_what_either_interpreter_would_find(self):
        """A file without a first line may be run by the system's Python or by any environment's."""
        system = package("python3-yaml", "/usr/lib/python3/dist-packages/yaml/__init__.py")
        files = {**VENV, "/usr/lib/python3/dist-packages/yaml/__init__.py": ""}
        found = app("import yaml\n", system, distribution("pyyaml", "yaml/__init__.py"), files=files)
        assert {"package:python3-yaml", "package:pyyaml"} <= set(targets(found))

    def test_path_files_and_editable_installs(self):
        """A .pth file adds a directory; setuptools' finder maps a name."""
        files = {
            **VENV,
            f"{SITE}/src.pth": "# comment\n/src/lib\n",
            "/src/lib/mine.py": "",
            f"{SITE}/__editable__.tool-1.pth": "import __editable___tool_1_finder; __editable___tool_1_finder.install()\n",
            f"{SITE}/__editable___tool_1_finder.py": "MAPPING: dict[str, str] = {'tool': '/src/tool'}\n",
            "/src/tool/__init__.py": "",
        }
        assert {"/src/lib/mine.py", "/src/tool/__init__.py"} <= set(targets(app("import mine, tool\n", files=files)))

    def test_search_path_of_the_image_and_of_the_program(self):
        """PYTHONPATH of the image and literal additions to `sys.path` are searched."""
        files = {"/lib/extra/far.py": "", "/app/vendor/near.py": ""}
        source = (
            "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))\nimport far, near\n"
        )
        found = app(source, files=files, env=("PYTHONPATH=/lib/extra",))
        assert set(files) <= set(targets(found))

    def test_an_unowned_standard_library_is_kept_whole(self):
        """An interpreter built from source hangs its library on the landmark os.py."""
        content = {
            "/usr/local/bin/python3": Link("python3.12"),
            "/usr/local/bin/python3.12": b"\x7fELF",
            "/usr/local/lib/python3.12/os.py": "",
            "/usr/local/lib/python3.12/encodings/__init__.py": "",
            "/usr/local/lib/python3.12/site-packages/junk.py": "",
            "/app/main.py": "import json\n",
        }
        view = view_of(content)
        assert "/usr/local/lib/python3.12/os.py" in targets(look(edges_of_python, view, "/app/main.py"))
        whole = look(edges_of_python, view, "/usr/local/lib/python3.12/os.py")
        assert targets(whole) == ["/usr/local/lib/python3.12/encodings/__init__.py"]

    def test_unowned_modules_in_site_packages_keep_their_package(self):
        """A distribution that the SBOM does not list is kept by its top-level directory, data files included."""
        files = {**VENV, f"{SITE}/lost/__init__.py": "", f"{SITE}/lost/data/table.csv": ""}
        assert f"{SITE}/lost/data/table.csv" in targets(app("import lost\n", files=files), kind="companion")


class TestTrace:
    UVICORN: ClassVar = {
        f"{SITE}/uvicorn/__init__.py": "from uvicorn.config import Config\n",
        f"{SITE}/uvicorn/config.py": 'LOOPS = {"uvloop": "uvicorn.loops.uvloop:setup"}\n',
        f"{SITE}/uvicorn/loops/__init__.py": "",
        f"{SITE}/uvicorn/loops/uvloop.py": "import uvloop\n",
        f"{SITE}/uvicorn/testclient.py": "import httpx\n",
    }

    def packages(self, *depends):
        names = [path.removeprefix(f"{SITE}/") for path in self.UVICORN]
        return (
            distribution("uvicorn", *names, depends=depends),
            distribution("uvloop", "uvloop/__init__.py"),
            distribution("httpx", "httpx.py"),
        )

    def test_reachable_extras_are_optional_edges(self):
        """uvloop is imported by a module that a string names; nobody imports the test client, so httpx stays out."""
        found = app("import uvicorn\n", *self.packages(), files={**VENV, **self.UVICORN})
        assert targets(found, optional=True) == ["package:uvloop"]
        (edge,) = [edge for edge in found.edges if edge.target == "package:uvloop"]
        assert (edge.group, edge.default) == ("python-imports", True)
        assert edge.evidence == f"imported by {SITE}/uvicorn/loops/uvloop.py"

    def test_declared_requirements_are_no_options(self):
        """What the distribution requires anyway comes with it."""
        found = app("import uvicorn\n", *self.packages("uvloop"), files={**VENV, **self.UVICORN})
        assert targets(found, optional=True) == []

    def test_entry_points_of_a_group_that_something_asks_for(self):
        """A plugin advertises a group that a kept module looks up."""
        files = {
            **VENV,
            f"{SITE}/host/__init__.py": "from importlib.metadata import entry_points\nfor e in entry_points(group='host.plugins'): e.load()\n",
            f"{SITE}/plug-1.dist-info/entry_points.txt": "[host.plugins]\na = plug:a\n",
            f"{SITE}/other-1.dist-info/entry_points.txt": "[console_scripts]\nb = other:b\n",
        }
        plug, other = distribution("plug", "plug.py"), distribution("other", "other.py")
        plug = (plug[0], (*plug[1], f"{SITE}/plug-1.dist-info/entry_points.txt"))
        found = app("import host\n", distribution("host", "host/__init__.py"), plug, other, files=files)
        assert [(edge.target, edge.group) for edge in found.edges if edge.strength == "optional"] == [
            ("package:plug", "python-plugins")
        ]


class TestNamedThings:
    def test_strings_that_name_modules_are_optional(self):
        """Settings name modules by string: dotted names, and plain ones in lists assigned to capitals."""
        found = app(
            "ROOT_URLCONF = 'shop.urls'\nINSTALLED_APPS = ['rest', 'nothere']\nHANDLER = 'logs.json.Formatter'\nTEXT = 'not.a.module'\n",
            distribution("rest", "rest/__init__.py"),
            distribution("logs", "logs/__init__.py", "logs/json.py"),
            files={**VENV, "/app/shop/__init__.py": "", "/app/shop/urls.py": ""},
        )
        assert targets(found, optional=True) == [
            "/app/shop/__init__.py",
            "/app/shop/urls.py",
            "package:logs",
            "package:rest",
        ]
        assert found.unknowns == ()

    def test_files_addressed_by_file(self):
        """Paths computed from `__file__` are data, whole directories included, except those the module lies in."""
        files = {"/app/templates/a.html": "", "/app/static/b.css": "", "/app/data.json": "", "/app/other.txt": ""}
        found = app(
            "import os\nfrom pathlib import Path\nBASE = Path(__file__).resolve().parent\n"
            "T = BASE / 'templates'\nS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'static')\n"
            "D = f'{BASE}/data.json'\nUP = BASE.parents[0]\n",
            files=files,
        )
        data = targets(found, kind="data")
        assert {"/app/templates/a.html", "/app/static/b.css", "/app/data.json"} <= set(data)
        assert "/app/other.txt" not in data

    def test_commands_that_it_starts(self):
        """The first word of a started command is looked up in PATH."""
        found = app(
            "import subprocess, shutil\nsubprocess.run(['git', 'log'])\nshutil.which('gpg')\nrun('ls')\n",
            files={"/usr/bin/git": b"", "/usr/bin/gpg": b"", "/usr/bin/ls": b""},
        )
        assert targets(found, kind="exec") == ["/usr/bin/git", "/usr/bin/gpg", "/usr/bin/ls"]


class TestArguments:
    def view(self, **files):
        content = {
            **STDLIB,
            **VENV,
            "/opt/venv/bin/uvicorn": "#!/opt/venv/bin/python3\n",
            "/usr/bin/redis-server": b"\x7fELF",
        }
        content |= {f"{SITE}/uvicorn/__init__.py": "", f"{SITE}/uvicorn/__main__.py": "", **files}
        return view_of(content, RUNTIME, distribution("uvicorn", "uvicorn/__init__.py", "uvicorn/__main__.py"))

    def edges(self, view, *words, base="/"):
        edges, unknowns = edges_of_arguments("entry:x", words, base, view)
        return targets(Findings(edges=edges)), [unknown.detail for unknown in unknowns]

    def test_an_application_in_the_working_directory(self):
        """`main:app` is main.py of the working directory."""
        view = self.view(**{"/app/main.py": "", "/srv/main.py": ""})
        assert self.edges(view, "/opt/venv/bin/uvicorn", "main:app", base="/srv")[0] == [
            "/opt/venv/pyvenv.cfg",
            "/srv/main.py",
        ]

    def test_an_application_that_exists_once(self):
        """Without a working directory the only file of that name outside of packages is meant; of two, neither is."""
        once = self.view(**{"/app/shop/wsgi.py": "", "/app/shop/__init__.py": ""})
        assert self.edges(once, "/opt/venv/bin/uvicorn", "shop.wsgi:application")[0] == [
            "/app/shop/__init__.py",
            "/app/shop/wsgi.py",
            "/opt/venv/pyvenv.cfg",
        ]
        twice = self.view(**{"/app/main.py": "", "/srv/main.py": ""})
        found, unknown = self.edges(twice, "/opt/venv/bin/uvicorn", "main:app")
        assert found == []
        assert unknown == ["module main of the command line is not in the root; name its file as an entry point"]

    def test_modules_that_are_run(self):
        """`-m` finds modules of the environment and of the standard library."""
        assert self.edges(self.view(), "/opt/venv/bin/python", "-m", "uvicorn")[0] == [
            "/opt/venv/pyvenv.cfg",
            "package:uvicorn",
        ]
        assert self.edges(self.view(), "/usr/bin/python3", "-m", "json")[0] == ["package:libpython3.11-stdlib"]

    def test_code_on_the_command_line(self):
        """The code of `-c` is analysed in the environment of the program that is named."""
        assert "package:uvicorn" in self.edges(self.view(), "/opt/venv/bin/python", "-c", "import uvicorn")[0]
        found, unknown = self.edges(self.view(), "/usr/bin/python3", "-c", "import uvicorn")
        assert "package:uvicorn" not in found
        assert unknown == ["module uvicorn, imported in line 2, is not in the root"]

    @pytest.mark.parametrize("words", [("/usr/bin/redis-server", "localhost:main"), ("/nowhere", "main:app"), ()])
    def test_other_programs_name_no_modules(self, words):
        """`host:name` of a program that no Python runs is no module."""
        assert self.edges(self.view(**{"/app/main.py": ""}), *words) == ([], [])


def optional(found, group):
    """Optional edges of one group: target to whether it is taken by default."""
    return {edge.target: edge.default for edge in found.edges if edge.group == group and edge.kind != "link"}


class TestStarted:
    TOOLS: ClassVar = {f"/usr/bin/{name}": b"\x7fELF" for name in ("gzip", "sort", "git", "diff")}

    @pytest.mark.parametrize(
        "call",
        [
            "subprocess.run('gzip -dc x | sort', shell=True)",
            "subprocess.check_output(f'gzip -dc {name} | sort', shell=True)",
            "os.system('gzip -dc %s | sort' % name)",
            "os.popen('gzip -dc ' + name + ' | sort')",
        ],
    )
    def test_every_command_of_a_pipeline(self, call):
        """What a shell runs is read as its text: all commands count, computed words do not, the shell is asked for."""
        found = app(call, files=self.TOOLS)
        assert optional(found, "script-commands") == {"/usr/bin/gzip": True, "/usr/bin/sort": True}
        assert optional(found, "shell") == {"capability:shell": True}

    @pytest.mark.parametrize(
        "call",
        [
            "subprocess.run(['git', *words])",
            "subprocess.Popen(['git'] + words)",
            "shutil.which('git')",
            "os.execvp('git', a)",
        ],
    )
    def test_argument_vectors(self, call):
        """No shell is asked for where none reads the line."""
        found = app(call, files=self.TOOLS)
        assert optional(found, "script-commands") == {"/usr/bin/git": True}
        assert optional(found, "shell") == {}

    def test_computed_commands_are_passed_over(self):
        """Nothing is taken for a command whose name is computed."""
        found = app("subprocess.run([program, 'sort'])\nsubprocess.run(words, shell=False)", files=self.TOOLS)
        assert optional(found, "script-commands") == {}

    def test_names_of_declared_commands(self):
        """A string that is the name of a command which the package depends on, where the source starts programs."""
        packages = (package("app", "/usr/bin/app", depends=("git",)), package("git", "/usr/bin/git"))
        found = app("TOOL = 'git'\nOTHER = 'sort'\n", *packages, files=self.TOOLS, path="/usr/bin/app")
        assert optional(found, "named-executables") == {"/usr/bin/git": False}
        found = app("import subprocess\nTOOL = 'git'\n", *packages, files=self.TOOLS, path="/usr/bin/app")
        assert optional(found, "named-executables") == {"/usr/bin/git": True}


class TestPackagedApplications:
    HOME: ClassVar = "/usr/lib/python3/dist-packages/app"
    MODULES: ClassVar = {
        f"/usr/lib/python3/dist-packages/app/{name}.py": ""
        for name in ("__init__", "main", "plugins/__init__", "plugins/one", "plugins/two")
    }
    OWNER: ClassVar = package("app", "/usr/bin/app", *MODULES)

    def found(self, source, *packages, path="/usr/bin/app", files=None):
        return app(
            f"#!/usr/bin/python3\n{source}", self.OWNER, *packages, files={**self.MODULES, **(files or {})}, path=path
        )

    def test_modules_of_the_same_package_are_looked_at(self):
        """A script's own package is its application; a dependency's modules stay inert."""
        path = "/usr/lib/python3/dist-packages/other.py"
        found = self.found("import app.main\nimport other\n", package("other", path), files={path: ""})
        imports = [target for target in targets(found, kind="import") if "stdlib" not in target]
        assert imports == [f"{self.HOME}/__init__.py", f"{self.HOME}/main.py", "package:app", "package:other"]

    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ("importlib.import_module(f'app.plugins.{name}')", "/usr/bin/app"),
            ("importlib.import_module('app.plugins.' + name)", "/usr/bin/app"),
            ("__import__('app.plugins.%s' % name)", "/usr/bin/app"),
            ("importlib.import_module('.' + name, 'app.plugins')", "/usr/bin/app"),
            ("import app.plugins\nfor m in pkgutil.iter_modules(app.plugins.__path__): pass", "/usr/bin/app"),
            ("from app import plugins\nfor m in pkgutil.iter_modules(plugins.__path__): pass", "/usr/bin/app"),
            ("importlib.import_module(f'.plugins.{name}', __package__)", "/usr/lib/python3/dist-packages/app/main.py"),
            ("for m in pkgutil.walk_packages([os.path.dirname(__file__)]): pass", f"{HOME}/plugins/__init__.py"),
        ],
    )
    def test_computed_names_with_a_beginning(self, source, path):
        """The own modules of the package that a computed name begins with are optional imports, taken by default."""
        foreign = f"{self.HOME}/plugins/foreign.py"
        found = self.found(source, package("foreign", foreign), path=path, files={foreign: ""})
        names = {f"{self.HOME}/plugins/one.py", f"{self.HOME}/plugins/two.py"}
        taken = optional(found, "computed-modules")
        assert names <= set(taken) <= names | {f"{self.HOME}/plugins/__init__.py"}
        assert all(taken.values())

    def test_computed_names_without_a_beginning(self):
        """Nothing says which module is meant: it is unknown, and nothing is kept."""
        found = self.found("importlib.import_module(name)")
        assert optional(found, "computed-modules") == {}
        assert details(found) == ["a module whose name is computed in line 2"]
