"""The configuration file `pruner.yaml`: everything that a plan's command line may say, and what to verify."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from pruner.errors import InputError, printable
from pruner.read.checks import COMPARISONS, Check, Problems, described, items, joined, parse_check
from pruner.yamlfile import YamlMapping, load_yaml

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_VERSION = 1
PROFILES = ("minimal", "balanced", "package")
DIRECTIONS = ("dependant", "provider")
_TEXT_LISTS = ("entry", "keep", "drop", "features", "accept", "refuse")
_KEYS = ("version", *_TEXT_LISTS, "profile", "rules", "relations", "verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationsFile:
    """A package dependency graph from outside."""

    path: Path
    direction: str | None = None
    """`dependant` (edges run dependant -> dependency) or `provider`; None where the file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a configuration file says; an empty one says nothing. Lists keep the file's order."""

    path: Path | None = None
    """The file itself."""
    entry: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    """`NAME` or `NAME=VALUE`."""
    accept: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    profile: str | None = None
    rules: tuple[Path, ...] = ()
    relations: tuple[RelationsFile, ...] = ()
    verify: tuple[Check, ...] = ()

    def joined(self, **command_line: Any) -> Config:
        """This configuration with the command line's values, named as the fields here.

        Lists are joined, the file's items first and each item once; of single values the command line's wins
        unless it is None.
        """
        changed: dict[str, Any] = {}
        for field in fields(self):
            given = command_line.pop(field.name, None)
            if given is None:
                continue
            own = getattr(self, field.name)
            changed[field.name] = tuple(dict.fromkeys((*own, *given))) if isinstance(own, tuple) else given
        if command_line:
            raise TypeError(f"no such field: {', '.join(sorted(command_line))}")
        return replace(self, **changed)


def read_config(path: Path) -> Config:
    """Read and validate `path`; relative paths in it are relative to its directory.

    Raises `InputError` that names the file, and line and key path of everything that is wrong with it.
    """
    name = printable(str(path))
    document = load_yaml(path)
    problems = Problems(name)
    if document is None:
        return Config(path=path)
    if not isinstance(document, YamlMapping):
        raise InputError(f"{name}:1: expected a mapping, got {described(document)}", hint=f"keys: {', '.join(_KEYS)}")
    problems.keys(document, "", _KEYS)
    texts = {key: problems.texts(document.get(key), document.lines.get(key, 1), key) for key in _TEXT_LISTS}
    _check_version(document, problems)
    config = Config(
        path=path,
        **texts,
        profile=_profile(document, problems),
        rules=tuple(
            path.parent / text
            for text in problems.texts(document.get("rules"), document.lines.get("rules", 1), "rules")
        ),
        relations=_relations(document, path.parent, problems),
        verify=_checks(document, problems),
    )
    problems.raise_any()
    return config


def _check_version(document: YamlMapping, problems: Problems) -> None:
    version = document.get("version", CONFIG_VERSION)
    if type(version) is not int or version != CONFIG_VERSION:
        problems.add(document.lines["version"], f"version: this program reads version {CONFIG_VERSION}")


def _profile(document: YamlMapping, problems: Problems) -> str | None:
    profile = document.get("profile")
    if profile is None or profile in PROFILES:
        return profile
    problems.add(document.lines["profile"], f"profile: expected one of {', '.join(PROFILES)}")
    return None


def _relations(document: YamlMapping, base: Path, problems: Problems) -> tuple[RelationsFile, ...]:
    found = []
    for item, line, where in items(document.get("relations"), document.lines.get("relations", 1), "relations"):
        if not isinstance(item, YamlMapping):
            found.append(RelationsFile(path=base / problems.text(item, line, where)))
            continue
        problems.keys(item, where, ("file", "direction"))
        name = problems.text(item.get("file"), item.lines.get("file", line), joined(where, "file"))
        direction = item.get("direction")
        if direction is not None and direction not in DIRECTIONS:
            problems.add(item.lines["direction"], f"{where}.direction: expected one of {', '.join(DIRECTIONS)}")
        found.append(RelationsFile(path=base / name, direction=direction))
    return tuple(found)


