"""Pieces of a pod that are passed on whole, such as a volume or an affinity, in the Kubernetes API's own words.

They are checked here against the SDK's types, because nothing later would: the pod template of a SessionGroup is part
of a custom resource, in which the API server drops fields it does not know.
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pulumi._types import input_type_py_to_pulumi_names, input_type_types, is_input_type
from pulumi_kubernetes import core
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

Fragment = dict[str, Any]


class Wrong(NamedTuple):
    """What the API would not take."""

    at: tuple[str | int, ...]
    says: str
    wanted: type | None = None
    """The type of a plain value, where there should be one."""

    @property
    def text(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.at).removeprefix(".")
        return f"`{where}` {self.says}" if where else self.says


def wrong(kind: Any, given: Any, at: tuple[str | int, ...] = ()) -> Iterator[Wrong]:
    """What the API would not take of a value at a path, `kind` being the SDK's type of it."""
    if get_origin(kind) in (Union, UnionType):
        kinds = [each for each in get_args(kind) if _settled(each)]
        if all(list(wrong(each, given, at)) for each in kinds):
            yield from wrong(kinds[0], given, at)
    elif is_input_type(kind):
        if not isinstance(given, dict):
            yield Wrong(at, "should be an object")
            return
        yield from _object(kind, given, at)
    elif get_origin(kind) is Sequence:
        if not isinstance(given, list):
            yield Wrong(at, "should be a list")
            return
        for index, each in enumerate(given):
            yield from wrong(get_args(kind)[0], each, (*at, index))
    elif get_origin(kind) is Mapping:
        if not isinstance(given, dict):
            yield Wrong(at, "should be an object")
            return
        for key, each in given.items():
            yield from wrong(get_args(kind)[1], each, (*at, key))
    elif kind in (str, int, bool, float) and type(given) is not kind:
        yield Wrong(at, f"should be {_NOUN[kind]}", kind)


_NOUN = {str: "text (quote it)", int: "a whole number", bool: "true or false", float: "a number"}


def _settled(kind: Any) -> bool:
    """Whether a member of an input's union is a plain value, not one that is still to come."""
    return get_origin(kind) in (Sequence, Mapping) or is_input_type(kind) or kind in _NOUN


