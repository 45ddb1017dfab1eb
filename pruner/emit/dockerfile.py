"""The Dockerfile: a first stage that picks the kept files out of the fat image, and a last one from scratch.

Every value of the image's configuration is hostile text. Syntax as in the Dockerfile reference: ENV, LABEL, USER,
WORKDIR, VOLUME, EXPOSE and STOPSIGNAL expand `$NAME` and take quotes away; CMD, ENTRYPOINT, HEALTHCHECK and SHELL in
their JSON form do neither. No form carries a line break in a value that is expanded.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pruner.emit.artifact import Artifact
from pruner.emit.context import left_out_files, supplied_files
from pruner.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pruner.model import Healthcheck, ImageConfig
    from pruner.plan.types import Plan

_STAGE = "fat"
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_PORT = re.compile(r"[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?")
_SIGNAL = re.compile(r"[A-Z0-9+-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DURATIONS = (
    ("interval", "interval"),
    ("timeout", "timeout"),
    ("start_period", "start-period"),
    ("start_interval", "start-interval"),
)

_HEADER = """\
# Made by pruner. The build context is the directory of this file, and the build needs no network.
# The first stage needs a POSIX shell as /bin/sh and a tar in the image.
"""

_STAGES = """\
USER 0:0
COPY context/ {context}/
WORKDIR {destination}
RUN ["/bin/sh", "{context}/prune.sh", "{context}", "{destination}"]