def _checks(document: YamlMapping, problems: Problems) -> tuple[Check, ...]:
    entries = items(document.get("verify"), document.lines.get("verify", 1), "verify")
    found = (parse_check(item, line, where, problems) for item, line, where in entries)
    return tuple(check for check in found if check is not None)


def config_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the configuration file, for editors."""
    texts = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}, {"type": "null"}]}
    about = {
        "entry": "What must run: /path, /tree/, deb:NAME, apk:NAME, a purl, cmd:COMMAND LINE, or image.",
        "keep": "Globs of paths to keep in any case.",
        "drop": "Globs of paths to leave out; beats everything but keep and entry points.",
        "features": "Capabilities to provide: NAME or NAME=VALUE.",
        "accept": "Optional edges to follow: a group that `pruner costs` lists, KIND:PATH, or a path.",
        "refuse": "Optional edges not to follow.",
        "rules": "Directories of further rules, relative to this file.",
    }
    relation = _mapping({"file": _TEXT, "direction": {"enum": [*DIRECTIONS, None]}}, required=["file"])
    properties: dict[str, Any] = {key: {**texts, "description": text} for key, text in about.items()}
    properties |= {
        "version": {"const": CONFIG_VERSION, "description": "Version of this file's format."},
        "profile": {"enum": [*PROFILES, None], "description": "How much is kept; balanced unless stated."},
        "relations": _one_or_more(
            {"anyOf": [_TEXT, relation]}, "Package dependency graphs from outside, relative to this file."
        ),
        "verify": _one_or_more({"anyOf": [_TEXT, *_check_schemas()]}, "What must behave alike in both roots."),
    }
    root = _mapping({key: properties[key] for key in _KEYS}, required=[])
    root["type"] = ["object", "null"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pruner.yaml", **root}


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_REGEX: dict[str, Any] = {**_TEXT, "format": "regex"}
_TEXT_OR_INTEGER: dict[str, Any] = {"type": ["string", "integer"], "minLength": 1}
_NULLABLE = ["string", "integer", "null"]
_COMMAND: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_PORT: dict[str, Any] = {"type": "number", "minimum": 1, "maximum": 65535}
_SECONDS: dict[str, Any] = {"type": ["number", "null"], "minimum": 0.1, "maximum": 86400}
_PATH: dict[str, Any] = {"type": "string", "pattern": "^/"}
_URL: dict[str, Any] = {"type": "string", "pattern": "^https?://"}


def _mapping(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _one_or_more(item: dict[str, Any], description: str) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}, {"type": "null"}], "description": description}


def _check_schemas() -> list[dict[str, Any]]:
    """A command with options, and a service under either of its two names."""
    environment = {
        "anyOf": [
            {"type": "object", "additionalProperties": _TEXT_OR_INTEGER},
            {"type": "array", "items": {"type": "string", "pattern": "="}},
            {"type": "null"},
        ]
    }
    common = {
        "user": {"type": _NULLABLE, "minLength": 1},
        "workdir": {"type": ["string", "null"], "pattern": "^/"},
        "env": environment,
        "timeout": _SECONDS,
        "compare": {"enum": [*COMPARISONS, None]},
        "ignore": {"anyOf": [_REGEX, {"type": "array", "items": _REGEX}, {"type": "null"}]},
    }
    ready = {
        "anyOf": [
            _mapping({kind: target, "timeout": _SECONDS}, required=[kind])
            for kind, target in (("tcp", _PORT), ("unix", _PATH), ("file", _PATH), ("http", _URL))
        ]
    }
    probe = {
        "anyOf": [
            _TEXT,
            _mapping({"command": _COMMAND, "client": {"type": "boolean"}}, required=["command"]),
            _mapping(
                {"tcp": _PORT, "send": {**_TEXT_OR_INTEGER, "type": ["string", "integer", "null"]}}, required=["tcp"]
            ),
            _mapping({"http": _URL}, required=["http"]),
        ]
    }
    probes = _one_or_more(probe, "Asked once the service is ready; the answers must be alike.")
    services = [
        _mapping({name: _COMMAND, "ready": ready, "probe": probes, **common}, required=[name, "ready"])
        for name in ("service", "start")
    ]
    return [_mapping({"command": _COMMAND, **common}, required=["command"]), *services]
