"""A pod's volumes, mounted as a kubelet mounts them: what is missing is refused, what is there can be read by exec."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from sandbox.kube import Json
from sandbox.nodes import environment
from sandbox.nodes.world import World

Files = dict[str, bytes]
"""Contents by path relative to the volume."""


class MountError(Exception):
    """Why a volume cannot be set up, in a kubelet's words."""


class NotAttachedError(Exception):
    """The volume cannot be set up before something else has happened; a kubelet waits and says so after a while."""


def _pick(data: Mapping[str, bytes], items: list[Json] | None, missing: str, optional: bool) -> Files:
    """The files of a Secret or ConfigMap: all its keys, or the items asked for."""
    if not items:
        return dict(data)
    found: Files = {}
    for item in items:
        if item["key"] in data:
            found[item["path"]] = data[item["key"]]
        elif not optional:
            raise MountError(f"{missing}: {item['key']}")
    return found


class Mounter:
    """Mounts the volumes of one pod."""

    def __init__(self, world: World, pod: Json, pod_ip: str) -> None:
        self._world, self._pod, self._pod_ip = world, pod, pod_ip
        self._namespace: str = pod["metadata"]["namespace"]
        self._node: str = pod["spec"]["nodeName"]

    async def mount(self, volume: Json) -> Files:
        """What is in the volume now.

        Raises `MountError`, `NotAttachedError`, and `KubeError` when the API server does not answer.
        """
        match volume:
            case {"secret": source}:
                optional = bool(source.get("optional"))
                return await self._secret(source["secretName"], source.get("items"), optional)
            case {"configMap": source}:
                optional = bool(source.get("optional"))
                return await self._config_map(source["name"], source.get("items"), optional)
            case {"projected": source}:
                return await self._projected(source)
            case {"downwardAPI": source}:
                return self._downward(source.get("items") or [])
            case {"emptyDir": _} | {"hostPath": _}:
                return {}
            case {"persistentVolumeClaim": source}:
                await self._claim(source["claimName"])
                return {}
        kind = next((key for key in volume if key != "name"), "none")
        raise MountError(f"no volume plugin matched: the node stand-in does not know volumes of type {kind}")

    async def _secret(self, name: str, items: list[Json] | None, optional: bool) -> Files:
        found = await self._world.secret(self._namespace, name)
        if found is None:
            if optional:
                return {}
            raise MountError(f'secret "{name}" not found')
        data = {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
        return _pick(data, items, "references non-existent secret key", optional)

    async def _config_map(self, name: str, items: list[Json] | None, optional: bool) -> Files:
        found = await self._world.config_map(self._namespace, name)
        if found is None:
            if optional:
                return {}
            raise MountError(f'configmap "{name}" not found')
        data = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        data |= {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
        return _pick(data, items, "configmap references non-existent config key", optional)

    def _downward(self, items: list[Json]) -> Files:
        host_ip = self._world.host_ip(self._node)
        found: Files = {}
        for item in items:
            if "fieldRef" not in item:
                raise MountError("the node stand-in does not know resources in a downwardAPI volume")
            path = item["fieldRef"]["fieldPath"]
            if path in ("metadata.labels", "metadata.annotations"):
                pairs = self._pod["metadata"].get(path.removeprefix("metadata.")) or {}
                text = "\n".join(f'{key}="{value}"' for key, value in sorted(pairs.items()))
            else:
                try:
                    text = environment.field(self._pod, path, self._pod_ip, host_ip)
                except environment.ConfigError as error:
                    raise MountError(str(error)) from error
            found[item["path"]] = text.encode()
        return found

    async def _projected(self, source: Json) -> Files:
        found: Files = {}
        for part in source.get("sources") or []:
            match part:
                case {"secret": one}:
                    found |= await self._secret(one["name"], one.get("items"), bool(one.get("optional")))
                case {"configMap": one}:
                    found |= await self._config_map(one["name"], one.get("items"), bool(one.get("optional")))
                case {"downwardAPI": one}:
                    found |= self._downward(one.get("items") or [])
                case {"serviceAccountToken": one}:
                    # nothing in a simulated pod calls the API server with it
                    found[one["path"]] = b""
                case _:
                    raise MountError(f"the node stand-in does not know the projected source {', '.join(part)}")
        return found

    async def _claim(self, name: str) -> None:
        """A PersistentVolumeClaim is bound, and its disk attached to this node. Raises `NotAttachedError`."""
        kube = self._world.kube
        claim = await kube.find("v1", "PersistentVolumeClaim", name, self._namespace)
        about = f"error processing PVC {self._namespace}/{name}"
        if claim is None:
            raise NotAttachedError(
                f'{about}: failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found'
            )
        if claim.get("status", {}).get("phase") != "Bound":
            raise NotAttachedError(f"{about}: PVC is not bound")
        disk = await kube.find("v1", "PersistentVolume", claim["spec"]["volumeName"])
        if disk is None:
            raise NotAttachedError(
                f"{about}: failed to find PV {claim['spec']['volumeName']!r} in PersistentVolumeInformer"
            )
        if "csi" in disk["spec"] and await self._attaches(disk["spec"]["csi"]["driver"]):
            await self._attached(disk["metadata"]["name"])

    async def _attaches(self, driver: str) -> bool:
        """Whether disks of this driver must be attached; a driver without CSIDriver object does so by default."""
        found = await self._world.kube.find("storage.k8s.io/v1", "CSIDriver", driver)
        return found is None or found["spec"].get("attachRequired", True) is not False

    async def _attached(self, disk: str) -> None:
        """Raises `NotAttachedError` until a VolumeAttachment of the disk to this node says that it is done."""
        for attachment in await self._world.kube.list("storage.k8s.io/v1", "VolumeAttachment"):
            spec = attachment["spec"]
            here = spec["nodeName"] == self._node and spec["source"].get("persistentVolumeName") == disk
            if here and attachment.get("status", {}).get("attached"):
                return
        raise NotAttachedError("timed out waiting for the condition")


def files_of(container: Json, volumes: Mapping[str, Files]) -> tuple[Files, set[str]]:
    """What exec finds in a container: contents by absolute path, and the folders that are mounted.

    A `subPath` that its volume lacks becomes an empty folder, as a kubelet makes it.
    """
    files: Files = {}
    folders: set[str] = set()
    for mount in container.get("volumeMounts") or []:
        volume, at = volumes[mount["name"]], mount["mountPath"].rstrip("/") or "/"
        sub = (mount.get("subPath") or "").strip("/")
        if sub and sub in volume:
            files[at] = volume[sub]
            continue
        folders.add(at)
        prefix = f"{sub}/" if sub else ""
        for path, content in volume.items():
            if path.startswith(prefix):
                files[f"{at}/{path.removeprefix(prefix)}"] = content
    return files, folders
