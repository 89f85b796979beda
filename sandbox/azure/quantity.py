"""Kubernetes quantities as whole numbers, and what a pod asks for. Pure."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from sandbox.kube import Json

_SUFFIXES = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
}
_FORM = re.compile(r"([+-]?\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?([numkMGTP]|[KMGTP]i)?")

Amounts = dict[str, Fraction]


def parse(text: str | int | float) -> Fraction:
    """`1500m`, `26Gi`, `0.5`. Raises `ValueError` for what is no quantity."""
    found = _FORM.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = found.groups()
    return Fraction(number) * Fraction(10) ** int(exponent or 0) * _SUFFIXES[suffix or ""]


def gib(text: str) -> int:
    """A size in whole GiB, rounded up as Azure's disks are."""
    return max(1, math.ceil(parse(text) / 2**30))


def amounts(resources: Json | None) -> Amounts:
    return {name: parse(value) for name, value in (resources or {}).items()}


def add(left: Amounts, right: Amounts) -> Amounts:
    return {name: left.get(name, Fraction(0)) + right.get(name, Fraction(0)) for name in left.keys() | right.keys()}


def most(left: Amounts, right: Amounts) -> Amounts:
    return {name: max(left.get(name, Fraction(0)), right.get(name, Fraction(0))) for name in left.keys() | right.keys()}


def fits(asked: Amounts, free: Amounts) -> bool:
    return all(value <= free.get(name, Fraction(0)) for name, value in asked.items() if value)


def pod_requests(pod: Json) -> Amounts:
    """What the scheduler reserves: containers and sidecars together, the largest init step, overhead, one pod."""
    spec = pod["spec"]
    running: Amounts = {}
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or []:
        own = _requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars = add(sidecars, own)
            peak = most(peak, sidecars)
        else:
            peak = most(peak, add(sidecars, own))
    for container in spec["containers"]:
        running = add(running, _requests(container))
    total = most(add(running, sidecars), peak)
    return add(add(total, amounts(spec.get("overhead"))), {"pods": Fraction(1)})


def _requests(container: Json) -> Amounts:
    resources = container.get("resources") or {}
    return amounts((resources.get("limits") or {}) | (resources.get("requests") or {}))
