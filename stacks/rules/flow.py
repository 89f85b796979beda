"""Rules of Flow: what belongs together does, and a pod that is replaced finds a place and time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit

from components.flow.llm_proxy import model_list, served_model, vllm_service
from components.speech.pod import session_env
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.flow_ingresses import FLOW_INGRESSES
from stacks.rules.flow_secrets import secrets, unread_secrets
from stacks.rules.vllm import VLLM
from stacks.schema import Settings

Rule = Callable[[Settings, Collection[str]], Iterator[Problem]]


def language_models(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Flow pods ask for a group that the LLM proxy knows, and what it says of vLLM is so (contract: flow 6.1)."""
    flow, shared = settings.flow, settings.global_.flow
    if not flow.llm_proxy.enabled:
        return
    models = model_list(flow, shared)
    if not models:
        path = "flow.llmProxy.config.model_list"
        reason = "flow.vllm is off and no language model is listed, so no agent could answer"
        yield Problem(path, "missing", reason, set_command("flow.vllm.enabled", "true"))
        return
    groups = [model["model_name"] for model in models]
    group = flow.config.llm.llm_proxy.model_group
    if group not in groups:
        path = "flow.config.llm.llmProxy.modelGroup"
        reason = f"flow.llmProxy.config.model_list has no group {group}; it has {', '.join(sorted(set(groups)))}"
        yield Problem(path, "unknown-target", reason, set_command(path, groups[0]))
    if flow.vllm.enabled:
        yield from _of_vllm(settings)


def _of_vllm(settings: Settings) -> Iterator[Problem]:
    """Listed models at vLLM's address; one at least, and each with its port and its model."""
    flow, shared = settings.flow, settings.global_.flow
    (name, number), model = vllm_service(flow, shared), served_model(flow, shared)
    listed = flow.llm_proxy.config.models
    if shared.vllm.config.model not in (None, flow.vllm.config.model) and "model" in flow.vllm.config.model_fields_set:
        path = "flow.vllm.config.model"
        reason = f"global.flow.vllm.config.model says {model}, which comes first"
        yield Problem(path, "contradiction", reason, remove_command("global.flow.vllm.config.model"))
    if listed is None:
        return
    at_vllm = [(index, each) for index, each in enumerate(listed) if urlsplit(each.llm_params.url).hostname == name]
    for index, each in at_vllm:
        path, where = f"flow.llmProxy.config.model_list[{index}].llm_params", urlsplit(each.llm_params.url)
        if (where.port or 80) != number:
            reason = f"vLLM's Service {name} has port {number}"
            yield Problem(f"{path}.url", "contradiction", reason, set_command(f"{path}.url", _url(name, number)))
        if each.llm_params.model != model:
            reason = f"vLLM serves {model} and knows no other model"
            yield Problem(f"{path}.model", "contradiction", reason, set_command(f"{path}.model", model))
    if not at_vllm and not shared.vllm.enabled:
        reason = f"vLLM is deployed, and no listed model is at {_url(name, number)}; its GPUs would wait for nothing"
        path = "flow.llmProxy.config.model_list"
        yield Problem(path, "contradiction", reason, set_command("flow.vllm.enabled", "false"))


def _url(name: str, number: int) -> str:
    return f"http://{name}:{number}/v1/chat/completions"


