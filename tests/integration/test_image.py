"""A real image: built by buildah, scanned by syft as a docker-archive, entered by its own configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.corpus.sandbox import Box
from tests.integration.commands import need_root, planned, pruner, there
from tests.integration.extracted import extracted
from tests.integration.images import Builder, scan_image

pytestmark = pytest.mark.integration

PACKAGES = ("base-files", "base-passwd", "libc-bin", "dash", "coreutils", "perl-base", "sed", "grep")
SEARCH = "/opt/app/bin:/usr/local/bin:/usr/bin:/bin"
CONFIG = (
    "--entrypoint", '["start", "--config", "conf/app.conf"]', "--cmd", "serve", "--env", f"PATH={SEARCH}",
    "--env", "HOME=/home/app", "--env", "MODE=production", "--user", "app", "--workingdir", "/srv/app",
    "--volume", "/var/lib/app", "--volume", "/not/in/the/image", "--port", "8080/tcp", "--label", "maintainer=someone",
    "--stop-signal", "SIGQUIT", "--healthcheck", "CMD-SHELL 'health --quiet || exit 1'", "--healthcheck-interval", "30s",
)  # fmt: skip
TOLD = tuple(
    word
    for path in ("/opt/app/bin/common.sh", "/usr/bin/dirname", "/usr/bin/id", "/bin/sed", "/usr/bin/perl")
    for word in ("--keep", path)
)
SHELL_FORM = (
    "--entrypoint",
    "exec start --config conf/app.conf $MODE",
    "--env",
    f"PATH={SEARCH}",
    "--workingdir",
    "/srv/app",
)


def furnish(root: Path) -> None:
    """An application below /opt that no package owns, its user, and programs that nothing of it calls."""
    (root / "opt/app/bin").mkdir(parents=True)
    (root / "opt/app/bin/start").write_text(
        '#!/bin/sh\nset -e\n. "$(dirname "$0")/common.sh"\n'
        'test "$1" = --config\ngreet "$(sed -n "s/^name=//p" "$2")" "$3"\n'
    )
    (root / "opt/app/bin/common.sh").write_text('greet() { echo "hello $1, $2 as $(id -un) in $PWD ($MODE)"; }\n')
    (root / "opt/app/bin/health").write_text(
        "#!/usr/bin/perl\nuse strict;\nuse List::Util 'sum';\nprint sum(1, 2), qq(\\n);\n"
    )
    (root / "opt/app/bin/unused").write_text("#!/bin/sh\ngrep x /etc/passwd\n")
    for path in (root / "opt/app/bin").iterdir():
        path.chmod(0o755)
    (root / "srv/app/conf").mkdir(parents=True)
    (root / "srv/app/conf/app.conf").write_text("name=world\n")
    (root / "srv/app/unused.dat").write_text("nothing names it\n")
    (root / "home/app").mkdir(mode=0o750)
    (root / "var/lib/app").mkdir(mode=0o700)
    for name in ("etc/passwd", "etc/group"):
        with (root / name).open("a") as file:
            file.write({"etc/passwd": "app:x:1001:1001::/home/app:/bin/sh\n", "etc/group": "app:x:1001:\n"}[name])
    import os

    for name in ("home/app", "var/lib/app"):
        os.chown(root / name, 1001, 1001)


@dataclass(frozen=True)
class Image:
    archive: Path
    sbom: Path


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> dict[str, Image]:
    """The same root with an exec-form entry point, with a shell-form one, and with none."""
    need_root("building an image")
    root = extracted("image", "amd64", PACKAGES, furnish).root
    home = tmp_path_factory.mktemp("images")
    builder = Builder(home / "storage")
    builder.commit("exec", root, *CONFIG)
    builder.reconfigure("exec", "shell", "--healthcheck", "NONE", "--cmd", "", *SHELL_FORM)
    builder.reconfigure("exec", "none", "--healthcheck", "NONE", "--cmd", "", "--entrypoint", "[]")
    made = {}
    for name in ("exec", "shell", "none"):
        archive = home / f"{name}.tar"
        builder.push(name, f"docker-archive:{archive}:{name}:1")
        made[name] = Image(archive=archive, sbom=home / f"{name}.json")
    for name in ("exec", "shell"):
        scan_image(made[name].archive, made[name].sbom)
    builder.remove()
    return made


@pytest.fixture(scope="module")
def plan(images, tmp_path_factory):
    """The plan directory of `--entry image`, with the bytes or from the SBOM alone; made once."""

    def make(name: str, with_root: bool, *options: str) -> Path:
        directory = tmp_path_factory.mktemp("plan")
        root = ("--root", images[name].archive) if with_root else ()
        pruner(
            "plan", images[name].sbom, *root, "--entry", "image", "--image", "fat:1", *options, "-o", directory, "-q"
        )
        return directory

    return cache(make)


@pytest.fixture(scope="module")
def fat_root(tmp_path_factory):
    return extracted("image", "amd64", PACKAGES, furnish).root


def test_the_configuration_is_in_the_plan(plan):
    """Everything that applies at run time is carried from the SBOM into plan.json, unchanged."""
    image = planned(plan("exec", True))["image"]
    assert image["entrypoint"] == ["start", "--config", "conf/app.conf"]
    assert image["cmd"] == ["serve"]
    assert f"PATH={SEARCH}" in image["env"]
    assert (image["user"], image["working_dir"], image["stop_signal"]) == ("app", "/srv/app", "SIGQUIT")
    assert sorted(image["volumes"]) == ["/not/in/the/image", "/var/lib/app"]
    assert image["healthcheck"]["test"] == ["CMD-SHELL", "health --quiet || exit 1"]
    assert image["healthcheck"]["interval"] == 30_000_000_000


def test_entry_point_and_health_check_are_followed(plan):
    """The command through the image's PATH, its argument in WORKDIR, what it sources and calls, and the health check."""
    files = there(planned(plan("exec", True)))
    assert {
        "/opt/app/bin/start", "/opt/app/bin/common.sh", "/opt/app/bin/health", "/srv/app/conf/app.conf",
        "/bin/sh", "/bin/dash", "/bin/sed", "/usr/bin/id", "/usr/bin/dirname", "/usr/bin/perl",
        "/usr/lib/x86_64-linux-gnu/perl-base/List/Util.pm", "/etc/passwd", "/etc/group",
    } <= files.keys()  # fmt: skip
    assert not {"/opt/app/bin/unused", "/srv/app/unused.dat", "/bin/grep"} & files.keys()


