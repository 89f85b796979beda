"""A small asynchronous client of the API server: JSON in, JSON out, every error a `KubeError`.

The stand-ins need what a provider and a kubelet need and typed clients hide: strict field validation, dry runs,
field managers, the raw `Status` of a refusal, and kinds known only to the server. Transport, TLS and kubeconfig
handling are lightkube's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx2 as httpx
import yaml
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig

Json = dict[str, Any]
DeletePropagation = Literal["Background", "Foreground", "Orphan"]


class KubeError(Exception):
    """A refusal by the API server, with its `Status` (`code` 0: the server could not be reached)."""

    def __init__(self, status: Json) -> None:
        self.status = status
        self.code = int(status.get("code") or 0)
        self.reason = str(status.get("reason") or "")
        self.message = str(status.get("message") or status)
        super().__init__(self.message)


class Kind:
    """One kind as the API server's discovery describes it."""

    def __init__(self, api_version: str, kind: str, plural: str, namespaced: bool) -> None:
        self.api_version, self.kind, self.plural, self.namespaced = api_version, kind, plural, namespaced

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        parts = [root]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


class Kube:
    """A connection to one API server.

    `kubeconfig` is the text of a kubeconfig, a path to one, or its parsed form.
    """

    def __init__(self, kubeconfig: str | Path | Mapping[str, Any], field_manager: str, timeout: float = 30.0) -> None:
        if isinstance(kubeconfig, Path):
            kubeconfig = kubeconfig.read_text()
        parsed = yaml.safe_load(kubeconfig) if isinstance(kubeconfig, str) else dict(kubeconfig)
        config = KubeConfig.from_dict(parsed).get()
        if config is None:
            raise KubeError({"message": "the kubeconfig names no current context"})
        self.field_manager = field_manager
        self.server = str(config.cluster.server)
        self._http = AsyncClient(config, ConnectionParams(timeout=httpx.Timeout(timeout), trust_env=False))
        self._kinds: dict[tuple[str, str], Kind] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    @property
    def closed(self) -> bool:
        return self._http.is_closed

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """One call; the answer's JSON object. Raises `KubeError` for everything but a success."""
        content = None if body is None else json.dumps(body).encode()
        try:
            response = await self._http.request(
                method, path, content=content, params=params, headers={"Content-Type": content_type}
            )
        except httpx.HTTPError as error:
            raise KubeError({"code": 0, "reason": "Unreachable", "message": f"{self.server}: {error!r}"}) from error
        if response.is_success:
            answer = response.json() if response.content.startswith(b"{") else {"text": response.text}
            assert isinstance(answer, dict)
            return answer
        try:
            status = response.json()
        except ValueError:
            status = {"message": response.text}
        raise KubeError({"code": response.status_code, **status})

    async def kind(self, api_version: str, kind: str) -> Kind:
        """The kind's plural and scope, from discovery. Raises `KubeError` (404) when the server has no such kind."""
        key = (api_version, kind)
        if key not in self._kinds:
            root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
            listing = await self.request("GET", root)
            for item in listing["resources"]:
                if "/" not in item["name"]:
                    self._kinds[api_version, item["kind"]] = Kind(
                        api_version, item["kind"], item["name"], item["namespaced"]
                    )
        if key not in self._kinds:
            raise KubeError(
                {
                    "code": 404,
                    "reason": "NotFound",
                    "message": f'no matches for kind "{kind}" in version "{api_version}"',
                }
            )
        return self._kinds[key]

    async def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Json:
        found = await self.kind(api_version, kind)
        return await self.request("GET", found.path(namespace, name))

    async def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Json | None:
        """As `get`, with None for an object that does not exist."""
        try:
            return await self.get(api_version, kind, name, namespace)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Json]:
        found = await self.kind(api_version, kind)
        params = {k: v for k, v in (("labelSelector", labels), ("fieldSelector", fields)) if v}
        answer = await self.request("GET", found.path(namespace), params=params)
        return [{"apiVersion": api_version, "kind": kind, **item} for item in answer["items"]]

    async def create(self, obj: Json, dry_run: bool = False, manager: str | None = None) -> Json:
        """`manager` stands in for the connection's field manager, here and below."""
        found = await self.kind(obj["apiVersion"], obj["kind"])
        params = self._write_params(dry_run, manager)
        return await self.request("POST", found.path(obj["metadata"].get("namespace")), obj, params)

    async def apply(
        self,
        obj: Json,
        dry_run: bool = False,
        force: bool = False,
        subresource: str | None = None,
        manager: str | None = None,
    ) -> Json:
        """Server-side apply of exactly the fields in `obj`. Field conflicts are a `KubeError` (409) unless forced."""
        found = await self.kind(obj["apiVersion"], obj["kind"])
        meta = obj["metadata"]
        params = self._write_params(dry_run, manager) | {"force": "true" if force else "false"}
        path = found.path(meta.get("namespace"), meta["name"], subresource)
        return await self.request("PATCH", path, obj, params, "application/apply-patch+yaml")

    async def merge(
        self,
        api_version: str,
        kind: str,
        name: str,
        patch: Json,
        namespace: str | None = None,
        subresource: str | None = None,
    ) -> Json:
        """A JSON merge patch (None deletes a key, lists are replaced whole)."""
        found = await self.kind(api_version, kind)
        path = found.path(namespace, name, subresource)
        return await self.request("PATCH", path, patch, self._write_params(False), "application/merge-patch+json")

    async def replace(
        self, obj: Json, subresource: str | None = None, dry_run: bool = False, manager: str | None = None
    ) -> Json:
        found = await self.kind(obj["apiVersion"], obj["kind"])
        meta = obj["metadata"]
        path = found.path(meta.get("namespace"), meta["name"], subresource)
        return await self.request("PUT", path, obj, self._write_params(dry_run, manager))

    async def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        propagation: DeletePropagation = "Background",
        grace_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Json | None:
        """Ask for a deletion; None when the object was not there. It may live on while finalizers or a grace hold.

        With `uid` or `resource_version` only that very object, or that state of it, is deleted; else `KubeError` 409.
        """
        found = await self.kind(api_version, kind)
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v is not None}
        if preconditions:
            options["preconditions"] = preconditions
        try:
            return await self.request("DELETE", found.path(namespace, name), options)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    async def evict(self, name: str, namespace: str, grace_seconds: int | None = None) -> None:
        """Ask the API server to evict a pod; a budget that allows no disruption answers `KubeError` 429.

        `grace_seconds` stands in for the pod's own grace.
        """
        body: Json = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        if grace_seconds is not None:
            body["deleteOptions"] = {"gracePeriodSeconds": grace_seconds}
        await self.request("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)

    async def watch(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[tuple[str, Json], None]:
        """Every object as `("ADDED", object)`, then `("SYNCED", <the list's metadata>)`, then changes for ever.

        Lost connections and expired versions start over with a fresh list: objects may be reported again, and
        `("RESYNC", {})` says that a new list begins (what it does not repeat is gone). Raises `KubeError` when the
        server says that the caller may not list or watch.
        """
        found = await self.kind(api_version, kind)
        selectors = {k: v for k, v in (("labelSelector", labels), ("fieldSelector", fields)) if v}
        first = True
        while True:
            try:
                listing = await self.request("GET", found.path(namespace), params=selectors)
            except KubeError as error:
                if error.code in (401, 403):
                    raise
                await asyncio.sleep(0.5)
                continue
            if not first:
                yield "RESYNC", {}
            first = False
            for item in listing["items"]:
                yield "ADDED", {"apiVersion": api_version, "kind": kind, **item}
            yield "SYNCED", listing["metadata"]
            version = listing["metadata"]["resourceVersion"]
            params = selectors | {"watch": "true", "resourceVersion": version, "timeoutSeconds": "300"}
            try:
                async with self._http.stream(
                    "GET", found.path(namespace), params=params, timeout=httpx.Timeout(30, read=330)
                ) as response:
                    if response.status_code in (401, 403):
                        raise KubeError(json.loads(await response.aread()))
                    if not response.is_success:
                        await asyncio.sleep(0.5)
                        continue
                    async for line in response.aiter_lines():
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        yield event["type"], event["object"]
            except (httpx.HTTPError, ValueError):
                await asyncio.sleep(0.5)

    def _write_params(self, dry_run: bool, manager: str | None = None) -> dict[str, str]:
        params = {"fieldManager": manager or self.field_manager, "fieldValidation": "Strict"}
        return params | {"dryRun": "All"} if dry_run else params