def services(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What agents use is offered, and what is offered has an address."""
    flow, config = settings.flow, settings.flow.config
    offered = {"ProxyLLM": flow.llm_proxy.enabled, "Azure": config.llm.azure.enabled}
    offered["ChatGPT"] = config.llm.chatgpt.enabled
    wanted = config.ce.llm.default.partition(":")[0]
    if not offered.get(wanted, False):
        path, there = "flow.config.ce.llm.default", sorted(key for key, on in offered.items() if on)
        reason = f"{wanted} is not offered; there is {', '.join(there) or 'no language model at all'}"
        mend = set_command(path, f"{there[0]}:PRESET") if there else set_command("flow.llmProxy.enabled", "true")
        yield Problem(path, "unknown-target", reason, mend)
    local = settings.global_.flow.flow_use_local_transcriber or config.asr.flow_use_local_transcriber
    own_voices = flow.tts.enabled or config.tts.sm.endpoint
    for path, missing, reason in (
        ("flow.config.asr.endpoint", not local and config.asr.endpoint is None, "flow pods do not transcribe here"),
        (
            "flow.config.tts.sm.endpoint",
            config.tts.sm.enabled and not own_voices,
            "the vendor's voices are on, and flow.tts is off",
        ),
        (
            "flow.config.tts.playht.endpoint",
            config.tts.playht.enabled and config.tts.playht.endpoint is None,
            "PlayHT is on, and the vendor has no default for it",
        ),
        (
            "flow.internalApp.proxyURL",
            flow.internal_app.enabled and flow.internal_app.proxy_url is None,
            "the demonstration is on, and the vendor has no default for it",
        ),
    ):
        if missing:
            yield Problem(path, "missing", reason, set_command(path, "VALUE"))


def voices(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Agents speak with voices that TTS registers (contract: flow 6.7), and there are agents at all (proxy 10.10)."""
    api, flow = settings.proxy.agent_api, settings.flow
    if settings.proxy.enabled and not api.enabled:
        path = "proxy.agentAPI.enabled"
        reason = "a conversation is with an agent, and the proxy is to know none"
        yield Problem(path, "flow-without-agents", reason, set_command(path, "true"))
    if not (flow.tts.enabled and flow.config.tts.sm.enabled and flow.config.tts.sm.endpoint is None):
        return
    for name, agent in (api.config_map.data or {}).items():
        preset = str((agent.get("tts_config") or {}).get("preset", ""))
        service, _, voice = preset.partition(":")
        if service == "SpeechmaticsTTS" and voice not in flow.tts.costs:
            path = f'proxy.agentAPI.configMap.data["{name}"].tts_config.preset'
            known = sorted(flow.tts.costs)
            reason = f"no TTS pod registers the voice {voice}; there is {', '.join(known)}"
            yield Problem(path, "unknown-target", reason, set_command(path, f"SpeechmaticsTTS:{known[0]}"))


def groups(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Session groups that can be: one buffer, and no fewer pods at most than at least."""
    for key, part in (("flow", settings.flow), ("flow.tts", settings.flow.tts)):
        path, scaling = f"{key}.sessionGroups.scaling", part.session_groups.scaling
        if scaling.scale_on_pods_left is not None and "scale_on_capacity_left" in scaling.model_fields_set:
            reason = "scaleOnPodsLeft is set and comes first; a group has one buffer"
            yield Problem(
                f"{path}.scaleOnCapacityLeft", "without-effect", reason, remove_command(f"{path}.scaleOnCapacityLeft")
            )
        if scaling.min_replicas > scaling.max_replicas:
            reason = f"minReplicas {scaling.min_replicas} is above maxReplicas {scaling.max_replicas}"
            mend = set_command(f"{path}.minReplicas", scaling.max_replicas)
            yield Problem(f"{path}.minReplicas", "min-above-max", reason, mend)


def variables(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What the controller puts at the end of every container's variables is not configured."""
    flow = settings.flow
    ends = {each["name"] for each in session_env("")}
    for path, entries, values in (
        ("flow.additionalEnv", flow.additional_env_from, flow.additional_env),
        (
            "flow.readinessTracker.additionalEnv",
            flow.readiness_tracker.additional_env_from,
            flow.readiness_tracker.additional_env,
        ),
        ("flow.tts.additionalEnv", flow.tts.additional_env_from, flow.tts.additional_env),
        ("flow.tts.env", flow.tts.env_from, {}),
        ("flow.tts.inferenceSidecar.env", (), flow.tts.inference_sidecar.env),
    ):
        listed = [(f"{path}From[{index}]", each["name"]) for index, each in enumerate(entries)]
        for where, name in (*listed, *((f"{path}.{name}", name) for name in sorted(values))):
            if name in ends:
                reason = f"{name} is set by the program, and a name stands only once"
                yield Problem(where, "name-taken", reason, remove_command(where))


def budgets(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A budget that lets no pod go stops every drain of its node."""
    for key, part in (("llmProxy", settings.flow.llm_proxy), ("vllm", settings.flow.vllm)):
        least = part.pod_disruption_budget.min_available
        if part.enabled and part.pod_disruption_budget.enabled and part.replicas <= least:
            path = f"flow.{key}.podDisruptionBudget.minAvailable"
            reason = f"with {least} of {part.replicas} always available no pod may ever be moved"
            yield Problem(path, "budget-blocks", reason, set_command(f"flow.{key}.replicas", least + 1))


def _where_on(rule: Rule) -> Rule:
    """A rule that says nothing while Flow is off."""

    def check(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
        if settings.flow.enabled:
            yield from rule(settings, present)

    return check


OWN: tuple[Rule, ...] = (language_models, services, voices, secrets, groups, variables, budgets)
FLOW: tuple[Rule, ...] = (*(_where_on(rule) for rule in (*OWN, *VLLM, *FLOW_INGRESSES)), unread_secrets)
"""All of them."""
