"""The names of all objects the program makes in the cluster, and the keys of the configuration they come from.

Told from the settings alone, before anything is made. A test compares them with the recorded objects, so an object that
is not listed here fails it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.cluster.ingress_controller import CLASS_NAME, CONFIG_MAP, TLS_SECRET
from components.cluster.ingress_rights import NAME as INGRESS
from components.flow import tts
from components.flow.fronts import fronts, of_flow_service
from components.flow.llm_proxy import vllm_service
from components.speech.crd import GROUP, PLURAL
from components.speech.deletion_policy import NAME as DELETION_POLICY
from components.speech.inference_server import budget_name, has_budget
from components.speech.resource_manager_ingresses import sections
from components.speech.session_groups_controller import NAME as CONTROLLER
from components.speech.transcriber_containers import speaker_secret
from components.speech.transcriber_languages import speeches
from stacks.licenses import created, fetched, named
from stacks.name import Name, fetched_or_made, of_kinds
from stacks.names_of_proxy import proxy, proxy_ingress, proxy_secrets
from stacks.schema import Settings
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.flow.llm_proxy import LlmProxySettings
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.modes import Mode, ServerMode
from stacks.schema.session_groups import InferenceGroups

RELEASE, NAMESPACE = "release", "namespace"
REDIS = "resourceManager.redis.fullnameOverride"
MANAGER, TRANSCRIBERS = "resourceManager.fullnameOverride", "transcribers.fullnameOverride"
FLOW, VLLM = "flow.fullnameOverride", "flow.vllm.fullnameOverride"


def names(settings: Settings, contents: Collection[str] = ()) -> tuple[Name, ...]:
    """All of them, those of parts that are switched off left out.

    `contents` are the flat keys of the configuration that have one: by them a Secret of the proxy is made or exists.
    """
    secrets = (_secrets, _control_plane_secrets)
    manager = (_control_plane, _beside, _direct_ingress)
    talking = (_flow, _flow_certificates)
    layers = (_base, _redis, *secrets, _ingress, *manager, _data_plane, *talking, proxy, proxy_ingress)
    found = tuple(name for layer in layers for name in layer(settings))
    return (*found, *proxy_secrets(settings, contents))


def full_names(settings: Settings) -> tuple[tuple[str, str], ...]:
    """The names that parts go by, each with its key: their pods and accounts are told apart by them."""
    parts = [("resourceManager", settings.resource_manager.fullname_override)]
    parts += [(key, part.fullname_override) for key, part in settings.data_plane.items() if part.enabled]
    if settings.proxy.enabled:
        parts.append(("proxy", settings.proxy.fullname_override))
    named = tuple((f"{key}.fullnameOverride", name) for key, name in parts)
    return (*named, *_of_flow(settings)) if settings.flow.enabled else named


def _of_flow(settings: Settings) -> Iterator[tuple[str, str]]:
    """The parts of Flow, each with the key of its name."""
    flow = settings.flow
    yield FLOW, flow.fullname_override
    for key, part in (("llmProxy", flow.llm_proxy), ("tts", flow.tts)):
        if part.enabled:
            yield _key_of(key, part), part.name
    if flow.vllm.enabled:
        yield VLLM, flow.vllm.fullname_override


def _key_of(key: str, part: LlmProxySettings | TtsSettings) -> str:
    """The key of a part's name: of two, the one that comes first where it is set."""
    return f"flow.{key}.{'serviceName' if part.service_name else 'fullnameOverride'}"


def _base(settings: Settings) -> Iterator[Name]:
    yield Name("Namespace", None, settings.namespace, NAMESPACE)
    yield Name("CustomResourceDefinition", None, f"{PLURAL}.{GROUP}")
    yield Name("ValidatingAdmissionPolicy", None, DELETION_POLICY)
    yield Name("ValidatingAdmissionPolicyBinding", None, DELETION_POLICY)
    yield Name("DaemonSet", "kube-system", "nvidia-device-plugin")


