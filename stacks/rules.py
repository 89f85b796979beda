"""Rules between fields: pure functions of the settings, each yielding what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from ipaddress import IPv4Address, IPv4Network

from components.speech.model_costs import ENHANCED, Recipe, recipes_of
from components.speech.naming import language_name
from stacks.capacity import SIZES, nodes_needed
from stacks.problem import Problem, set_command, set_secret
from stacks.schema import Settings
from stacks.schema.pools import NodeSpec, OsDiskType, Role, State

Rule = Callable[[Settings, Collection[str]], Iterator[Problem]]
"""Settings and the secret keys that have content → what is wrong."""


def one_active_generation(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        generations = settings.pools.generations(role)
        active = [index for index, each in enumerate(generations) if each.state is State.ACTIVE]
        if not active:
            path = f"pools.{role.value}[0].state"
            reason = "no generation of this pool is active, so its workloads have nowhere to run"
            yield Problem(path, "no-active-generation", reason, set_command(path, "active"))
        for index in active[1:]:
            path = f"pools.{role.value}[{index}].state"
            reason = f"pools.{role.value}[{active[0]}] is active already; exactly one generation is"
            yield Problem(path, "two-active-generations", reason, set_command(path, "standby"))


def own_numbers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        generations = settings.pools.generations(role)
        for index, each in enumerate(generations):
            if each.number in [earlier.number for earlier in generations[:index]]:
                path = f"pools.{role.value}[{index}].number"
                free = max(other.number for other in generations) + 1
                reason = f"number {each.number} is taken by another generation of this pool"
                yield Problem(path, "duplicate-number", reason, set_command(path, free))


def counts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    pools: list[tuple[str, NodeSpec]] = [("pools.system", settings.pools.system)]
    pools += [
        (f"pools.{role.value}[{index}]", each)
        for role in Role
        for index, each in enumerate(settings.pools.generations(role))
    ]
    for path, pool in pools:
        if pool.min_count > pool.max_count:
            reason = f"minCount {pool.min_count} is above maxCount {pool.max_count}"
            yield Problem(f"{path}.minCount", "min-above-max", reason, set_command(f"{path}.minCount", pool.max_count))


def room_for_surge(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A pool without a spare node for the surge never finishes a roll."""
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            if each.state is not State.ACTIVE:
                continue
            needed = nodes_needed(settings, role, each)
            path = f"pools.{role.value}[{index}].maxCount"
            if needed is None:
                yield _unknown_size(role, index, each.vm_size)
            elif each.max_count < needed:
                reason = (
                    f"{needed} nodes are needed for the wanted pods and their surge, maxCount allows {each.max_count}; "
                    "an update of the pods would never end"
                )
                yield Problem(path, "pool-too-small", reason, set_command(path, needed))


def _unknown_size(role: Role, index: int, vm_size: str) -> Problem:
    path = f"pools.{role.value}[{index}].vmSize"
    fitting = [name for name, size in SIZES.items() if bool(size.gpus) == (role is Role.INFERENCE)]
    reason = f"{vm_size} is not in the capacity table, or does not suit this pool; known: {', '.join(fitting)}"
    return Problem(path, "unknown-vm-size", reason, set_command(path, fitting[0]))


def local_disks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            size = SIZES.get(each.vm_size)
            if size and each.os_disk_type is OsDiskType.EPHEMERAL and not size.local_disk:
                path = f"pools.{role.value}[{index}].osDiskType"
                reason = f"{each.vm_size} has no local disk for an ephemeral system disk"
                yield Problem(path, "no-local-disk", reason, set_command(path, "Managed"))