FROM scratch
COPY --from={stage} {destination}/ /
"""


def dockerfile_artifact(plan: Plan, *, image: str | None) -> Artifact:
    """The `Dockerfile` of `plan` for the fat image named `image`; without a name, a build argument asks for it.

    Raises `UsageError` when `image` is no image reference, and `InputError` when the configuration holds a value that
    a Dockerfile can't carry and that the image would not run the same without (a user or directory with a line break).
    """
    supplied = supplied_files(plan)
    lines = [_HEADER, *_first_line(image), _STAGES.format(stage=_STAGE, **_work_directories(plan))]
    if supplied:
        lines.append(f"COPY --from={_STAGE} {' '.join(supplied)} /etc/\n")
    lines.extend(f"# left out: {_shown(path)}: the container runtime makes its own\n" for path in left_out_files(plan))
    lines.extend(f"{line}\n" for line in configuration_lines(plan.image))
    return Artifact(path="Dockerfile", data="".join(lines).encode())


def configuration_lines(image: ImageConfig | None) -> Iterator[str]:
    """The instructions that give a last stage the configuration of `image`, and comments on what they can't carry.

    Raises `InputError` as `dockerfile_artifact` does.
    """
    if image is None:
        yield "# The SBOM holds no image configuration: add ENTRYPOINT, CMD, ENV, USER and the like here."
        return
    yield from _settings(image)
    yield from (f"# left out: {omission}" for omission in dockerfile_omissions(image))


def dockerfile_omissions(image: ImageConfig) -> tuple[str, ...]:
    """What the Dockerfile leaves out of `image`, because no Dockerfile can carry it: one lowercase phrase each."""
    variables = (
        f"variable {_shown(entry.partition('=')[0])}: {_why(entry)}" for entry in image.env if not _is_variable(entry)
    )
    labels = (
        f"label {_shown(name)}: {_why(name + value)}" for name, value in image.labels if not _is_label(name, value)
    )
    ports = (f"port {_shown(port)}: not a port" for port in image.exposed_ports if not _PORT.fullmatch(port))
    volumes = (f"volume {_shown(volume)}: {_why(volume)}" for volume in image.volumes if not _is_line(volume))
    signal = image.stop_signal
    signals = () if not signal or _SIGNAL.fullmatch(signal) else (f"stop signal {_shown(signal)}: not a signal",)
    return (*variables, *labels, *ports, *volumes, *signals)


def _first_line(image: str | None) -> Iterator[str]:
    if image is None:
        yield "# No image was named while planning: docker build --build-arg FAT_IMAGE=NAME .\n"
        yield f"ARG FAT_IMAGE\nFROM ${{FAT_IMAGE}} AS {_STAGE}\n"
        return
    if not _IMAGE_NAME.fullmatch(image):
        raise UsageError(f"{image!r} is no image name", hint="an image name looks like registry/path:tag@sha256:…")
    yield f"FROM {image} AS {_STAGE}\n"


def _work_directories(plan: Plan) -> dict[str, str]:
    """Two names in `/` that no name of the root is or lies below, so that nothing of the image is touched."""
    taken = {file.path.split("/", 2)[1] for file in plan.files}
    names = {"context": ".pruner", "destination": ".pruned"}
    while taken & set(names.values()):
        names = {key: f"{name}-" for key, name in names.items()}
    return {key: f"/{name}" for key, name in names.items()}


def _settings(image: ImageConfig) -> Iterator[str]:
    yield from (_env_line(entry) for entry in image.env if _is_variable(entry))
    yield from (f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in image.labels if _is_label(name, value))
    if image.working_dir:
        yield f"WORKDIR {_word(_required(image.working_dir, 'working directory'))}"
    if image.user:
        yield f"USER {_word(_required(image.user, 'user'))}"
    yield from (f"EXPOSE {port}" for port in image.exposed_ports if _PORT.fullmatch(port))
    if volumes := [_word(volume) for volume in image.volumes if _is_line(volume)]:
        yield f"VOLUME {_json(volumes)}"
    if _SIGNAL.fullmatch(image.stop_signal):
        yield f"STOPSIGNAL {image.stop_signal}"
    if image.shell:
        yield f"SHELL {_json(image.shell)}"
    if image.healthcheck is not None and image.healthcheck.test:
        yield f"HEALTHCHECK {_healthcheck(image.healthcheck, image.shell)}"
    if image.entrypoint:
        yield f"ENTRYPOINT {_json(image.entrypoint)}"
    if image.cmd:
        yield f"CMD {_json(image.cmd)}"


def _env_line(entry: str) -> str:
    name, _, value = entry.partition("=")
    return f"ENV {name}={_quoted(value)}"


def _healthcheck(check: Healthcheck, shell: Sequence[str]) -> str:
    form, *words = check.test
    if form == "NONE":
        return "NONE"
    options = [f"--{option}={_duration(value)}" for field, option in _DURATIONS if (value := getattr(check, field))]
    if check.retries:
        options.append(f"--retries={check.retries}")
    if form == "CMD-SHELL":
        text = " ".join(words)  # one word by the specification; some builders store several
        # What can't stand on a line of its own runs the same as the arguments that the runtime would make of it.
        plain = (
            _is_line(text) and text == text.strip() and not text.startswith(("[", "#", "-")) and not text.endswith("\\")
        )
        command = text if plain and text else _json([*(shell or ("/bin/sh", "-c")), text])
    else:
        command = _json(words)
    return " ".join([*options, "CMD", command])


def _duration(nanoseconds: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"


def _json(words: Sequence[str]) -> str:
    return json.dumps(list(words))


def _quoted(text: str) -> str:
    r"""`text` in double quotes, in which a backslash takes the meaning from `\\`, `"` and `$`."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", text) + '"'


def _word(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_./:@+-]+", text) else _quoted(text)


def _required(text: str, what: str) -> str:
    if not _is_line(text):
        raise InputError(
            f"the image's {what} {_shown(text)} can't be written in a Dockerfile", hint="it holds a line break"
        )
    return text


def _is_line(text: str) -> bool:
    return not re.search(r"[\n\r\0\ud800-\udfff]", text)


def _is_variable(entry: str) -> bool:
    name, separator, value = entry.partition("=")
    return bool(separator) and _VARIABLE.fullmatch(name) is not None and _is_line(value)


def _is_label(name: str, value: str) -> bool:
    return bool(name) and "=" not in name and _is_line(name) and _is_line(value)


def _why(text: str) -> str:
    return (
        "its name has no place in a Dockerfile" if _is_line(text) else "it holds a line break or bytes that are no text"
    )


def _shown(text: str) -> str:
    return printable(json.dumps(text, ensure_ascii=False))