def _redis(settings: Settings) -> Iterator[Name]:
    here, wanted = settings.namespace, settings.resource_manager.redis
    if not wanted.enabled:
        return
    base = wanted.fullname_override or f"{settings.release}-redis"
    path = REDIS if wanted.fullname_override else RELEASE
    yield Name("ServiceAccount", here, base, path)
    yield Name("ConfigMap", here, f"{base}-configuration", path)
    yield Name("Service", here, f"{base}-headless", path)
    if wanted.sentinel.enabled:
        yield Name("ConfigMap", here, f"{base}-scripts", path)
        yield Name("Service", here, base, path)
        yield from of_kinds("StatefulSet PodDisruptionBudget", here, f"{base}-node", path)
        return
    yield from of_kinds("StatefulSet Service", here, f"{base}-master", path)
    if wanted.count:
        yield from of_kinds("StatefulSet Service", here, f"{base}-replicas", path)


def _secrets(settings: Settings) -> Iterator[Name]:
    here, global_ = settings.namespace, settings.global_
    made_here, stored = created(settings), fetched(settings)
    for license_secret, path in named(settings).items():
        yield from fetched_or_made(license_secret in stored, here, license_secret, path, license_secret in made_here)
    # one that is listed twice is a matter of the list (`stacks.rules.lists`)
    for index, pull in enumerate(dict.fromkeys(each.name for each in global_.image_pull_secrets)):
        made = index == 0 and settings.pull_secret.create_secret
        yield Name("Secret", here, pull, f"global.imagePullSecrets[{index}].name", made)


def _control_plane_secrets(settings: Settings) -> Iterator[Name]:
    """Secrets with addresses: made here, fetched from a store under the same name, or there already."""
    here, chosen, read = settings.namespace, settings.resource_manager.secrets, settings.control_plane_secrets
    store = chosen.external_secrets.enabled
    for section, name, given, made, keys in (
        ("redis", settings.redis_secret, chosen.redis.name, chosen.redis.create, {"redisUrl", "cdCacheUrl"}),
        ("database", settings.database_secret, chosen.database.name, chosen.database.create, {"databaseUrl"}),
    ):
        path = f"resourceManager.secrets.{section}.name" if given else MANAGER
        fetched = store and (made or (section == "redis" and chosen.cd_cache.create))
        if fetched:
            yield Name("ExternalSecret", here, name, path)
        # one that exists may hold the addresses of both
        both = section == "database" and name == settings.redis_secret and not (made or chosen.redis.create)
        if fetched or (keys & read.keys() and not both):
            yield Name("Secret", here, name, path, made=made and not store)


def _ingress(settings: Settings) -> Iterator[Name]:
    if not settings.ingress.enabled:
        return
    yield from of_kinds("Namespace ClusterRole ClusterRoleBinding", None, INGRESS)
    yield Name("IngressClass", None, CLASS_NAME)
    kinds = "ServiceAccount Role RoleBinding Deployment Service PodDisruptionBudget"
    yield from of_kinds(kinds, INGRESS, INGRESS)
    yield Name("ConfigMap", INGRESS, CONFIG_MAP)
    yield Name("Secret", INGRESS, TLS_SECRET)
    yield from of_kinds("Role RoleBinding", settings.namespace, f"{INGRESS}-watched")


def _direct_ingress(settings: Settings) -> Iterator[Name]:
    """Ingresses straight to the resource manager, and the certificate they name."""
    manager, here = settings.resource_manager, settings.namespace
    for key in sections(manager.ingress):
        yield Name("Ingress", here, f"{manager.fullname_override}-{key}", MANAGER)
    secret = manager.ingress.tls_secret_name if sections(manager.ingress) else None
    # one certificate may be for the hosts of the proxy too
    if secret and ("Secret", secret) not in {(each.kind, each.name) for each in proxy_ingress(settings)}:
        yield Name("Secret", here, secret, "resourceManager.ingress.tlsSecretName", made=False)


