"""Running small programs on the real engine: steps as data, the state as data, and the cluster beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation

from sandbox.kube import Kube

Json = dict[str, Any]
Program = Callable[[], None]

DEFINITION = "apiextensions.k8s.io/v1:CustomResourceDefinition"
END_SECONDS = 30.0
REPLACEMENT = ["create-replacement", "replace", "delete-replaced"]


class Object(pulumi.CustomResource):
    """Any object, by type token and properties in Kubernetes' own spelling."""

    metadata: pulumi.Output[Any]
    status: pulumi.Output[Any]

    def __init__(self, token: str, name: str, properties: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        module, _, kind = token.partition(":")
        inputs = {"apiVersion": module.removeprefix("core/"), "kind": kind, **properties, "status": None}
        super().__init__(f"kubernetes:{token}", name, inputs, opts)


@dataclass(frozen=True)
class Step:
    """One step of the engine: what it does to which resource (by logical name), and what changes how."""

    op: str
    name: str
    changes: tuple[tuple[str, str], ...] = ()


@dataclass
class Outcome:
    """What one engine operation did and said."""

    steps: list[Step] = field(default_factory=list)
    failures: list[Step] = field(default_factory=list)
    error: str = ""

    def ops(self, name: str) -> list[str]:
        """The operations on one resource, in order."""
        return [step.op for step in self.steps if step.name == name]

    def failed(self, name: str) -> list[str]:
        """The operations on one resource that failed."""
        return [step.op for step in self.failures if step.name == name]

    def replaced(self, name: str) -> bool:
        return any(op in REPLACEMENT for op in self.ops(name))

    def forcing(self, name: str) -> set[str]:
        """The paths because of which a resource is replaced."""
        changes = [change for step in self.steps if step.name == name for change in step.changes]
        return {path for path, kind in changes if kind.endswith("replace")}

    def changed(self) -> dict[str, list[str]]:
        """Every resource that is not left as it is."""
        names = dict.fromkeys(step.name for step in self.steps if step.op not in ("same", "refresh", "read"))
        return {name: self.ops(name) for name in names}


@dataclass
class Engine:
    """Where stacks run: a backend of their own, and the environment in which the engine finds its provider."""

    folder: Path
    environment: dict[str, str]
    loops: list[asyncio.AbstractEventLoop] = field(default_factory=list)

    def close(self) -> None:
        """Close what `holding_loops` holds; after a failed operation its program may still be ending."""
        deadline = time.monotonic() + END_SECONDS
        while any(loop.is_running() for loop in self.loops) and time.monotonic() < deadline:
            time.sleep(0.1)
        for loop in self.loops:
            loop.close()

    @contextlib.contextmanager
    def holding_loops(self) -> Iterator[None]:
        """Hold on to the event loops that the SDK makes for an inline program, until `close`.

        It leaves one open in every thread it uses, and the program's own when an update fails.
        """
        make = asyncio.new_event_loop

        def recorded() -> asyncio.AbstractEventLoop:
            self.loops.append(make())
            return self.loops[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "new_event_loop", recorded)
            yield

    def stack(self, name: str) -> Stack:
        work = self.folder / name
        work.mkdir(parents=True)
        (self.folder / "state").mkdir(exist_ok=True)
        options = automation.LocalWorkspaceOptions(
            work_dir=str(work),
            env_vars=self.environment | {"PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}"},
            project_settings=automation.ProjectSettings(name=name, runtime="python"),
        )
        return Stack(automation.create_stack("test", name, lambda: None, opts=options), self)


class Stack:
    """One stack; every operation takes the program to run."""

    def __init__(self, stack: automation.Stack, engine: Engine) -> None:
        self._stack, self._engine = stack, engine
        self.name = stack.workspace.project_settings().name

    def up(self, program: Program, *, fails: bool = False) -> Outcome:
        outcome = Outcome()
        try:
            with self._engine.holding_loops():
                self._stack.up(program=program, on_event=_recorder(outcome), continue_on_error=True)
        except automation.CommandError as error:
            outcome.error = str(error)
        assert bool(outcome.error) == fails, outcome.error or "the update was expected to fail"
        return outcome

    def preview(self, program: Program, *, refresh: bool = False, fails: bool = False) -> Outcome:
        outcome = Outcome()
        try:
            with self._engine.holding_loops():
                self._stack.preview(program=program, on_event=_recorder(outcome), refresh=refresh)
        except automation.CommandError as error:
            outcome.error = str(error)
        assert bool(outcome.error) == fails, outcome.error or "the preview was expected to fail"
        return outcome

    def refresh(self) -> None:
        self._stack.refresh()

    def resources(self) -> dict[str, Json]:
        """The state, secrets in clear, by logical name."""
        deployment = self._stack.export_stack().deployment or {}
        return {str(item["urn"]).rsplit("::", 1)[1]: item for item in deployment["resources"]}

    def at_rest(self) -> str:
        """The state as it lies on the disk."""
        return (self._engine.folder / "state" / ".pulumi" / "stacks" / self.name / "test.json").read_text()


def _recorder(outcome: Outcome) -> Callable[[automation.EngineEvent], None]:
    def record(event: automation.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            outcome.steps.append(_step(event.resource_pre_event.metadata))
        if event.res_op_failed_event is not None:
            outcome.failures.append(_step(event.res_op_failed_event.metadata))

    return record


def _step(metadata: automation.StepEventMetadata) -> Step:
    changes = (metadata.detailed_diff or {}).items()
    return Step(
        str(getattr(metadata.op, "value", metadata.op)),
        metadata.urn.rsplit("::", 1)[1],
        tuple((path, str(change.diff_kind.value)) for path, change in changes),
    )


@dataclass(frozen=True)
class Cluster:
    """The API server beside the engine; `as_` is who writes."""

    kubeconfig: str

    def run(self, task: Callable[[Kube], Any], as_: str = "test") -> Any:
        async def session() -> Any:
            async with Kube(self.kubeconfig, as_) as kube:
                return await task(kube)

        return asyncio.run(session())

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Json:
        found = self.run(lambda kube: kube.get(api_version, kind, name, namespace))
        assert isinstance(found, dict)
        return found

    @contextlib.contextmanager
    def meanwhile(self, task: Callable[[Kube], Any]) -> Iterator[None]:
        """Run a task beside the block, on a thread of its own; it is cancelled when the block is done."""
        started, loop = threading.Event(), asyncio.new_event_loop()
        holder: list[asyncio.Task[None]] = []

        async def session() -> None:
            async with Kube(self.kubeconfig, "test-kubelet") as kube:
                started.set()
                await task(kube)

        def work() -> None:
            asyncio.set_event_loop(loop)
            holder.append(loop.create_task(session()))
            with contextlib.closing(loop), contextlib.suppress(asyncio.CancelledError):  # how the block ends it
                loop.run_until_complete(holder[0])

        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(30)
        try:
            yield
        finally:
            if not loop.is_closed():  # it is where the task has failed, which the thread's own error tells
                loop.call_soon_threadsafe(holder[0].cancel)
            thread.join(30)
            assert not thread.is_alive()


async def play_addresses(kube: Kube, namespace: str, api_version: str, kind: str, asks: Callable[[Json], bool]) -> None:
    """Give an address to all that ask for one by their spec, as a controller would that is not here."""
    async for event, obj in kube.watch(api_version, kind, namespace):
        given = obj.get("status", {}).get("loadBalancer")
        if event in ("ADDED", "MODIFIED") and asks(obj["spec"]) and not given:
            status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}
            name = obj["metadata"]["name"]
            await kube.merge(api_version, kind, name, {"status": status}, namespace, subresource="status")


def provider(name: str, kubeconfig: pulumi.Input[str], **settings: Any) -> pulumi.ResourceOptions:
    """A provider resource of the program under test, and the options that choose it."""
    from pulumi_kubernetes import Provider

    return pulumi.ResourceOptions(provider=Provider(name, kubeconfig=kubeconfig, **settings))


def choose(opts: pulumi.ResourceOptions, **more: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=opts.provider, **more)


def configuration(logical_name: str, opts: pulumi.ResourceOptions, data: Json, **metadata: Any) -> Object:
    """A ConfigMap."""
    return Object("core/v1:ConfigMap", logical_name, {"metadata": metadata, "data": data}, opts)


def changed_clusters(kubeconfig: str, **changes: Any) -> str:
    """The kubeconfig with something changed about its active cluster, still the same place."""
    import yaml

    loaded = yaml.safe_load(kubeconfig)
    for item in loaded["clusters"]:
        item["cluster"] |= changes
    return json.dumps(loaded)


def definition(name: str, group: str, kind: str, **version: Any) -> Json:
    """A namespaced CustomResourceDefinition that keeps what it is given."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    shape = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"kind": kind, "plural": name, "singular": kind.lower()}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [shape]}
    return {"metadata": {"name": f"{name}.{group}"}, "spec": spec}


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