def test_directories_that_the_image_promises(plan):
    """WORKDIR, HOME, /tmp and VOLUMEs exist, with the image's owner and mode where it has them, made where not."""
    files = there(planned(plan("exec", True)))
    assert (files["/home/app"]["mode"], files["/home/app"]["uid"]) == ("0750", 1001)
    assert (files["/var/lib/app"]["mode"], files["/var/lib/app"]["gid"]) == ("0700", 1001)
    assert files["/srv/app"]["decision"] == "keep"
    assert files["/not/in/the/image"]["decision"] == "make"
    assert files["/tmp"]["mode"] == "1777"


def test_the_dockerfile_carries_the_configuration(plan):
    """The last stage is `FROM scratch` with the image's own instructions."""
    text = (plan("exec", True) / "Dockerfile").read_text()
    assert re.search(r"^FROM fat:1\b", text, re.MULTILINE)
    stage = text[text.index("FROM scratch") :]
    for line in (
        r'ENTRYPOINT \["start", "--config", "conf/app.conf"\]', r'CMD \["serve"\]', r'USER "?app"?', r'WORKDIR "?/srv/app"?',
        r'STOPSIGNAL "?SIGQUIT"?', r'EXPOSE "?8080/tcp"?', r'ENV MODE="?production"?', r"HEALTHCHECK .*--interval=30s .*",
        r'VOLUME \["/not/in/the/image", ?"/var/lib/app"\]', r'LABEL "?maintainer"?="?someone"?',
    ):  # fmt: skip
        assert re.search(f"^{line}$", stage, re.MULTILINE), f"{line} is not in {stage}"
    assert "CMD health --quiet || exit 1" in stage


