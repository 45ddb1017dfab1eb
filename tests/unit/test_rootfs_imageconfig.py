"""The OCI image configuration as users' images carry it."""

from __future__ import annotations

from typing import Any

import pytest

from pruner.errors import InputError
from pruner.model import DEFAULT_SEARCH_PATH, Healthcheck, ImageConfig
from pruner.rootfs.imageconfig import image_config_from_oci

FULL = {
    "architecture": "arm64",
    "os": "linux",
    "config": {
        "Entrypoint": ["/entry", "--x"],
        "Cmd": ["serve"],
        "Env": ["PATH=/opt/bin:/usr/bin", "EMPTY="],
        "User": "app:app",
        "WorkingDir": "/srv",
        "Volumes": {"/data": {}, "/cache": {}},
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Labels": {"b": "2", "a": ""},
        "StopSignal": "SIGQUIT",
        "Shell": ["/bin/bash", "-c"],
        "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 30_000_000_000, "Retries": 3},
    },
    "rootfs": {"type": "layers", "diff_ids": []},
}


def test_every_field_is_taken() -> None:
    """All that applies at run time arrives, sets of keys sorted, lists in order."""
    assert image_config_from_oci(FULL) == ImageConfig(
        entrypoint=("/entry", "--x"),
        cmd=("serve",),
        env=("PATH=/opt/bin:/usr/bin", "EMPTY="),
        user="app:app",
        working_dir="/srv",
        volumes=("/cache", "/data"),
        exposed_ports=("53/udp", "8080/tcp"),
        labels=(("a", ""), ("b", "2")),
        stop_signal="SIGQUIT",
        healthcheck=Healthcheck(test=("CMD-SHELL", "curl -f localhost"), interval=30_000_000_000, retries=3),
        shell=("/bin/bash", "-c"),
        architecture="arm64",
        os="linux",
    )
    assert image_config_from_oci(FULL).search_path == ("/opt/bin", "/usr/bin")


@pytest.mark.parametrize(
    "document",
    [{}, {"config": None}, {"config": {}}, {"config": dict.fromkeys(FULL["config"]), "os": None}],  # type: ignore[call-overload]
)
def test_null_and_missing_are_unset(document: dict[str, Any]) -> None:
    """Builders write null, empty objects or nothing for the same thing."""
    config = image_config_from_oci(document)
    assert config == ImageConfig()
    assert config.search_path == DEFAULT_SEARCH_PATH


@pytest.mark.parametrize("test", [["NONE"], [], None])
def test_a_switched_off_healthcheck_is_none(test: list[str] | None) -> None:
    """`HEALTHCHECK NONE`, and a healthcheck without a test, test nothing."""
    assert image_config_from_oci({"config": {"Healthcheck": {"Test": test, "Interval": 5}}}).healthcheck is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Entrypoint": "/bin/sh -c x"}, "config.Entrypoint: expected a list"),
        ({"Cmd": ["a", 1]}, r"config.Cmd\[1\]: expected a string"),
        ({"Env": ["A=\0"]}, r"config.Env\[0\]: expected a string without NUL"),
        ({"Volumes": ["/data"]}, "config.Volumes: expected an object"),
        ({"User": 0}, "config.User: expected a string"),
        ({"Healthcheck": {"Test": ["CMD", "x"], "Retries": True}}, "config.Healthcheck.Retries: expected an integer"),
        ([], "config: expected an object"),
    ],
)
def test_wrong_types_name_the_key(config: Any, message: str) -> None:
    """A malformed configuration is refused with the path of the key."""
    with pytest.raises(InputError, match=message):
        image_config_from_oci({"config": config})
