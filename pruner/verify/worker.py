"""Runs one check in one root: a process of its own makes the namespaces, runs the programs and reports."""

from __future__ import annotations

import json
import os
import shlex
import signal
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruner.errors import EnvironmentFault, printable
from pruner.verify import namespaces
from pruner.verify.box import Box, Fault
from pruner.verify.compare import STILL_RUNS
from pruner.verify.launch import Order
from pruner.verify.service import ask, is_ready
from pruner.verify.trace import read_trace
from pruner.verify.types import Ran, Session
from pruner.verify.view import VIEWS, mount_view, remove_tree

if TYPE_CHECKING:
    from pruner.model import ImageConfig
    from pruner.read.checks import Check, Probe

_TRACED_FACTOR = 10.0
"""How much slower a traced program may be before it counts as hanging."""
_HINT = "run as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where checks run."""

    root: Path
    """The directory under test."""
    clients: Path
    """The fat root, for the client commands of probes."""
    image: ImageConfig | None
    bwrap: str
    strace: str = ""
    """Path of strace; "" runs untraced."""
    views: tuple[str, ...] = VIEWS


def observe(check: Check, place: Place) -> Session:
    """Run `check` in `place`, and leave the root as it is.

    Raises `EnvironmentFault` where no sandbox can be made.
    """
    home = Path(tempfile.mkdtemp(prefix="pruner-verify-"))
    try:
        told = _in_a_child(check, place, home)
        if "fault" in told:
            raise EnvironmentFault(told["fault"], hint=_HINT)
        session = _from_wire(told)
        seen = (read_trace(Path(ran.trace), ran.workdir) for ran in session.traces if ran.trace is not None)
        return replace(session, observations=tuple(sorted({item for items in seen for item in items})))
    finally:
        remove_tree(home)


def _in_a_child(check: Check, place: Place, home: Path) -> dict[str, Any]:
    answer, answer_end = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(answer)
            namespaces.die_with_parent()
            with os.fdopen(answer_end, "w") as stream:
                json.dump(_told(check, place, home), stream)
            code = 0
        finally:
            os._exit(code)
    os.close(answer_end)
    try:
        with os.fdopen(answer, "rb") as stream:
            data = stream.read()
        return json.loads(data) if data else {"fault": "the sandbox ended without an answer"}
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _told(check: Check, place: Place, home: Path) -> dict[str, Any]:
    """A session on the wire, or a fault."""
    try:
        mapped = namespaces.own_namespaces()
        namespaces.raise_loopback()
        return _to_wire(_session(check, place, home, mapped=mapped))
    except Fault as error:
        return {"fault": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must be told
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return {"fault": f"no sandbox can be made: {printable(text or type(error).__name__).lower()}"}


def _session(check: Check, place: Place, home: Path, *, mapped: bool) -> Session:
    with ExitStack() as stack:
        box, view, lacks = _open_box(stack, place.root, home / "root", place, mapped=mapped)
        clients: Box | None = None
        if any(probe.client for probe in check.probes):
            untraced = replace(place, strace="")
            clients, _, _ = _open_box(stack, place.clients, home / "clients", untraced, mapped=mapped, beside=box)
        answers, service = (
            _service(check, place, box, clients) if check.service else (_command(check, place, box), None)
        )
        caveats = [*box.caveats, *([lacks] if lacks else [])]
        if mapped:
            caveats.append("run as an ordinary user: file owners, other users and setuid programs are not verified")
    return Session(answers=answers, service=service, view=view, caveats=tuple(caveats))


def _open_box(
    stack: ExitStack, root: Path, home: Path, place: Place, *, mapped: bool, beside: Box | None = None
) -> tuple[Box, str, str]:
    home.mkdir()
    traces = home / "traces"
    traces.mkdir()
    (home / "view").mkdir()
    merged, view, lacks = mount_view(root, home / "view", place.views, mapped=mapped)
    if view != "copy":
        stack.callback(namespaces.unmount, str(merged))
    box = Box(merged, bwrap=place.bwrap, mapped=mapped, traces=traces, strace=place.strace, beside=beside)
    return stack.enter_context(box), view, lacks


def _order(check: Check, place: Place, argv: tuple[str, ...]) -> Order:
    image = place.image
    user = check.user if check.user is not None else image.user if image is not None else ""
    workdir = check.workdir if check.workdir is not None else image.working_dir if image is not None else ""
    return Order(argv=argv, user=user, workdir=workdir, env=((image.env if image is not None else ()) + check.env))


def _command(check: Check, place: Place, box: Box) -> tuple[Ran, ...]:
    program = box.start(_order(check, place, check.command), check.title)
    return (box.finish(program, check.timeout * _factor(place)),)


def _service(check: Check, place: Place, box: Box, clients: Box | None) -> tuple[tuple[Ran, ...], Ran]:
    ready = check.ready
    if ready is None:
        raise Fault("a service needs a readiness probe")
    program = box.start(_order(check, place, check.command), check.title)
    seconds = ready.timeout * _factor(place)
    came = box.until(lambda: program.over or is_ready(ready, box), seconds)
    if not came:
        return (), program.answer(f"{ready.kind} {printable(ready.target)} was not ready within {seconds:g} s")
    if program.over:
        box.until(lambda: program.open == 0, 1.0)
        if not is_ready(ready, box):  # what went into the background by itself is there nevertheless
            return (), replace(program.answer(), problem=program.answer().problem or "ended before it was ready")
    answers = tuple(_probe(probe, check, place, box, clients) for probe in check.probes)
    return answers, program.answer(STILL_RUNS)


def _probe(probe: Probe, check: Check, place: Place, box: Box, clients: Box | None) -> Ran:
    seconds = check.timeout * _factor(place)
    if probe.kind != "command":
        box.pump(0)
        return ask(probe, seconds)
    where = clients if probe.client and clients is not None else box
    return where.finish(where.start(_order(check, place, probe.argv), printable(shlex.join(probe.argv))), seconds)


def _factor(place: Place) -> float:
    return _TRACED_FACTOR if place.strace else 1.0


def _to_wire(session: Session) -> dict[str, Any]:
    def ran(value: Ran | None) -> dict[str, Any] | None:
        if value is None:
            return None
        return asdict(value) | {"out": value.out.decode("latin-1"), "err": value.err.decode("latin-1")}

    return {
        "answers": [ran(answer) for answer in session.answers], "service": ran(session.service),
        "view": session.view, "caveats": session.caveats,
    }  # fmt: skip


def _from_wire(told: dict[str, Any]) -> Session:
    def ran(value: dict[str, Any]) -> Ran:
        return Ran(**(value | {"out": value["out"].encode("latin-1"), "err": value["err"].encode("latin-1")}))

    return Session(
        answers=tuple(ran(answer) for answer in told["answers"]),
        service=ran(told["service"]) if told["service"] is not None else None,
        view=told["view"], caveats=tuple(told["caveats"]),
    )  # fmt: skip
