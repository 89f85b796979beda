"""Where the objects differ from the vendor's on purpose, each with its reason: the only exceptions there are.

A test compares every object with the contract field by field, as the program registers it and as the API server has it.
A difference that is not listed here fails it, and so does one that is listed and no longer there. Every entry says
what ours has at its place: any other value fails as well.

What the contract has with a value that the configuration refuses cannot be compared. It stands in `REFUSED`, and a test
shows that the value is refused.
"""

from __future__ import annotations

from components.speech.differences.control_plane import CONTROL_PLANE
from components.speech.differences.crd import CRD
from components.speech.differences.difference import Added, Difference, Instead, Like, Made, Ours, Which, is_value
from components.speech.differences.everywhere import EVERYWHERE
from components.speech.differences.flow import FLOW
from components.speech.differences.gpu_plugin import GPU_PLUGIN
from components.speech.differences.ingress import INGRESS_CONTROLLER
from components.speech.differences.plain import PLAIN_DEPLOYMENTS
from components.speech.differences.proxy import PROXY
from components.speech.differences.redis import REDIS
from components.speech.differences.redis_nodes import REDIS_NODES
from components.speech.differences.refused import REFUSED
from components.speech.differences.resource_manager_ingress import RESOURCE_MANAGER_INGRESS
from components.speech.differences.secrets import SECRETS
from components.speech.differences.transcription import TRANSCRIPTION

__all__ = ["DIFFERENCES", "REFUSED", "Added", "Difference", "Instead", "Like", "Made", "Ours", "Which", "is_value"]

DIFFERENCES: tuple[Difference, ...] = (
    *EVERYWHERE,
    *CRD,
    *CONTROL_PLANE,
    *RESOURCE_MANAGER_INGRESS,
    *TRANSCRIPTION,
    *PLAIN_DEPLOYMENTS,
    *PROXY,
    *REDIS,
    *REDIS_NODES,
    *FLOW,
    *SECRETS,
    *GPU_PLUGIN,
    *INGRESS_CONTROLLER,
)
"""All that can be compared."""
