"""Versions of everything that is not the vendor's, each with where it comes from and when it was read.

The vendor's own image tags are configuration, with the seed's defaults (`stacks/schema`).
"""

from __future__ import annotations

REDIS_IMAGE = "docker.io/library/redis:7.4.11"
"""The official image: the chart's bitnami one is frozen since 2025-08 and no longer at its place. 7.4 is the newest
line with the protocol and file formats of the chart's 7.0.5 (tags of library/redis, read 2026-11-23)."""

GPU_PLUGIN_IMAGE = "nvcr.io/nvidia/k8s-device-plugin:v0.20.0"
"""NVIDIA/k8s-device-plugin release v0.20.0 of 2026-08-19, which Microsoft's own packages also ship (2026-11-23)."""

INGRESS_CONTROLLER_IMAGE = "docker.io/nginx/nginx-ingress"
"""F5 NGINX Ingress Controller, the open source image. The seed's ingress-nginx has been retired since March 2026."""

INGRESS_CONTROLLER_TAG = "5.5.4"
"""Release of 2026-07-16, tested with Kubernetes 1.29 to 1.36 (docs.nginx.com changelog, read 2026-11-26). 5.6 is newer
and had to mend the quoting of Ingress paths in its first patch."""
