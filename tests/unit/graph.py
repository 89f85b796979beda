"""The program run against a recording monitor: every registration as the engine would get it.

Nothing of the program is replaced but the one thing that is random, its certificate: `__main__.py` runs as it is, with
a stack file as its configuration. The SDK's aliases and stack traces are left out (test_graph.py shows that it makes no
difference). Only the far end is played, and it answers with what was sent.
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import functools
import json
import os
import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from google.protobuf import json_format
from pulumi.runtime import mocks
from pulumi.runtime.settings import SETTINGS, _get_rpc_manager, get_root_resource
from pulumi.runtime.stack import Stack, run_pulumi_func

from components.cluster.certificate import Pair, self_signed
from stacks.schema import SECRET_KEYS
from tests.unit.sdk import sparing
from tests.unit.secrets_api import kubeconfig
from tests.yaml_file import read_yaml

Json = dict[str, Any]
Change = Callable[[Json], None]
"""Edits a stack's configuration, by full key with objects parsed."""
CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = "sm-realtime"
ROOT = "pulumi:pulumi:Stack"
STACKS = ("sandbox", "staging", "production")
SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"

MADE_UP_SECRETS = {"licenseJson": '{"made": "up"}', "registryPassword": "made-up-password"}
"""What stands for the decrypted secrets of a stack file."""


@dataclass(frozen=True)
class Resource:
    """One registration."""

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    provider: str
    protect: bool
    inputs: Json
    """Secrets opened."""
    secret_paths: frozenset[str]
    """Top-level inputs that hold a secret somewhere."""
    ignore_changes: tuple[str, ...]
    dependencies: frozenset[str]
    before_delete: tuple[str, ...]
    before_update: tuple[str, ...]
    delete_before_replace: bool | None
    retain_on_delete: bool
    timeouts: Json

    @property
    def kubernetes(self) -> bool:
        return self.type.startswith("kubernetes:")

    @property
    def object_name(self) -> str:
        """Its name in the cluster."""
        return str(self.inputs["metadata"]["name"])


@dataclass
class Graph:
    """All registrations of one run, in order."""

    resources: list[Resource] = field(default_factory=list)
    exports: Json = field(default_factory=dict)
    """The stack's outputs, those that are still to come as Outputs."""
    hooks: list[str] = field(default_factory=list)
    """Names registered."""

    def of(self, resource_type: str) -> list[Resource]:
        return [each for each in self.resources if each.type == resource_type]

    def one(self, resource_type: str, object_name: str | None = None) -> Resource:
        """The one resource of a type, or the one with this name in the cluster."""
        found = [r for r in self.of(resource_type) if object_name is None or r.object_name == object_name]
        assert len(found) == 1, f"{resource_type} {object_name}: {[r.name for r in self.of(resource_type)]}"
        return found[0]

    @property
    def kubernetes(self) -> list[Resource]:
        return [each for each in self.resources if each.kubernetes]


def opened(value: Any) -> tuple[Any, bool]:
    """A value without secret marks, and whether there was one; whole numbers as int."""
    if isinstance(value, dict):
        if value.get("4dabf18193072939515e22adb298388d") == SECRET_MARK:
            return opened(value["value"])[0], True
        parts = {key: opened(each) for key, each in value.items()}
        return {key: part for key, (part, _) in parts.items()}, any(secret for _, secret in parts.values())
    if isinstance(value, list):
        items = [opened(each) for each in value]
        return [part for part, _ in items], any(secret for _, secret in items)
    return (int(value) if isinstance(value, float) and value.is_integer() else value), False


class Cloud(mocks.Mocks):
    """Answers with what was sent, and with what only the far end knows."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, Json]:
        outputs = dict(args.inputs)
        if args.typ.endswith(":ManagedCluster"):
            # an input list, an output map
            ids = outputs["identity"].pop("userAssignedIdentities")
            outputs["identity"] = {**outputs["identity"], "userAssignedIdentities": {each: {} for each in ids}}
            outputs["oidcIssuerProfile"] = {"enabled": True, "issuerUrl": "https://issuer.example/"}
        if args.typ.endswith(":UserAssignedIdentity"):
            outputs["principalId"] = "11111111-2222-3333-4444-555555555555"
        if args.typ.endswith(":PublicIPAddress"):
            outputs["ipAddress"] = "203.0.113.7"
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[Json, list[tuple[str, str]]]:
        assert args.token == "azure-native:containerservice:listManagedClusterUserCredentials", args.token
        assert args.provider, "an invoke without a provider fails once default providers are off"
        return {"kubeconfigs": [{"name": "user", "value": base64.b64encode(kubeconfig().encode()).decode()}]}, []


@contextmanager
def own_loop() -> Iterator[None]:
    """An event loop for one answer of the monitor, which works in a pool's thread and would leave one behind there."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.close()
        asyncio.set_event_loop(None)


