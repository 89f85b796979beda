"""Rules between fields: pure functions of the settings, each yielding what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from stacks.problem import Problem
from stacks.rules.clocks import clocks
from stacks.rules.control_plane import budget, controller, known_selectors, monitors, pod_selectors
from stacks.rules.data_plane import DATA_PLANE
from stacks.rules.fit import FIT
from stacks.rules.flow import FLOW
from stacks.rules.gpu import drivers
from stacks.rules.ingress import ingress_namespace
from stacks.rules.ingress_hosts import own_hosts
from stacks.rules.languages import accepted
from stacks.rules.lists import ENTRIES
from stacks.rules.models import added_models, custom_languages, images, unread_costs
from stacks.rules.names import NAMES
from stacks.rules.networks import networks
from stacks.rules.node_labels import node_labels
from stacks.rules.plain import PLAIN
from stacks.rules.pools import (
    counts,
    further_drivers,
    local_disks,
    one_active_generation,
    own_numbers,
    places,
    pool_versions,
    room_for_surge,
)
from stacks.rules.proxy import PROXY
from stacks.rules.redis import REDIS
from stacks.rules.redis_conf import redis_conf
from stacks.rules.resource_manager_ingress import RESOURCE_MANAGER_INGRESS
from stacks.rules.secrets import secrets
from stacks.rules.speech import custom_models, languages, operating_points, pre_warm, session_capacity
from stacks.rules.volumes import volumes
from stacks.schema import Settings
from stacks.schema.base import UnreadError

Rule = Callable[[Settings, Collection[str]], Iterator[Problem]]
"""Settings and the secret keys that have content → what is wrong."""

RULES: tuple[Rule, ...] = (
    places,
    node_labels,
    one_active_generation,
    own_numbers,
    counts,
    room_for_surge,
    local_disks,
    drivers,
    further_drivers,
    *FIT,
    pool_versions,
    networks,
    languages,
    accepted,
    pre_warm,
    operating_points,
    custom_models,
    custom_languages,
    images,
    added_models,
    unread_costs,
    session_capacity,
    *NAMES,
    *ENTRIES,
    volumes,
    ingress_namespace,
    secrets,
    monitors,
    pod_selectors,
    known_selectors,
    budget,
    controller,
    *RESOURCE_MANAGER_INGRESS,
    own_hosts,
    *DATA_PLANE,
    *PLAIN,
    *PROXY,
    *REDIS,
    redis_conf,
    *FLOW,
    clocks,
)


def check(settings: Settings, present: Collection[str]) -> list[Problem]:
    """Everything wrong between fields; `present` are the secret keys with content.

    Where fields could not be read (`stacks.remains`), a rule is heard until it asks for one of them: what it said
    before is so whatever stands there, and nothing is said that follows only from their absence.
    """
    return [problem for rule in RULES for problem in _heard(rule(settings, present))]


def _heard(found: Iterator[Problem]) -> Iterator[Problem]:
    with suppress(UnreadError):
        yield from found
