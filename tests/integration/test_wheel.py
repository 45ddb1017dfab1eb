"""The built wheel and the editable install: the command works, and its rules are found."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pruner import __version__
from tests.support import ROOT

pytestmark = pytest.mark.integration


def run(*words: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fresh_environment(place: Path, *install: object) -> Path:
    """A virtual environment with the project alone; its dependencies are those of this one, so nothing is fetched."""
    run(sys.executable, "-m", "venv", place, cwd=place.parent)
    python = place / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip()
    # Behind the environment's own, and as a path alone: .pth files in it, such as an editable pruner's, are not read.
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-build-isolation", "--no-index",
        "--quiet", "--ignore-installed", *install, cwd=place.parent)  # fmt: skip
    return place / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a source tree of its own so that nothing is written into this one."""
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=place)
    (found,) = place.glob("*.whl")
    return found


def test_wheel_holds_the_package_and_the_rules_alone(wheel: Path) -> None:
    """Rules, licence and type marker are in it; tests, samples and caches are not."""
    assert wheel.name == f"sbom_pruner-{__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    rules = {f"pruner/rulepacks/{path.name}" for path in (ROOT / "rules").glob("*.yaml")}
    assert rules <= set(names)
    assert "pruner/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.partition("/")[0] for name in names} == {"pruner", f"sbom_pruner-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]


def check_command(programs: Path, place: Path) -> str:
    """The command of an environment finds its rules from any directory, and plans; gives where the package lies."""
    assert run(programs / "pruner", "--version", cwd=place) == f"pruner {__version__}\n"
    listed = run(programs / "pruner", "rules", "list", cwd=place).splitlines()
    assert len(listed) > 50
    assert any(line.startswith("documentation ") for line in listed)
    assert "id: documentation\n" in run(programs / "pruner", "rules", "show", "documentation", cwd=place)
    return run(programs / "python", "-c", "import pruner; print(pruner.__file__)", cwd=place).strip()


def test_installed_wheel_works(wheel: Path, tmp_path: Path) -> None:
    """`pruner` of the installed wheel finds the rules that the wheel holds."""
    programs = fresh_environment(tmp_path / "venv", wheel)
    place = tmp_path / "empty"
    place.mkdir()
    assert check_command(programs, place).startswith(str(tmp_path / "venv"))


def test_editable_install_works(tmp_path: Path) -> None:
    """`pruner` of an editable install finds the rules of the source tree."""
    programs = fresh_environment(tmp_path / "venv", "--editable", ROOT)
    place = tmp_path / "empty"
    place.mkdir()
    assert check_command(programs, place) == str(ROOT / "pruner" / "__init__.py")
