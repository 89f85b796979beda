"""The variables the program sets in the control plane and the proxy, and the lists that add more to them.

Session pods are not here: the chart lets their lists replace most variables, and so do we (`stacks.rules.data_plane`).

Both are compared with the recorded objects and with the schema: a new variable or a new list fails a test until it is
listed here.
"""

from __future__ import annotations

from components.speech.proxy_pod import OWN_VARIABLES

_REDIS = frozenset(
    {
        "REDIS_CONN_URL",
        "REDIS_USE_EXTERNAL",
        "REDIS_DB_INDEX",
        "REDIS_FAIL_OVER_CLIENT_ENABLED",
        "REDIS_SETUP_TIMEOUT_DURATION",
        "SSL_CERT_DIR",
    }
)
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
        "CD_CACHE_MAX_ENTRY_SIZE_BYTES",
        "CD_CACHE_REDIS_CONN_URL",
        "CD_CACHE_REDIS_EXPIRY_SECOND",
        "CD_CACHE_MAX_KEYS_PER_CONTRACT",
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
        "SM_DB_CONN_STRING",
        "SG_CONTROLLER_ADDRESS",
        "SG_CONTROLLER_PAUSE_DURATION",
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
    "proxy-service": frozenset(OWN_VARIABLES),
    "proxy-service-cache": frozenset({"DB_CONN_STRING", "REDIS_USE_EXTERNAL", "REDIS_CONN_STRING"}),
}
"""Containers whose lists only add variables → those that are set already, in one mode or another."""

LISTS = {
    "resourceManager.additionalEnv": "resource-manager",
    "resourceManager.metrics.additionalEnv": "metrics",
    "resourceManager.reconciliation.additionalEnv": "reconciliation",
    "resourceManager.sessionGroups.additionalEnv": "sessiongroups-controller",
    "proxy.proxy.additionalEnv": "proxy-service",
    "proxy.proxy.deployments.<key>.additionalEnv": "proxy-service",
    "proxy.proxyCache.additionalEnv": "proxy-service-cache",
}
"""Lists (or maps) of variables by path, `<key>` being any key of a map → the container they are added to."""
