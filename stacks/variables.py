"""The variables the program sets in each container, and the lists of the configuration that add more to them.

Both are compared with the recorded objects and with the schema: a new variable or a new list fails a test until it is
listed here.
"""

from __future__ import annotations

from components.speech.proxy import OWN_VARIABLES

_REDIS = frozenset({"REDIS_CONN_URL", "REDIS_FAIL_OVER_CLIENT_ENABLED", "REDIS_SETUP_TIMEOUT_DURATION"})
_SESSION = frozenset({"SM_DEPLOYMENT_NAME", "SM_NODE_NAME", "SM_SPEC_VERSION"})
"""Those that the sessiongroups-controller sets as well."""

_POD = frozenset({"POD_NAME", "POD_IP"})

SET: dict[str, frozenset[str]] = {
    "resource-manager": _REDIS
    | {
        "SM_MODE",
        "SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS",
        "SM_OVERLOADING_STRATEGY",
        "SM_USE_NODE_BIN_PACKING",
        "SM_RESOURCE_SELECTION_STRATEGY",
        "SM_LEASE_DURATION",
        "SM_ENABLE_SET_SERVICE_IP",
        "TRANSCRIBER_NAMESPACE",
        "SM_FLOW_USE_LOCAL_TRANSCRIBER",
        "SM_INFERENCE_CAPACITY_ON_TRANSCRIBER_REQUEST_ENABLED",
    },
    "metrics": _REDIS
    | {
        "SM_WORKER_MONITOR_ENABLED",
        "SM_WORKER_MONITOR_METRICS_THRESHOLDS",
        "SM_WORKER_MONITOR_CONTAINER_NAME",
        "SM_WORKER_MONITOR_POD_NAME_PREFIX",
        "SM_WORKER_MONITOR_NODE_LABEL_SELECTOR",
        "SM_WORKER_MONITOR_CONDITION_METRICS",
    },
    "reconciliation": _REDIS
    | {
        "SM_K8S_NAMESPACE",
        "SM_RECONCILIATION_DRY_RUN_ONLY",
        "SM_POD_SELECTOR_LIST",
        "SM_TOKEN_STORE_RECONCILIATION_INTERVAL",
        "SM_CLUSTER_NAME",
        "REPOPULATION_ENABLED",
        "SM_NODE_MONITOR_ENABLED",
        "SM_NODE_MONITOR_CPU_THRESHOLD",
        "SM_NODE_MONITOR_CONDITION_DURATION",
        "SM_NODE_MONITOR_NODE_LABELS",
    },
    "sessiongroups-controller": _REDIS
    | {
        "TRANSCRIBER_NAMESPACE",
        "SM_ENABLE_DEFRAG_SCALE_DOWN",
        "SM_DEFRAG_RATE_LIMIT_DURATION",
        "SM_DEFRAG_RATE_LIMIT_MAX_OCCURRENCES",
        "SM_DEFRAG_INTERVAL_DURATION",
        "SM_DEFRAG_MIN_USAGE_DELTA",
        "SM_DEFRAG_MAX_SCALE_UP",
        "SM_RECONCILE_MAX_PAUSE_DURATION",
    },
    "rt-asr-transcriber": _SESSION
    | {
        "SM_ENABLE_USAGE_REPORTING",
        "SM_EATS_SECURE",
        "SM_TRANSLATION_ENDPOINT",
        "SM_DO_SESSION_TRANSFER",
        "SM_MAX_CONCURRENT_CONNECTIONS",
        "SM_DISABLE_API_VALIDATION",
        "SM_ENHANCED_INFERENCE_ENDPOINT",
        "SM_INFERENCE_ENDPOINT",
        "SM_INFERENCE_ENDPOINT_RETRY_TIMEOUT",
    },
    "worker-proxy": _SESSION
    | _POD
    | {
        "LANGUAGE_FEATURE",
        "SM_TOKEN_STORE_URL",
        "SM_MODELS_SHARED_BY_LANGUAGES_PREFIXES",
        "TRANSCRIBER_VERSION",
        "SM_CHECK_FOR_CAPACITY_ON_START",
        "SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT",
    },
    "proxy-service": frozenset(OWN_VARIABLES),
}
"""Containers to which the configuration can add variables → those that are set already, in one mode or another."""

LISTS = {
    "resourceManager.additionalEnv": "resource-manager",
    "resourceManager.metrics.additionalEnv": "metrics",
    "resourceManager.reconciliation.additionalEnv": "reconciliation",
    "resourceManager.sessionGroups.additionalEnv": "sessiongroups-controller",
    "transcribers.transcriber.env": "rt-asr-transcriber",
    "transcribers.workerProxy.env": "worker-proxy",
    "proxy.proxy.additionalEnv": "proxy-service",
    "proxy.proxy.deployments.<key>.additionalEnv": "proxy-service",
}
"""Lists (or maps) of variables by path, `<key>` being any key of a map → the container they are added to."""

YIELDS = frozenset({("worker-proxy", "TRANSCRIBER_VERSION")})
"""Containers with a variable that is left to the list where that has it (contract: transcription 4.4)."""