@pytest.mark.parametrize("with_root", [True, False], ids=["root", "sbom"])
def test_the_image_runs_in_what_is_left(images, plan, fat_root, tmp_path, with_root):
    """Entry point and health check print in the pruned root what they print in the fat one.

    What scripts that no package owns source and call is told to a plan that could not read them.
    """
    directory = plan("exec", with_root, *(() if with_root else TOLD))
    assert planned(directory)["mode"] == ("root" if with_root else "sbom")
    pruner("apply", directory, "--root", images["exec"].archive, "--dest", tmp_path / "pruned")
    environment = {"PATH": SEARCH, "HOME": "/home/app", "MODE": "production"}
    with Box(tmp_path / "pruned", fat_root) as box:
        said = []
        for run in (box.tool, box.run):
            start = run(
                "/opt/app/bin/start", "--config", "conf/app.conf", "serve", user="app", env=environment, cwd="/srv/app"
            )
            health = run("/bin/sh", "-c", "health --quiet || exit 1", user="app", env=environment, cwd="/srv/app")
            said.append((start.out, health.out))
    assert said[0] == ("hello world, serve as app in /srv/app (production)\n", "3\n")
    assert said[1] == said[0]


def test_without_bytes_the_plan_says_so(plan):
    """From the SBOM alone the scripts' text is not known: it is listed, and what is named is kept all the same."""
    document = planned(plan("exec", False))
    files = there(document)
    assert {"/opt/app/bin/start", "/srv/app/conf/app.conf", "/bin/sh", "/opt/app/bin/health"} <= files.keys()
    assert {"/home/app", "/var/lib/app", "/not/in/the/image", "/tmp"} <= files.keys()
    assert "/opt/app/bin/start" in {unknown["subject"] for unknown in document["unknowns"]}


def test_a_script_that_was_not_read_keeps_a_shell(images, tmp_path):
    """Its first line is not in the SBOM; the shell is what most of them name."""
    pruner("plan", images["exec"].sbom, "--entry", "/opt/app/bin/start", "-o", tmp_path / "plan", "-q")
    files = there(planned(tmp_path / "plan"))
    assert {"/bin/sh", "/bin/dash", "/lib/x86_64-linux-gnu/libc.so.6"} <= files.keys()


@pytest.mark.parametrize("with_root", [True, False], ids=["root", "sbom"])
def test_a_shell_form_entry_point_makes_the_shell_a_need(plan, with_root):
    """`ENTRYPOINT exec start …` runs through /bin/sh, and what its text names is kept."""
    document = planned(plan("shell", with_root))
    assert document["image"]["entrypoint"][:2] == ["/bin/sh", "-c"]
    files = there(document)
    assert {"/bin/sh", "/bin/dash", "/opt/app/bin/start"} <= files.keys()
    entry = [edge for edge in document["edges"] if edge["to"] == "/bin/sh" and edge["kind"] == "entry"]
    assert entry
    assert ("/opt/app/bin/health" in files) is not with_root  # an application is kept as it is where it was not read


def test_why_the_shell_is_there(plan):
    """`pruner why` leads from the shell back to the image's entry point."""
    assert "image" in pruner("why", plan("shell", True), "/bin/sh").stdout


def test_an_image_without_a_command_is_refused(images, tmp_path):
    """Neither ENTRYPOINT nor CMD: exit 2 or 3 with what to write instead; the configuration comes from the archive."""
    fat = extracted("image", "amd64", PACKAGES, furnish)
    done = pruner(
        "plan", fat.sbom, "--root", images["none"].archive, "--entry", "image", "-o", tmp_path / "plan", code=3
    )
    assert "neither ENTRYPOINT nor CMD" in done.stderr
    done = pruner("plan", fat.sbom, "--root", fat.root, "--entry", "image", "-o", tmp_path / "plan", code=3)
    assert "needs the image's configuration" in done.stderr
    assert not (tmp_path / "plan").exists()


def test_the_archive_s_configuration_serves_a_directory_s_sbom(images, plan, tmp_path):
    """An SBOM without configuration and an archive with one: entry point image works, and keeps the same files."""
    fat = extracted("image", "amd64", PACKAGES, furnish)
    pruner("plan", fat.sbom, "--root", images["exec"].archive, "--entry", "image", "-o", tmp_path / "plan", "-q")
    assert there(planned(tmp_path / "plan")).keys() == there(planned(plan("exec", True))).keys()
