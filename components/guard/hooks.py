"""The hooks and the transform that binds them. Registered under their constant names, also when nothing uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.guard.decision import (
    Fixed,
    delete_refusal,
    keeps_its_pods,
    scale_refusal,
    takeover_refusal,
    takeovers,
    unknown,
)
from components.guard.live import Read
from components.guard.names import Kind, Step, hook_name, kind_of
from components.guard.reading import Reading
from components.guard.refusals import Refusals

ALSO_IN_A_PREVIEW = pulumi.ResourceHookOptions(on_dry_run=True)


def real_name(args: pulumi.ResourceHookArgs) -> str | None:
    """The resource's name in Azure or in the cluster, from its last inputs; None when it cannot be read.

    A value with something secret inside arrives as an Output and is not a name. The logical name is no substitute: it
    matches nothing in the cluster, and what matches nothing would be free to go.
    """
    inputs: Mapping[str, Any] = args.old_inputs or args.new_inputs or {}
    metadata = inputs.get("metadata")
    name = inputs.get("agentPoolName") or (metadata.get("name") if isinstance(metadata, Mapping) else None)
    return name if isinstance(name, str) else None


def described(args: pulumi.ResourceHookArgs, verb: str) -> str:
    """What is refused, for a person: verb, kind, name."""
    return f"{verb} {args.type.rpartition(':')[2]} {real_name(args) or args.name}"


def replicas(inputs: Mapping[str, Any] | None) -> int | None:
    """`spec.replicas` of a SessionGroup's inputs, where they are plain values."""
    spec = (inputs or {}).get("spec")
    value = spec.get("replicas") if isinstance(spec, Mapping) else None
    return int(value) if isinstance(value, int | float) else None


def scaled(inputs: Mapping[str, Any] | None) -> bool | None:
    """`spec.scaling.enabled` of a SessionGroup's inputs; None where it cannot be read."""
    spec = (inputs or {}).get("spec")
    scaling = spec.get("scaling") if isinstance(spec, Mapping) else None
    value = scaling.get("enabled") if isinstance(scaling, Mapping) else None
    return value if isinstance(value, bool) else None


def delete_hook(kind: Kind, read: Read, refusals: Refusals) -> pulumi.ResourceHook:
    """The hook before a delete of this kind."""

    async def before_delete(args: pulumi.ResourceHookArgs) -> None:
        refusal = delete_refusal(kind, described(args, "deleting"), real_name(args), await read())
        if refusal is not None:
            await refusals.refuse(refusal)

    return pulumi.ResourceHook(hook_name(kind, Step.DELETE), before_delete, ALSO_IN_A_PREVIEW)


def update_hook(read: Read, fixed: Mapping[str, Fixed], refusals: Refusals) -> pulumi.ResourceHook:
    """The hook before an update of a SessionGroup: it reads the cluster unless the number of pods is the controller's.

    `fixed` has the number of pods of each group whose scaling is off, by the group's name.
    """
    told: set[str] = set()

    async def before_update(args: pulumi.ResourceHookArgs) -> None:
        before, after = replicas(args.old_inputs), replicas(args.new_inputs)
        what, name = described(args, "scaling"), real_name(args)
        if scaled(args.new_inputs) is True and keeps_its_pods(before, after):
            return
        if scaled(args.new_inputs) is not True and scaled(args.old_inputs) is not False:
            refusal = switched_off(what, name, after, await read())
        else:
            refusal = scale_refusal(what, name, before, after, await read())
        if refusal is not None:
            await refusals.refuse(refusal)

    def switched_off(what: str, name: str | None, after: int | None, reading: Reading) -> str | None:
        """Why scaling must not be switched off now: of all groups in the first answer, and once for each."""
        if reading.problem is not None:
            return unknown(what, reading.problem)
        lost = takeovers(name, after, fixed, reading)
        if lost and name in told:
            return f"{what} is refused as well; its command stands in the refusal before."
        told.update(each.group.name for each in lost)
        return takeover_refusal(what, lost) if lost else None

    return pulumi.ResourceHook(hook_name(Kind.SESSION_GROUP, Step.UPDATE), before_update, ALSO_IN_A_PREVIEW)


class Guard:
    """All hooks of one program run, and what they were bound to.

    Made before the first guarded resource: `watch` registers one transformation at the root, which reaches every
    resource after it, because what is bound to a component is not inherited by its children.
    """

    def __init__(self, read: Read, fixed: Mapping[str, Fixed] | None = None, preview: bool = False) -> None:
        """`fixed`: the number of pods of each session group whose scaling is off, by the group's name.

        `preview`: whether nothing is done in this run, and refusals are told together.
        """
        self.refusals = Refusals(preview)
        self._delete = {kind: delete_hook(kind, read, self.refusals) for kind in Kind}
        self._update = update_hook(read, fixed or {}, self.refusals)
        self.guarded: list[pulumi.Resource] = []
        """Every resource in a session's path, the gate aside, in the order of the program."""

    def binding(self, kind: Kind) -> pulumi.ResourceHookBinding:
        """The hooks of a kind."""
        updates: list[Any] | None = [self._update] if kind is Kind.SESSION_GROUP else None
        return pulumi.ResourceHookBinding(before_delete=[self._delete[kind]], before_update=updates)

    def transform(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """Bind the hooks of the resource's kind; leave everything else as it is."""
        kind = kind_of(args.type_)
        if kind is None:
            return None
        if kind is not Kind.GATE:
            self.guarded.append(args.resource)
        # a copy: components share one options object among their children
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=self.binding(kind)))
        return pulumi.ResourceTransformationResult(args.props, options)

    def watch(self) -> None:
        """Bind hooks to every resource declared from now on."""
        pulumi.runtime.register_stack_transformation(self.transform)