def _control_plane(settings: Settings) -> Iterator[Name]:
    here, base, release = settings.namespace, settings.resource_manager.fullname_override, settings.release
    yield Name("ConfigMap", here, release, RELEASE)
    if settings.resource_manager.mode is Mode.REAL_TIME:
        yield Name("ConfigMap", here, "languages")
    yield Name("ConfigMap", here, f"{base}-config", MANAGER)
    yield from of_kinds("ServiceAccount Deployment Service", here, base, MANAGER)
    if settings.resource_manager.pdb.enabled:
        yield Name("PodDisruptionBudget", here, base, MANAGER)
    yield Name("Role", here, f"{base}-pod-reader", MANAGER)
    yield Name("RoleBinding", here, f"{base}-kube-access", MANAGER)
    if not settings.resource_manager.session_groups.enabled:
        return
    yield Name("Role", here, f"{base}-sessiongroups-reader", MANAGER)
    yield Name("RoleBinding", here, f"{base}-sessiongroups-access", MANAGER)
    yield Name("ServiceAccount", here, f"{base}-sessiongroups", MANAGER)
    yield Name("PodDisruptionBudget", here, f"{base}-safe-to-evict", MANAGER)
    yield from of_kinds("ClusterRole ClusterRoleBinding", None, f"{release}-{CONTROLLER}", RELEASE)
    yield from of_kinds("Deployment Service", here, CONTROLLER)


def _beside(settings: Settings) -> Iterator[Name]:
    manager, here = settings.resource_manager, settings.namespace
    base, metrics, reconciliation = manager.fullname_override, manager.metrics, manager.reconciliation
    if metrics.enabled or reconciliation.enabled:
        yield Name("ServiceAccount", here, f"{base}-metrics", MANAGER)
        yield Name("Role", here, f"{base}-list-workloads", MANAGER)
        yield Name("RoleBinding", here, f"{base}-metrics-permissions", MANAGER)
    if metrics.enabled:
        yield from of_kinds("Deployment Service", here, f"{base}-metrics", MANAGER)
        if metrics.worker_monitor.enabled:
            yield Name("ClusterRole", None, f"{base}-access-cadvisor", MANAGER)
            yield Name("ClusterRoleBinding", None, f"{base}-metrics-cadvisor-access", MANAGER)
    if reconciliation.enabled:
        yield Name("Deployment", here, f"{base}-reconciliation", MANAGER)
        if reconciliation.node_monitor.enabled:
            name = f"{settings.release}-reconciliation-node-monitor"
            yield Name("ClusterRoleBinding", None, name, RELEASE)


def _data_plane(settings: Settings) -> Iterator[Name]:
    here, transcribers = settings.namespace, settings.transcribers
    if transcribers.enabled:
        base = transcribers.fullname_override
        yield Name("ServiceAccount", here, base, TRANSCRIBERS)
        yield Name("Role", here, f"{base}-pod-access", TRANSCRIBERS)
        yield Name("RoleBinding", here, f"{base}-kube-access", TRANSCRIBERS)
        if transcribers.transcriber.speaker_id.enabled:
            stored = transcribers.external_secrets.enabled
            yield from fetched_or_made(stored, here, speaker_secret(transcribers), TRANSCRIBERS, made=False)
        # two languages of one group name are a matter of the languages (`stacks.rules.speech`)
        for name in sorted({each.name for each in speeches(transcribers, settings.global_)}):
            grouped = transcribers.session_groups.used(settings.global_.session_groups.enabled)
            yield from of_kinds("SessionGroup" if grouped else "Deployment Service", here, name, TRANSCRIBERS)
    for key, server in settings.inference_servers.items():
        if server.enabled:
            path = f"{key}.fullnameOverride"
            queued = " ConfigMap" if server.triton_server.mode is ServerMode.BATCH else ""
            kinds = f"{_workload(settings, server.session_groups)}{queued}"
            yield from of_kinds(kinds, here, server.fullname_override, path)
            if has_budget(server, settings.global_):
                yield Name("PodDisruptionBudget", here, budget_name(server), path)


