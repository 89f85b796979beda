"""Views for the tests of the pure parts, made of the API server's objects as an informer would make them."""

from __future__ import annotations

import dataclasses
from typing import Any

from sandbox.sessions import objects as parsed
from sandbox.sessions.view import View
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.objects import Json

SPACE = "speech"


def pod(
    name: str,
    spec: Json,
    *,
    ready: bool = True,
    labels: Json | None = None,
    owner: str = "",
    node: str = "n1",
    version: int = 0,
    stopping: tuple[str, int] | None = None,
    status: Json | None = None,
) -> parsed.Pod:
    """`stopping`: by when it is to be gone (RFC 3339), and its grace in seconds."""
    meta: Json = {"name": name, "namespace": SPACE, "uid": f"uid-{name}", "labels": dict(labels or {})}
    if version:
        meta["labels"]["speechmatics.com/spec-version"] = str(version)
    if owner:
        meta["ownerReferences"] = [{"controller": True, "uid": owner, "kind": "SessionGroup", "name": owner}]
    if stopping:
        meta |= {"deletionTimestamp": stopping[0], "deletionGracePeriodSeconds": stopping[1]}
    conditions = [{"type": "Ready", "status": str(ready)}]
    body = {"phase": "Running", "conditions": conditions} | (status or {})
    return parsed.pod({"metadata": meta, "spec": {**spec, "nodeName": node}, "status": body})


def transcriber(name: str, language: str = "en", **given: Any) -> parsed.Pod:
    spec: dict[str, Any] = {key: given.pop(key) for key in ("capacity", "ping") if key in given}
    if "tag" in given:
        spec["version"] = given.pop("tag")
    given.setdefault("owner", f"group-{language}")
    given.setdefault("version", 1)
    return pod(name, objects.transcriber(language, **spec), labels={"lang": language}, **given)


def workload(kind: str, name: str, spec: Json, lang: str = "", version: int = 0) -> parsed.Workload:
    return parsed.workload(
        kind,
        {
            "metadata": {"name": name, "namespace": SPACE, "uid": name},
            "spec": {"template": {"metadata": {"labels": {"lang": lang} if lang else {}}, "spec": spec}},
            "status": {"specVersion": version} if version else {},
        },
    )


def endpoint_slice(service: str, *pods: str, ready: bool = True) -> Json:
    endpoints = [{"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "uid": f"uid-{name}"}} for name in pods]
    meta = {"namespace": SPACE, "name": f"{service}-1", "labels": {"kubernetes.io/service-name": service}}
    return {"metadata": meta, "endpoints": endpoints}


def nodes(*names: str, cordoned: tuple[str, ...] = (), lost: tuple[str, ...] = ()) -> dict[str, parsed.Node]:
    return {
        name: parsed.node(
            {
                "metadata": {"name": name},
                "spec": {"unschedulable": True} if name in cordoned else {},
                "status": {"conditions": [{"type": "Ready", "status": "False" if name in lost else "True"}]},
            }
        )
        for name in names
    }


def whole(*more: parsed.Pod, version: int = 1, **fields: Any) -> View:
    """A platform with one pod of each part, a group for English and no transcriber; `more` pods beside."""
    base = [
        pod("ingress", objects.ingress_controller(SPACE), labels={"app": "ingress"}),
        pod("proxy-a", objects.proxy(), labels={"app": "proxy"}),
        pod("rm", objects.resource_manager()),
        pod("triton", objects.inference(), owner="group-triton"),
    ]
    groups = [
        workload("SessionGroup", "group-en", objects.transcriber("en"), "en", version),
        workload("SessionGroup", "group-triton", objects.inference()),
        workload("Deployment", "proxy", objects.proxy()),
        workload("Deployment", "resource-manager", objects.resource_manager()),
    ]
    given: dict[str, Any] = {
        "pods": {each.uid: each for each in [*base, *more]},
        "nodes": nodes("n1"),
        "workloads": {each.uid: each for each in groups},
        "services": [objects.service(SPACE, "proxy", 8080, {"app": "proxy"})],
        "slices": [endpoint_slice("proxy", "proxy-a")],
        "ingresses": [objects.ingress(SPACE)],
    }
    return View(**(given | fields))


def without(view: View, *names: str) -> View:
    return dataclasses.replace(view, pods={uid: each for uid, each in view.pods.items() if each.name not in names})


def including(view: View, *pods: parsed.Pod, **fields: Any) -> View:
    return dataclasses.replace(view, pods={**view.pods, **{each.uid: each for each in pods}}, **fields)
