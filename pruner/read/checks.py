"""What `verify:` of a configuration file may say: commands and services to run in the fat and in the pruned root."""

from __future__ import annotations

import json
import math
import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from pruner.errors import InputError, printable
from pruner.yamlfile import YamlList, YamlMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COMMAND_SECONDS = 60.0
READY_SECONDS = 30.0
_LONGEST_SECONDS = 86_400
COMPARISONS = ("all", "stdout", "exit")
_ONE_OF_READY = ("tcp", "unix", "file", "http")
_ONE_OF_PROBE = ("command", "tcp", "http")
_CHECK_KEYS = (
    "command", "service", "start", "ready", "probe", "user", "workdir", "env", "timeout", "compare", "ignore",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """When a service counts as started."""

    kind: Literal["tcp", "unix", "file", "http"]
    target: str
    """A port number, the path of a socket or file in the root, or a URL."""
    timeout: float = READY_SECONDS
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question put to a running service; its answer is compared between the roots."""

    kind: Literal["command", "tcp", "http"]
    argv: tuple[str, ...] = ()
    """The command of a `command` probe."""
    target: str = ""
    """Port or URL of a probe that pruner itself makes, from inside the service's network."""
    send: str = ""
    """Text that a `tcp` probe sends."""
    client: bool = False
    """The command is a client that the pruned root need not hold: it runs from the fat root, in the same network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must behave alike in both roots: a command, or a service with its probes."""

    command: tuple[str, ...]
    """The command, or what starts the service."""
    service: bool = False
    ready: Ready | None = None
    probes: tuple[Probe, ...] = ()
    user: str | None = None
    """`NAME[:GROUP]` or `UID[:GID]`; None means the image's USER. `workdir` and `env` likewise."""
    workdir: str | None = None
    env: tuple[str, ...] = ()
    """`NAME=value`, over the image's environment."""
    timeout: float = COMMAND_SECONDS
    """Seconds that the command, or each probe, may take."""
    compare: str = "all"
    """`all`: exit code and both outputs; `stdout`: without the error output; `exit`: the exit code alone."""
    ignore: tuple[str, ...] = ()
    """Regular expressions; what they match in a line of output is not compared."""

    @property
    def title(self) -> str:
        """The command as a shell would be given it, safe to print."""
        return printable(shlex.join(self.command))


class Problems:
    """Gathers what is wrong with one file, so that all of it is reported together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, fact: str) -> None:
        """Note one problem on one line."""
        self.found.append((line, fact))

    def raise_any(self) -> None:
        """Raise `InputError` where something was noted: file, line and key path of each, in order of lines."""
        if self.found:
            first, *others = [f"{line}: {fact}" for line, fact in sorted(set(self.found))]
            raise InputError(
                "; ".join([f"{self.name}:{first}", *(f"line {other}" for other in others)]),
                facts=tuple(f"{self.name}:{fact}" for fact in (first, *others)),
            )

    def keys(self, value: YamlMapping, path: str, known: Iterable[str]) -> None:
        """Note every key that is not `known`, with the nearest one that is."""
        known = tuple(known)
        for key in value:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f", did you mean {near[0]}?" if near else f", known are {', '.join(known)}"
                self.add(value.lines[key], f"{joined(path, printable(key))}: not a known key{hint}")

    def text(self, value: object, line: int, path: str) -> str:
        """A non-empty text without NUL, or "" after noting that it is none."""
        if isinstance(value, str) and value and "\0" not in value:
            return value
        fact = "a NUL in the text" if isinstance(value, str) and value else f"expected text, got {described(value)}"
        self.add(line, f"{path}: {fact}")
        return ""

    def texts(self, value: object, line: int, path: str) -> tuple[str, ...]:
        """A list of texts; one text alone and nothing at all are lists as well."""
        return tuple(text for item, at, where in items(value, line, path) if (text := self.text(item, at, where)))

    def number(self, value: object, line: int, path: str, *, least: float, most: float) -> float:
        """A number between `least` and `most`, or `least` after noting that it is none."""
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            if least <= value <= most:
                return value
            self.add(line, f"{path}: {value:g} is not between {least:g} and {most:g}")
        else:
            self.add(line, f"{path}: expected a number, got {described(value)}")
        return least


def joined(path: str, key: str) -> str:
    """The path of `key` in the mapping at `path`."""
    return f"{path}.{key}" if path else key


def described(value: object) -> str:
    """A value's kind for a message."""
    if isinstance(value, str):
        return "text" if value else "an empty text"
    names = {type(None): "nothing", bool: "true or false", YamlMapping: "a mapping", YamlList: "a list"}
    return names.get(type(value), f"the number {value}")


def items(value: object, line: int, path: str) -> tuple[tuple[object, int, str], ...]:
    """The items of a list with line and path each; a single value is a list of one, nothing an empty one."""
    if value is None:
        return ()
    if not isinstance(value, YamlList):
        return ((value, line, path),)
    return tuple((item, at, f"{path}[{i}]") for i, (item, at) in enumerate(zip(value, value.lines, strict=True)))


def parse_check(value: object, line: int, path: str, problems: Problems) -> Check | None:
    """The check that an entry of `verify:` states; None after noting what is wrong."""
    before = len(problems.found)
    if not isinstance(value, YamlMapping):
        command = _command(value, line, path, problems)
        return Check(command=command) if len(problems.found) == before else None
    problems.keys(value, path, _CHECK_KEYS)
    read = _Fields(value, path, problems)
    starts = [key for key in ("command", "service", "start") if key in value]
    if len(starts) != 1:
        problems.add(line, f"{path}: needs exactly one of command and service")
        return None
    service = starts[0] != "command"
    check = Check(
        command=read(starts[0], _command, ()), service=service, ready=read("ready", _ready, None),
        probes=read("probe", _probes, ()), user=read("user", _text, None), workdir=read("workdir", _directory, None),
        env=read("env", _environment, ()), timeout=read("timeout", _seconds, COMMAND_SECONDS),
        compare=read("compare", _comparison, "all"), ignore=read("ignore", _expressions, ()),
    )  # fmt: skip
    if service and check.ready is None:
        problems.add(line, f"{path}: a service needs ready: with one of {', '.join(_ONE_OF_READY)}")
    if not service and (check.ready is not None or check.probes):
        problems.add(line, f"{path}: ready and probe belong to a service, not to a command")
    return check if len(problems.found) == before else None


def check_as_text(check: Check) -> str:
    """One line from which `check_from_text` makes the same check: a command line, or JSON for anything more."""
    line = shlex.join(check.command)
    if check == Check(command=check.command) and line.isprintable():
        return line
    known: dict[str, Any] = {"service" if check.service else "command": list(check.command)}
    if check.ready is not None:
        target = int(check.ready.target) if check.ready.kind == "tcp" else check.ready.target
        known["ready"] = {check.ready.kind: target, "timeout": check.ready.timeout}
    known["probe"] = [_probe_as_mapping(probe) for probe in check.probes]
    known |= {"user": check.user, "workdir": check.workdir, "env": list(check.env), "timeout": check.timeout}
    known |= {"compare": check.compare, "ignore": list(check.ignore)}
    return json.dumps({key: value for key, value in known.items() if value not in (None, [])}, sort_keys=True)


def check_from_text(text: str, *, name: str = "verify") -> Check:
    """The check that a command line or a JSON mapping states. Raises `InputError`."""
    problems = Problems(name)
    value: object = text
    if text.startswith("{"):
        try:
            value = _with_lines(json.loads(text))
        except ValueError as error:
            raise InputError(f"{name}: not valid JSON") from error
    check = parse_check(value, 1, "verify", problems)
    problems.raise_any()
    if check is None:
        raise InputError(f"{name}: states no check")
    return check


class _Fields:
    """Reads the keys of one mapping, each by its own reader."""

    def __init__(self, value: YamlMapping, path: str, problems: Problems) -> None:
        self.value, self.path, self.problems = value, path, problems

    def __call__(self, key: str, reader: Callable[[object, int, str, Problems], Any], default: Any) -> Any:
        if self.value.get(key) is None:
            return default
        return reader(self.value[key], self.value.lines[key], joined(self.path, key), self.problems)


def _text(value: object, line: int, path: str, problems: Problems) -> str:
    return str(value) if type(value) is int else problems.text(value, line, path)


def _command(value: object, line: int, path: str, problems: Problems) -> tuple[str, ...]:
    if isinstance(value, YamlList):
        words = problems.texts(value, line, path)
    else:
        try:
            words = tuple(shlex.split(problems.text(value, line, path)))
        except ValueError as error:
            problems.add(line, f"{path}: {str(error).lower()}")
            return ()
    if not words and not problems.found:
        problems.add(line, f"{path}: an empty command")
    return words


def _seconds(value: object, line: int, path: str, problems: Problems) -> float:
    return problems.number(value, line, path, least=0.1, most=_LONGEST_SECONDS)


def _directory(value: object, line: int, path: str, problems: Problems) -> str:
    text = problems.text(value, line, path)
    if text and not text.startswith("/"):
        problems.add(line, f"{path}: expected an absolute path")
    return text


def _environment(value: object, line: int, path: str, problems: Problems) -> tuple[str, ...]:
    if isinstance(value, YamlMapping):
        return tuple(f"{key}={_text(value[key], value.lines[key], joined(path, key), problems)}" for key in value)
    found = problems.texts(value, line, path)
    if any("=" not in text for text in found):
        problems.add(line, f"{path}: expected NAME=VALUE")
    return found


def _comparison(value: object, line: int, path: str, problems: Problems) -> str:
    if value not in COMPARISONS:
        problems.add(line, f"{path}: expected one of {', '.join(COMPARISONS)}")
    return str(value)


def _expressions(value: object, line: int, path: str, problems: Problems) -> tuple[str, ...]:
    found = problems.texts(value, line, path)
    for text in found:
        try:
            re.compile(text)
        except re.error as error:
            problems.add(line, f"{path}: not a regular expression: {error.msg}")
    return found


def _ready(value: object, line: int, path: str, problems: Problems) -> Ready | None:
    kind, target, read = _one_of(value, line, path, problems, kinds=_ONE_OF_READY, more=("timeout",))
    if read is None:
        return None
    return Ready(kind=kind, target=target, timeout=read("timeout", _seconds, READY_SECONDS))


def _probes(value: object, line: int, path: str, problems: Problems) -> tuple[Probe, ...]:
    found = (_probe(item, at, where, problems) for item, at, where in items(value, line, path))
    return tuple(probe for probe in found if probe is not None)


def _probe(value: object, line: int, path: str, problems: Problems) -> Probe | None:
    if not isinstance(value, YamlMapping):
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return Probe(kind="http", target=value)
        return Probe(kind="command", argv=_command(value, line, path, problems))
    kind, target, read = _one_of(value, line, path, problems, kinds=_ONE_OF_PROBE, more=("send", "client"))
    if read is None:
        return None
    client = value.get("client", False)
    if not isinstance(client, bool):
        problems.add(line, f"{path}.client: expected true or false")
    if kind == "command":
        return Probe(kind=kind, argv=read("command", _command, ()), client=bool(client))
    return Probe(kind=kind, target=target, send=read("send", _text, ""))


def _one_of(
    value: object, line: int, path: str, problems: Problems, *, kinds: tuple[str, ...], more: tuple[str, ...]
) -> tuple[Any, str, _Fields | None]:
    """Kind, target and reader of a mapping that has exactly one key of `kinds`."""
    if not isinstance(value, YamlMapping):
        problems.add(line, f"{path}: expected a mapping with one of {', '.join(kinds)}")
        return "", "", None
    problems.keys(value, path, (*kinds, *more))
    chosen = [kind for kind in kinds if kind in value]
    if len(chosen) != 1:
        problems.add(line, f"{path}: needs exactly one of {', '.join(kinds)}")
        return "", "", None
    kind = chosen[0]
    at, where = value.lines[kind], joined(path, kind)
    if kind == "tcp":
        target = f"{problems.number(value[kind], at, where, least=1, most=65535):.0f}"
    elif kind == "command":
        target = ""
    else:
        target = problems.text(value[kind], at, where)
        starts = ("http://", "https://") if kind == "http" else ("/",)
        if target and not target.startswith(starts):
            problems.add(at, f"{where}: expected {'a URL' if kind == 'http' else 'an absolute path'}")
    return kind, target, _Fields(value, path, problems)


def _with_lines(value: Any) -> Any:
    """JSON values as the YAML reader would give them, all on line 1."""
    if isinstance(value, dict):
        mapping = YamlMapping(1)
        for key, item in value.items():
            mapping[key], mapping.lines[key] = _with_lines(item), 1
        return mapping
    if isinstance(value, list):
        found = YamlList(1)
        found.extend(map(_with_lines, value))
        found.lines.extend([1] * len(value))
        return found
    return value


def _probe_as_mapping(probe: Probe) -> dict[str, Any]:
    if probe.kind == "command":
        return {"command": list(probe.argv), "client": probe.client}
    target = int(probe.target) if probe.kind == "tcp" else probe.target
    return {probe.kind: target} | ({"send": probe.send} if probe.send else {})