def _workload(settings: Settings, groups: InferenceGroups | FlowGroups) -> str:
    """The kinds of what runs a part's pods, and of its Service."""
    return f"{'SessionGroup' if groups.used(settings.global_.session_groups.enabled) else 'Deployment'} Service"


def _flow(settings: Settings) -> Iterator[Name]:
    flow, here = settings.flow, settings.namespace
    if not flow.enabled:
        return
    base = flow.fullname_override
    yield from of_kinds(_workload(settings, flow.session_groups), here, base, FLOW)
    yield Name("ConfigMap", here, flow.config_map_name, "flow.configMapName")
    yield from fetched_or_made(flow.external_secrets.enabled, here, base, FLOW)
    account = "flow.serviceAccountName" if flow.service_account_name else FLOW
    yield Name("ServiceAccount", here, flow.service_account_name or base, account)
    yield Name("Role", here, f"{base}-pod-access", FLOW)
    yield Name("RoleBinding", here, f"{base}-kube-access", FLOW)
    if of_flow_service(flow):
        yield Name("Ingress", here, f"{base}-api", FLOW)
    if flow.llm_proxy.enabled:
        yield from _llm_proxy(flow.llm_proxy, here, _key_of("llmProxy", flow.llm_proxy))
    if flow.tts.enabled:
        name, path = flow.tts.name, _key_of("tts", flow.tts)
        yield from of_kinds(_workload(settings, flow.tts.session_groups), here, name, path)
        if tts.has_budget(flow.tts, settings.global_):
            yield Name("PodDisruptionBudget", here, name, path)
        if flow.tts.ingress.enabled:
            yield Name("Ingress", here, name, path)
    if flow.vllm.enabled:
        yield from _vllm(settings)


def _flow_certificates(settings: Settings) -> Iterator[Name]:
    """The certificates of its Ingresses; one may be for the hosts of others too."""
    known = {each.name for layer in (proxy_ingress, _direct_ingress) for each in layer(settings) if not each.made}
    for front in fronts(settings.flow):
        if front.tls_secret and front.tls_secret not in known:
            known.add(front.tls_secret)
            yield Name("Secret", settings.namespace, front.tls_secret, front.secret_path, made=False)


def _llm_proxy(proxy: LlmProxySettings, here: str, path: str) -> Iterator[Name]:
    yield from of_kinds("Deployment Service", here, proxy.name, path)
    yield Name("ConfigMap", here, proxy.config_map_name, "flow.llmProxy.configMapName")
    yield from fetched_or_made(proxy.external_secrets.enabled, here, proxy.name, path)
    if proxy.pod_disruption_budget.enabled:
        yield Name("PodDisruptionBudget", here, proxy.name, path)
    if proxy.ingress.enabled:
        yield Name("Ingress", here, proxy.name, path)


def _vllm(settings: Settings) -> Iterator[Name]:
    vllm, shared, here = settings.flow.vllm, settings.global_.flow.vllm.service, settings.namespace
    base, token = vllm.fullname_override, vllm.hf_token_secret
    yield Name("Deployment", here, base, VLLM)
    keys = {"global.flow.vllm.service.serviceName": shared.service_name}
    keys["flow.vllm.service.serviceName"] = vllm.service.service_name
    service, _ = vllm_service(settings.flow, settings.global_.flow)
    yield Name("Service", here, service, next((key for key, given in keys.items() if given), VLLM))
    yield Name("PersistentVolumeClaim", here, vllm.persistence.name, "flow.vllm.persistence.name")
    stored = token.create_secret and vllm.external_secrets.enabled
    yield from fetched_or_made(
        stored, here, token.secret_name, "flow.vllm.hfTokenSecret.secretName", token.create_secret
    )
    if vllm.pod_disruption_budget.enabled:
        yield Name("PodDisruptionBudget", here, base, VLLM)
    if vllm.ingress.enabled:
        yield Name("Ingress", here, base, VLLM)