class Recorder(mocks.MockMonitor):
    """Keeps each registration whole, not only its inputs."""

    def __init__(self, graph: Graph, stack: str) -> None:
        super().__init__(Cloud())
        self.graph = graph
        self.stack = stack

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: the SDK's asks for the stack in a pool's thread, which may know another's."""
        above = parent.split("::")[2] if parent else ROOT
        kind = type_ if above == ROOT else f"{above}${type_}"
        return f"urn:pulumi:{self.stack}::{PROJECT}::{kind}::{name}"

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        invoke: Callable[[Any], Any] = super().Invoke
        with own_loop():
            return invoke(request)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        register: Callable[[Any], Any] = super().RegisterResource
        with own_loop():
            response = register(request)
        raw = json_format.MessageToDict(request.object)
        parts = {key: opened(value) for key, value in raw.items()}
        deletes_first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        self.graph.resources.append(
            Resource(
                type=request.type,
                name=request.name,
                urn=response.urn,
                parent=request.parent,
                custom=request.custom,
                provider=request.provider,
                protect=request.protect,
                inputs={key: value for key, (value, _) in parts.items()},
                secret_paths=frozenset(key for key, (_, secret) in parts.items() if secret),
                ignore_changes=tuple(request.ignoreChanges),
                dependencies=frozenset(request.dependencies),
                before_delete=tuple(request.hooks.before_delete),
                before_update=tuple(request.hooks.before_update),
                delete_before_replace=deletes_first,
                retain_on_delete=request.retainOnDelete,
                timeouts=json_format.MessageToDict(request.customTimeouts),
            )
        )
        return response


def stack_config(stack: str) -> tuple[dict[str, str], list[str]]:
    """A stack file as the engine hands it to the program: objects as JSON text, secrets decrypted and flagged."""
    document = read_yaml(CHECKOUT / "stacks" / f"Pulumi.{stack}.yaml")["config"]
    config: dict[str, str] = {}
    flagged: list[str] = []
    for key, value in document.items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            config[key] = MADE_UP_SECRETS[key.partition(":")[2]]
            flagged.append(key)
        else:
            config[key] = value if isinstance(value, str) else json.dumps(value)
    return config, flagged


@contextmanager
def configured(config: dict[str, str], flagged: list[str]) -> Iterator[None]:
    """The environment in which the language host runs a program."""
    given = {"PULUMI_CONFIG": json.dumps(config), "PULUMI_CONFIG_SECRET_KEYS": json.dumps(flagged)}
    before = {key: os.environ.get(key) for key in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


@functools.cache
def _certificate(hosts: tuple[str, ...]) -> Pair:
    return self_signed(hosts, datetime(2026, 1, 1, tzinfo=UTC))


def one_certificate(hosts: tuple[str, ...], _: datetime) -> Pair:
    """The same pair at each run for the same hosts, so that graphs can be compared."""
    return _certificate(hosts)


def run_program(stack: str, change: Change | None = None, into: Graph | None = None) -> Graph:
    """Run `__main__.py` for a stack; `change` edits its configuration first, by key with objects parsed.

    `into` is for a program that ends before its time: what it registered until then is in it.
    """
    config, flagged = stack_config(stack)
    if change is not None:
        parsed = {k: v if k in flagged else json.loads(v) for k, v in config.items()}
        change(parsed)
        config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parsed.items()}
        # a change may add secrets, which are flat keys
        flagged = [*flagged, *(k for k in config if k.partition(":")[2] in SECRET_KEYS and k not in flagged)]
    return run_with(config, flagged, stack, into)


def run_with(config: dict[str, str], flagged: list[str], stack: str = "sandbox", into: Graph | None = None) -> Graph:
    """Run `__main__.py` with a configuration as the engine hands it over."""
    # a context of its own: the SDK keeps the root resource, with its transformations, in a context variable
    return contextvars.copy_context().run(_recorded, stack, config, flagged, into or Graph())


def _recorded(stack: str, config: dict[str, str], flagged: list[str], graph: Graph) -> Graph:
    hooks = SimpleNamespace(register_resource_hook=lambda hook: graph.hooks.append(hook.name))
    certificate = patch("stacks.platform.ingress.self_signed", one_certificate)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with configured(config, flagged), certificate, sparing():
            mocks.set_mocks(Cloud(), PROJECT, stack, monitor=Recorder(graph, stack))
            SETTINGS.callbacks = hooks
            program = CHECKOUT / "__main__.py"

            def run() -> None:
                runpy.run_path(str(program))

            loop.run_until_complete(run_pulumi_func(run))
            root = get_root_resource()
            assert isinstance(root, Stack)
            graph.exports |= root.outputs
    finally:
        # a program that ends before its time leaves tasks behind, which the SDK would have the next one wait for
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        _get_rpc_manager().clear()
        SETTINGS.outputs.clear()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
    return graph
