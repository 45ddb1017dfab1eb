"""From an OCI image configuration document to `ImageConfig`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pruner.errors import InputError
from pruner.model import Healthcheck, ImageConfig


def image_config_from_oci(document: Mapping[str, Any], *, name: str = "image configuration") -> ImageConfig:
    """What applies at run time of an image configuration (image-spec config.md, with Docker's extensions).

    Missing keys and `null` both mean unset. Raises `InputError`, which starts with `name` and the key, where a value
    has the wrong type or a string can't be passed to a program (NUL).
    """
    image = _Fields(document, name)
    config = _Fields(image.mapping("config"), f"{name}: config")
    return ImageConfig(
        entrypoint=config.strings("Entrypoint"),
        cmd=config.strings("Cmd"),
        env=config.strings("Env"),
        user=config.string("User"),
        working_dir=config.string("WorkingDir"),
        volumes=tuple(sorted(config.keys("Volumes"))),
        exposed_ports=tuple(sorted(config.keys("ExposedPorts"))),
        labels=config.pairs("Labels"),
        stop_signal=config.string("StopSignal"),
        healthcheck=_healthcheck(config),
        shell=config.strings("Shell"),
        architecture=image.string("architecture"),
        os=image.string("os"),
    )


def _healthcheck(config: _Fields) -> Healthcheck | None:
    """None where nothing is tested: no `Test`, an inherited one (`[]`) without a parent, or `["NONE"]`."""
    check = _Fields(config.mapping("Healthcheck"), f"{config.where}.Healthcheck")
    test = check.strings("Test")
    if not test or test[0] == "NONE":
        return None
    return Healthcheck(
        test=test,
        interval=check.integer("Interval"),
        timeout=check.integer("Timeout"),
        start_period=check.integer("StartPeriod"),
        start_interval=check.integer("StartInterval"),
        retries=check.integer("Retries"),
    )


class _Fields:
    """Typed values of one JSON object; errors name the key."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self._document = document
        self.where = where

    def string(self, key: str) -> str:
        value = self._document.get(key)
        return "" if value is None else self._text(value, key)

    def strings(self, key: str) -> tuple[str, ...]:
        value = self._document.get(key)
        if value is None:
            return ()
        if isinstance(value, str):  # a shell-form command in documents written by hand
            raise self._wrong(key, "a list of strings")
        if not isinstance(value, Sequence):
            raise self._wrong(key, "a list of strings")
        return tuple(self._text(item, f"{key}[{index}]") for index, item in enumerate(value))

    def integer(self, key: str) -> int:
        value = self._document.get(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, "an integer")
        return value

    def mapping(self, key: str) -> Mapping[str, Any]:
        value = self._document.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(key, "an object")
        return value

    def keys(self, key: str) -> tuple[str, ...]:
        return tuple(self._text(item, key) for item in self.mapping(key))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (self._text(label, key), self._text(value, f"{key}.{label}"))
            for label, value in sorted(self.mapping(key).items())
        )

    def _text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise self._wrong(key, "a string without NUL")
        return value

    def _wrong(self, key: str, expected: str) -> InputError:
        return InputError(f"{self.where}.{key}: expected {expected}", hint="the image configuration is malformed")