def pool_versions(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    control_plane = _version(settings.azure.kubernetes_version)
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            path, version = f"pools.{role.value}[{index}].kubernetesVersion", _version(each.kubernetes_version)
            if version > control_plane:
                reason = f"nodes may not be newer than the control plane ({settings.azure.kubernetes_version})"
                mend = set_command(path, settings.azure.kubernetes_version)
                yield Problem(path, "pool-newer-than-cluster", reason, mend)
            elif version[1] < control_plane[1] - 3:
                reason = f"more than three minor versions behind {settings.azure.kubernetes_version}"
                mend = "add a generation with a newer kubernetesVersion and make it active"
                yield Problem(path, "pool-too-old", reason, mend)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def networks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    network = settings.azure.network
    space, subnet = IPv4Network(network.address_space), IPv4Network(network.node_subnet)
    pods, services = IPv4Network(network.pod_cidr), IPv4Network(network.service_cidr)
    if not subnet.subnet_of(space):
        path = "azure.network.nodeSubnet"
        reason = f"{subnet} is not inside addressSpace {space}"
        first = next(space.subnets(new_prefix=max(space.prefixlen, 22)))
        yield Problem(path, "subnet-outside", reason, set_command(path, first))
    for path, one, other in (
        ("azure.network.podCidr", pods, space),
        ("azure.network.serviceCidr", services, space),
        ("azure.network.serviceCidr", services, pods),
    ):
        if one.overlaps(other):
            reason = f"{one} overlaps {other}; both are fixed for the life of the cluster"
            yield Problem(path, "overlapping-networks", reason, "choose a range of its own")
    try:
        inside = IPv4Address(network.dns_service_ip) in services
    except ValueError:
        inside = False
    if not inside:
        path = "azure.network.dnsServiceIp"
        reason = f"{network.dns_service_ip} is not an address inside serviceCidr {services}"
        yield Problem(path, "dns-outside", reason, set_command(path, services[10]))


def languages(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """No language twice, no two languages with one group name, and for each a server that knows it."""
    enabled = [Recipe.ENHANCED_1] if settings.inference_server_enhanced_recipe1.enabled else []
    names: dict[str, str] = {}
    for index, language in enumerate(settings.global_.transcriber.languages):
        path = f"global.transcriber.languages[{index}]"
        name = language_name(settings.transcribers.fullname_override, language)
        if name in names:
            same = names[name] == language
            reason = f"{language} is listed already" if same else f"{names[name]} has the same group name, {name}"
            yield Problem(path, "duplicate-language", reason, f"pulumi config rm --path '{path}'")
            continue
        names[name] = language
        if settings.transcribers.enabled and not set(recipes_of(language)) & set(enabled):
            yield _no_recipe(path, language)


def _no_recipe(path: str, language: str) -> Problem:
    serving = [recipe for recipe in recipes_of(language) if recipe in ENHANCED]
    if Recipe.ENHANCED_1 in serving:
        mend = set_command("inferenceServerEnhancedRecipe1.enabled", "true")
        reason = f"{language} needs {Recipe.ENHANCED_1.value}, which is off; its pods would wait for it for ever"
    else:
        mend = f"pulumi config rm --path '{path}'"
        needs = f"needs {serving[0].value}, which this program does not deploy yet" if serving else "is in no recipe"
        reason = f"{language} {needs}; its pods would wait for a server for ever"
    return Problem(path, "language-without-recipe", reason, mend)


def pre_warm(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A pod that warms up at an operating point no server has never leaves its init phase."""
    tracker = settings.transcribers.readiness_tracker
    point = settings.inference_server_enhanced_recipe1.triton_server.operating_point
    if tracker.pre_warm.enabled and tracker.pre_warm.operating_point.value != point:
        path = "transcribers.readinessTracker.preWarm.operatingPoint"
        reason = f"no enabled inference server serves {tracker.pre_warm.operating_point.value}"
        yield Problem(path, "operating-point-without-server", reason, set_command(path, point))


def secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """A Secret to be created needs its content, and content needs the Secret to be created."""
    for key, wanted, switch, file in (
        ("licenseJson", settings.global_.licensing.create_secret, "global.licensing.createSecret", "license.json"),
        ("registryPassword", settings.pull_secret.create_secret, "pullSecret.createSecret", "password.txt"),
    ):
        if wanted and key not in present:
            reason = f"the Secret is to be created, but `{key}` has no content"
            yield Problem(switch, "secret-without-content", reason, set_secret(key, file))
        if key in present and not wanted:
            reason = f"it is set, but {switch} is off, so nothing would be made of it"
            yield Problem(key, "content-without-secret", reason, set_command(switch, "true"))
    if settings.pull_secret.create_secret:
        if settings.pull_secret.username is None:
            reason = "the pull secret is to be created without a user name"
            yield Problem("pullSecret.username", "missing", reason, set_command("pullSecret.username", "NAME"))
        if not settings.global_.image_pull_secrets:
            path = "global.imagePullSecrets"
            reason = "the pull secret is to be created, but none is named for the pods to use"
            yield Problem(path, "missing", reason, set_command(f"{path}[0].name", "speechmatics-registry"))


RULES: tuple[Rule, ...] = (
    one_active_generation,
    own_numbers,
    counts,
    room_for_surge,
    local_disks,
    pool_versions,
    networks,
    languages,
    pre_warm,
    secrets,
)


def check(settings: Settings, present: Collection[str]) -> list[Problem]:
    """Everything wrong with settings that are right field by field; `present` are the secret keys with content."""
    return [problem for rule in RULES for problem in rule(settings, present)]
