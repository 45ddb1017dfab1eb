"""The configuration file: reading, joining with a command line, its schema, and adding to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pruner.errors import InputError
from pruner.read.checks import Check, Probe, Ready, check_as_text, check_from_text
from pruner.read.config import Config, RelationsFile, config_schema, read_config
from pruner.read.configedit import add_keeps
from pruner.yamlfile import MAXIMUM_DEPTH, YamlList, YamlMapping, load_yaml, parse_yaml

FULL = """\
version: 1
entry: [/usr/bin/python3, "cmd:/opt/app serve"]
keep:
  - /usr/share/x/**   # a comment
drop: /usr/share/doc/**
features: [locale=en_US.UTF-8, dns]
accept: [shell-commands]
refuse: []
profile: minimal
rules: rules.d
relations:
  - status
  - {file: g.dot, direction: provider}
verify:
  - python3 -c 'print("a b")'
  - command: [a, b c]
    user: 1000
    workdir: /srv
    env: {A: 1, B: x}
    timeout: 2.5
    compare: stdout
    ignore: ['\\d+']
  - service: nginx -g 'daemon off;'
    ready: {tcp: 80, timeout: 3}
    probe:
      - http://localhost/
      - id
      - {command: curl -s http://localhost, client: true}
      - {tcp: 80, send: x}
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "pruner.yaml"
    path.write_bytes(text.encode())
    return path


def test_every_key_is_read_and_paths_are_relative_to_the_file(tmp_path):
    """Each key of the file has its field; `rules` and `relations` are found beside the file."""
    config = read_config(written(tmp_path, FULL))
    assert config.entry == ("/usr/bin/python3", "cmd:/opt/app serve")
    assert config.keep == ("/usr/share/x/**",)
    assert config.drop == ("/usr/share/doc/**",)
    assert config.features == ("locale=en_US.UTF-8", "dns")
    assert (config.accept, config.refuse, config.profile) == (("shell-commands",), (), "minimal")
    assert config.rules == (tmp_path / "rules.d",)
    assert config.relations == (
        RelationsFile(path=tmp_path / "status"),
        RelationsFile(path=tmp_path / "g.dot", direction="provider"),
    )
    plain, command, service = config.verify
    assert plain == Check(command=("python3", "-c", 'print("a b")'))
    assert command == Check(
        command=("a", "b c"), user="1000", workdir="/srv", env=("A=1", "B=x"), timeout=2.5, compare="stdout", ignore=("\\d+",),
    )  # fmt: skip
    assert service.ready == Ready(kind="tcp", target="80", timeout=3)
    assert service.probes == (
        Probe(kind="http", target="http://localhost/"),
        Probe(kind="command", argv=("id",)),
        Probe(kind="command", argv=("curl", "-s", "http://localhost"), client=True),
        Probe(kind="tcp", target="80", send="x"),
    )


def test_an_empty_file_says_nothing(tmp_path):
    """An empty file, and one whose keys hold nothing, equal an empty configuration."""
    for text in ("", "# nothing\n", "entry:\nkeep:\nprofile:\nverify:\nrelations:\n"):
        path = written(tmp_path, text)
        assert read_config(path) == Config(path=path)


BROKEN = [
    ("entri: [x]", 1, "entri: not a known key, did you mean entry?"),
    ("version: 2", 1, "version: this program reads version 1"),
    ("profile: maximal", 1, "profile: expected one of minimal, balanced, package"),
    ("keep:\n  - /a\n  - 1", 3, "keep[1]: expected text, got the number 1"),
    ("keep: {a: b}", 1, "keep: expected text, got a mapping"),
    ("entry: ['']", 1, "entry[0]: expected text, got an empty text"),
    ('entry: ["a\\0b"]', 1, "entry[0]: a NUL in the text"),
    ("relations:\n  - {file: x, direction: up}", 2, "relations[0].direction: expected one of dependant, provider"),
    ("relations: [{direction: provider}]", 1, "relations[0].file: expected text, got nothing"),
    ('verify: ["\'"]', 1, "verify[0]: no closing quotation"),
    ("verify: [{user: x}]", 1, "verify[0]: needs exactly one of command and service"),
    ("verify: [{command: a, service: b}]", 1, "verify[0]: needs exactly one of command and service"),
    ("verify: [{service: a}]", 1, "verify[0]: a service needs ready:"),
    ("verify: [{command: a, ready: {tcp: 1}}]", 1, "verify[0]: ready and probe belong to a service"),
    ("verify: [{service: a, ready: {tcp: 70000}}]", 1, "verify[0].ready.tcp: 70000 is not between 1 and 65535"),
    ("verify: [{service: a, ready: {tcp: 1, unix: /x}}]", 1, "verify[0].ready: needs exactly one of"),
    ("verify: [{service: a, ready: {unix: x}}]", 1, "verify[0].ready.unix: expected an absolute path"),
    ("verify: [{service: a, ready: {http: x}}]", 1, "verify[0].ready.http: expected a URL"),
    ("verify: [{command: a, timeout: soon}]", 1, "verify[0].timeout: expected a number, got text"),
    ("verify: [{command: a, timeout: 0}]", 1, "verify[0].timeout: 0 is not between 0.1 and 86400"),
    ("verify: [{command: a, ignore: '('}]", 1, "verify[0].ignore: not a regular expression"),
    ("verify: [{command: a, env: [B]}]", 1, "verify[0].env: expected NAME=VALUE"),
    ("verify: [{command: a, workdir: b}]", 1, "verify[0].workdir: expected an absolute path"),
    ("verify: [{command: a, compare: no}]", 1, "verify[0].compare: expected one of all, stdout, exit"),
    ("[]", 1, "expected a mapping, got a list"),
]


@pytest.mark.parametrize(("text", "line", "fact"), BROKEN)
def test_a_problem_is_named_by_line_and_key_path(tmp_path, text, line, fact):
    """Each kind of mistake gives file, line and the path of the key."""
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert caught.value.fact.startswith(f"{path}:{line}: {fact}")


def test_all_problems_are_reported_together(tmp_path):
    """One run names every problem, in the order of lines."""
    path = written(tmp_path, "entri: a\nprofile: b\nkeep: [1]\n")
    with pytest.raises(InputError) as caught:
        read_config(path)
    places = [part.split(":")[0] for part in caught.value.fact.removeprefix(f"{path}:").split("; ")]
    assert places == ["1", "line 2", "line 3"]


def test_the_schema_agrees_with_the_reader(tmp_path):
    """The JSON Schema is valid, accepts what the reader accepts and refuses what a schema can refuse."""
    schema = config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert validator.is_valid(yaml.safe_load(FULL))
    assert validator.is_valid(None)
    beyond_schemas = {"verify[0]: no closing quotation", "entry[0]: a NUL in the text"}
    for text, _, fact in BROKEN:
        if fact not in beyond_schemas:
            assert not validator.is_valid(parse_yaml(text, name="x")), text


def test_lists_are_joined_and_single_values_of_the_command_line_win(tmp_path):
    """Items of the file come first and each item once; an absent option leaves the file's value."""
    config = read_config(written(tmp_path, "entry: [a, b]\nprofile: minimal\nkeep: [/x]\n"))
    joined = config.joined(entry=["c", "a"], profile="package", keep=None)
    assert joined.entry == ("a", "b", "c")
    assert joined.profile == "package"
    assert joined.keep == ("/x",)
    assert config.joined(profile=None).profile == "minimal"
    with pytest.raises(TypeError):
        config.joined(entries=["x"])


def test_a_check_survives_its_line_of_text(tmp_path):
    """What `check_as_text` writes, `check_from_text` reads back, whatever characters it holds."""
    odd = Check(command=("a b", "ä\x7f😀\n\"'", "{"), ignore=("\\d+\\s",))
    for check in (*read_config(written(tmp_path, FULL)).verify, odd, Check(command=("{x}", "b"))):
        text = check_as_text(check)
        assert text.isprintable()
        assert check_from_text(text) == check
    assert check_as_text(Check(command=("echo", "a b"))) == "echo 'a b'"
    with pytest.raises(InputError):
        check_from_text('{"command": "a", "user": []}')


def test_plain_values_and_their_lines():
    """Scalars follow the core schema of YAML 1.2; mappings and lists know their lines."""
    value = parse_yaml("a: yes\nb: [1, -2, 1.5, 0755, '3', ~, true]\n\nc: 2024-05-01\n1: x\n", name="f")
    assert value == {"a": "yes", "b": [1, -2, 1.5, "0755", "3", None, True], "c": "2024-05-01", "1": "x"}
    assert isinstance(value, YamlMapping)
    assert value.lines == {"a": 1, "b": 2, "c": 4, "1": 5}
    assert isinstance(value["b"], YamlList)
    assert value["b"].lines == [2] * 7


HOSTILE = [
    ("a: &x 1\nb: *x\n", 1, "an anchor"),
    ("a: *x\n", 1, "an alias"),
    ("a: !!python/object/apply:os.system [id]\n", 1, "a tag"),
    ("a: 1\nb: 2\na: 3\n", 3, "duplicate key 'a', first on line 1"),
    ("? [a]\n: 1\n", 1, "a key that is not plain text"),
    ("a: 1\n---\nb: 2\n", 2, "a second document"),
    ("a: [1\n", 2, "not valid YAML"),
    ("a: 1\nb: \x07\n", 2, "not valid YAML: a control character"),
    ("- " * (MAXIMUM_DEPTH + 2) + "a", 1, "nested deeper"),
    ("[" * 100_000, 1, "nested deeper"),
]


@pytest.mark.parametrize(("text", "line", "fact"), HOSTILE)
def test_hostile_yaml_is_refused_with_its_line(tmp_path, text, line, fact):
    """Bombs, tags, duplicate keys and malformed text give one clear message."""
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_yaml(path)
    assert caught.value.fact.startswith(f"{path}:{line}: {fact}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """Missing files, directories, oversized files and other encodings are bad input."""
    for name, data in (("missing", None), ("large", b"#" * 2000), ("latin", b"a: 1\nb: \xe4\n")):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InputError) as caught:
            load_yaml(path, maximum_bytes=1000)
        assert str(path) in caught.value.fact
    with pytest.raises(InputError, match="can't be read"):
        load_yaml(tmp_path)


LAYOUTS = {
    "block": ("# c\nkeep:\n- /a # x\n- /b\n# tail\nprofile: minimal", "# c\nkeep:\n- /a # x\n- /b\n- /n  # why\n# tail\nprofile: minimal"),
    "deep": ("keep:\n    - '/a b'\nentry: x\n", "keep:\n    - '/a b'\n    - /n  # why\nentry: x\n"),
    "flow": ("keep: [/a, '/b c']  # old\nentry: x\n", 'keep:  # old\n  - /a\n  - "/b c"\n  - /n  # why\nentry: x\n'),
    "one": ("keep: /a\nentry: x\n", "keep:\n  - /a\n  - /n  # why\nentry: x\n"),
    "nothing": ("keep:\nentry: x\n", "keep:\n  - /n  # why\nentry: x\n"),
    "absent": ("entry:   x", "entry:   x\nkeep:\n  - /n  # why\n"),
    "windows": ("entry: x\r\nkeep:\r\n  - /a\r\n", "entry: x\r\nkeep:\r\n  - /a\r\n  - /n  # why\r\n"),
    "unfinished": ("keep:\n  - /a", "keep:\n  - /a\n  - /n  # why\n"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_adding_to_keep_leaves_the_rest_of_the_file(tmp_path, layout):
    """Every other byte stays, comments and line ends included, and so does the file's mode."""
    before, after = LAYOUTS[layout]
    path = written(tmp_path, before)
    path.chmod(0o640)
    assert add_keeps(path, [("/n", "why")]) == ("/n",)
    assert path.read_bytes().decode() == after
    assert path.stat().st_mode & 0o777 == 0o640
    assert add_keeps(path, [("/n", "again")]) == ()
    assert list(tmp_path.iterdir()) == [path]


def test_odd_names_and_reasons_are_written_safely(tmp_path):
    """Quotes, control characters and line ends neither break the file nor leave the comment."""
    globs = ['/a "b"\\', "/tab\t\x85\u2028é😀", "/x: y # z", "/[[]a]"]
    path = tmp_path / "pruner.yaml"
    assert add_keeps(path, [(glob, "seen\n  - /etc/shadow") for glob in globs]) == tuple(globs)
    assert read_config(path).keep == tuple(globs)
    assert add_keeps(path, [("/bad\udcff", "not UTF-8")]) == ()


@pytest.mark.parametrize("text", ["{keep: [/a]}\n", "keep:\n  - >-\n    /a\n    b\n\n\nentry: x\n", "entry: x\n...\n"])
def test_a_layout_that_takes_no_line_is_refused_and_left(tmp_path, text):
    """Where a line can't be added safely the file stays as it was, and the message says what to do."""
    path = written(tmp_path, text)
    with pytest.raises(InputError, match="takes no further line") as caught:
        add_keeps(path, [("/n", "why")])
    assert caught.value.hint
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_the_schema_is_plain_json():
    """`config_schema` is what `json.dumps` can write, with a description for every key that editors show."""
    schema = json.loads(json.dumps(config_schema()))
    assert set(schema["properties"]) >= {"entry", "keep", "drop", "features", "accept", "refuse", "profile", "verify"}
    assert all(value.get("description") for value in schema["properties"].values())