def _object(kind: type, given: Mapping[str, Any], at: tuple[str | int, ...]) -> Iterator[Wrong]:
    fields, required = _shape(kind)
    for key, value in given.items():
        if key in fields:
            yield from wrong(fields[key], value, (*at, key))
            continue
        near = get_close_matches(key, fields, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else ""
        yield Wrong((*at, key), f"is no field of the Kubernetes API{meant}")
    for name in required:
        if name not in given:
            yield Wrong((*at, name), "is missing")


@functools.cache
def _shape(kind: type) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The types of an object's fields, and those it must have: looked up once, as it takes longer than a check."""
    names = input_type_py_to_pulumi_names(kind)
    parameters = inspect.signature(kind).parameters.values()
    needed = [each.name for each in parameters if each.default is inspect.Parameter.empty]
    return input_type_types(kind), tuple(names.get(name, name) for name in needed)


def _refused(found: Wrong) -> PydanticCustomError:
    context = {"problem": found.text, "at": found.at, "wanted": found.wanted}
    return PydanticCustomError("not_kubernetes", "{problem}", context)


def _checked(kind: Any, beside: Fragment | None = None) -> AfterValidator:
    """A value the SDK's type takes, together with the fields that are added to it."""

    def check(given: Fragment) -> Fragment:
        own = beside or {}
        fixed = (Wrong((key,), f"is the program's, {own[key]}") for key in given.keys() & own.keys())
        found = next(fixed, None) or next(wrong(kind, given | own), None)
        if found is not None:
            raise _refused(found)
        return given

    return AfterValidator(check)


def laid_over(default: Fragment) -> BeforeValidator:
    """What is given is laid over the default key by key, as Helm does with values; null takes a key away."""
    return BeforeValidator(lambda given: merged(default, given))


def merged(base: Any, given: Any) -> Any:
    """One value laid over another as Helm does, in maps of its own; null takes a key away."""
    if not (isinstance(base, dict) and isinstance(given, dict)):
        return copy.deepcopy(given)
    both = {key: merged(base.get(key), given[key]) if key in given else base[key] for key in {**base, **given}}
    return copy.deepcopy({key: value for key, value in both.items() if value is not None})


OWN_NODE_LABELS = "sm-realtime/"
"""Begin of the node labels by which pools and workloads find each other."""


def _within_the_pool(given: Fragment) -> Fragment:
    at = next(_own_labels(given.get("nodeAffinity"), ("nodeAffinity",)), None)
    if at is not None:
        raise _refused(Wrong(at, f"is the program's: by labels of {OWN_NODE_LABELS} pods find their pool"))
    return given


def _own_labels(part: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where expressions name a label of the program's."""
    steps: list[tuple[str | int, Any]] = []
    if isinstance(part, dict):
        if str(part.get("key")).startswith(OWN_NODE_LABELS):
            yield (*at, "key")
        steps = list(part.items())
    elif isinstance(part, list):
        steps = list(enumerate(part))
    for step, value in steps:
        yield from _own_labels(value, (*at, step))


Affinity = Annotated[Fragment, _checked(core.v1.AffinityArgs), AfterValidator(_within_the_pool)]
"""Where a pod would rather run, within its pool."""

AntiAffinityTerm = Annotated[Fragment, _checked(core.v1.PodAffinityTermArgs | core.v1.WeightedPodAffinityTermArgs)]
"""What a pod stays away from: a required term, or a preferred one with its weight."""

EnvEntry = Annotated[Fragment, _checked(core.v1.EnvVarArgs)]
"""A variable of a container, with a value or a source of it."""

PodSecurityContext = Annotated[Fragment, _checked(core.v1.PodSecurityContextArgs)]
"""What the processes of a pod may do."""

ProbeFragment = Annotated[Fragment, _checked(core.v1.ProbeArgs)]
"""A probe."""

AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|[KMGT]i|[MGT])?")


def _amounts(given: Fragment) -> Fragment:
    for kind in ("requests", "limits"):
        for name, amount in (given.get(kind) or {}).items():
            if not AMOUNT.fullmatch(amount):
                raise _refused(Wrong((kind, name), "should be an amount such as `500m` or `5Gi`"))
    return given


ResourceRequirements = Annotated[Fragment, _checked(core.v1.ResourceRequirementsArgs), AfterValidator(_amounts)]
"""What a container asks for and what it may take, GPUs included."""

SharedSecurityContext = Annotated[
    Fragment, _checked(core.v1.PodSecurityContextArgs), _checked(core.v1.SecurityContextArgs)
]
"""What pod and container both take."""

SecurityContext = Annotated[Fragment, _checked(core.v1.SecurityContextArgs)]
"""What the processes of a container may do."""


def _tolerates(given: Fragment) -> Fragment:
    """What the API server asks of a toleration beside its types (its validation of pods)."""
    operator = given.get("operator") or "Equal"
    if operator not in ("Exists", "Equal"):
        raise _refused(Wrong(("operator",), "should be Exists or Equal"))
    if operator == "Exists" and given.get("value"):
        says = "is no field beside `operator: Exists`, which tolerates any value: Kubernetes refuses the pod"
        raise _refused(Wrong(("value",), says))
    if operator == "Equal" and not given.get("key"):
        raise _refused(Wrong(("operator",), "should be Exists without a `key`: Kubernetes refuses the pod"))
    if given.get("effect", "") not in ("", "NoSchedule", "PreferNoSchedule", "NoExecute"):
        raise _refused(Wrong(("effect",), "should be NoSchedule, PreferNoSchedule or NoExecute"))
    if "tolerationSeconds" in given and given.get("effect") != "NoExecute":
        raise _refused(Wrong(("effect",), "should be NoExecute beside `tolerationSeconds`: Kubernetes refuses the pod"))
    return given


Toleration = Annotated[Fragment, _checked(core.v1.TolerationArgs), AfterValidator(_tolerates)]
"""A taint that does not keep a pod away."""


def _refuse(problem: str) -> None:
    raise PydanticCustomError("not_kubernetes", "{problem}", {"problem": problem})


def _one_source(given: Fragment) -> Fragment:
    sources = sorted(given.keys() - {"name"})
    if len(sources) > 1:
        _refuse(f"a volume has one source, not {' and '.join(sources)}")
    return given


def _named(given: Fragment) -> Fragment:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", given["name"]):
        _refuse("`name` should be at most 63 lower case letters, digits and -, no - at either end")
    return given


def _path(given: Fragment) -> Fragment:
    if not given["mountPath"] or ":" in given["mountPath"]:
        _refuse("`mountPath` should have no colon, and not be empty")
    return given


Volume = Annotated[Fragment, _checked(core.v1.VolumeArgs), AfterValidator(_named), AfterValidator(_one_source)]
"""A volume of a pod."""

VolumeSource = Annotated[Fragment, _checked(core.v1.VolumeArgs, {"name": "cache"}), AfterValidator(_one_source)]
"""A volume of a pod without its name."""

VolumeMount = Annotated[Fragment, _checked(core.v1.VolumeMountArgs), AfterValidator(_path)]
"""Where a container sees a volume."""
