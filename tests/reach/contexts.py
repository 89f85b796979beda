"""Configurations in which a key may have an effect: the sandbox's, some with every server, and the happy cases."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any

from operations.keys import ANY_ITEM
from stacks.load import read
from stacks.problem import PROJECT, Problem
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.paths import ANY_KEY
from tests.unit.cases import HAPPY, given, name
from tests.unit.graph import Graph, Json, run_with, stack_config
from tests.unit.variants import SERVERS, all_recipes, talking
from tests.yaml_file import read_yaml

Place = tuple[str | int, ...]
"""Where a value stands: keys and indexes."""


class Removed(Enum):
    """In place of a value: the key is taken out, so that its default counts."""

    KEY = "the key is taken out"


REMOVED = Removed.KEY

WIDE = ("sandbox", "servers", "two generations", "everything.happy")
"""The contexts in each of which every key is looked at that is accepted there: the defaults, every server with scaling
and without, the case with everything."""

UNMEASURED = "en_ta"
"""A language for which the vendor names no resources."""


@dataclass(frozen=True)
class Knob:
    """A key at one place, set to another value."""

    key: str
    place: Place
    value: Any
    together: tuple[tuple[Place, Any], ...] = ()
    """What has to change with it for the whole to be right, by place; alone it is refused or changes nothing."""

    @property
    def puts(self) -> tuple[tuple[Place, Any], ...]:
        """Everything that is set or taken out, by place."""
        return ((self.place, self.value), *self.together)

    @property
    def rest(self) -> Knob | None:
        """What has to change with it by itself, if there is such a thing."""
        if not self.together:
            return None
        (place, value), *more = self.together
        return Knob(self.key, place, value, tuple(more))

    @property
    def whole(self) -> frozenset[int]:
        """Where on the way a list or a map stands, whose items belong together."""
        parts = parts_of(self.key)
        return frozenset(index - 1 for index, part in enumerate(parts) if part in (ANY_ITEM, ANY_KEY))


def parts_of(key: str) -> list[str]:
    """The steps of a key's path, an item of a list being one."""
    return key.replace(ANY_ITEM, f".{ANY_ITEM}").split(".")


class StoppedError(Exception):
    """The program has stopped with a text of its own."""


@dataclass(frozen=True)
class Context:
    """A configuration, right as a whole."""

    name: str
    config: dict[str, Any]
    """By full key, objects parsed."""
    flagged: tuple[str, ...]

    def changed(self, knobs: Iterable[Knob]) -> Context:
        """The same with other values."""
        config = deepcopy(self.config)
        for knob in knobs:
            for place, value in knob.puts:
                _put(config, place, value, knob.whole if place == knob.place else frozenset(), self.dumped)
        return Context(self.name, config, self.flagged)

    @functools.cached_property
    def loaded(self) -> Settings:
        """The settings of a context that is right."""
        settings, problems = self.settings()
        assert settings is not None, (self.name, problems)
        return settings

    @functools.cached_property
    def dumped(self) -> Json:
        """The settings as they load, by full key."""
        shown = self.loaded.model_dump(by_alias=True, mode="json", exclude_none=True)
        return {f"{PROJECT}:{key}": value for key, value in shown.items()}

    @property
    def texts(self) -> dict[str, str]:
        return {key: each if isinstance(each, str) else json.dumps(each) for key, each in self.config.items()}

    @property
    def flags(self) -> list[str]:
        """The keys that hold secrets, those among the changed ones too."""
        more = (key for key in self.config if key.partition(":")[2] in SECRET_KEYS)
        return list(dict.fromkeys([*self.flagged, *more]))

    def settings(self) -> tuple[Settings | None, list[Problem]]:
        return read(self.texts, self.flags)

    def graph(self) -> Graph:
        """What the program registers. Raises `StoppedError` where it stops, as for a Secret that is not there."""
        try:
            return run_with(self.texts, self.flags)
        except SystemExit as stopped:
            raise StoppedError(self.name) from stopped


def _put(config: Json, at: Place, value: Any, whole: frozenset[int], dumped: Json) -> None:
    """Set or remove a value; what is missing on the way is filled in as it loads where its items belong together."""
    place = (f"{PROJECT}:{at[0]}", *at[1:])
    here: Any = config
    shown: Any = dumped
    for position, part in enumerate(place[:-1]):
        shown = shown[int(part)] if isinstance(shown, list) else (shown or {}).get(part)
        if isinstance(here, dict) and here.get(part) is None:
            here[part] = deepcopy(shown) if position in whole else {}
        here = here[part]
    if value is not REMOVED:
        here[place[-1]] = value
    elif isinstance(here, dict):
        here.pop(place[-1], None)


def _parsed(config: dict[str, str], flagged: list[str]) -> dict[str, Any]:
    def parsed(key: str, text: str) -> Any:
        if key in flagged:
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {key: parsed(key, text) for key, text in config.items() if key.startswith(f"{PROJECT}:")}


def _sandbox() -> Context:
    config, flagged = stack_config("sandbox")
    return Context("sandbox", _parsed(config, flagged), tuple(flagged))


def _servers(label: str, languages: Sequence[str] | None = None) -> Context:
    """Every server, and room for all of them; with languages, the servers of others have nothing to do.

    Versions and operating points of such a server are its own. One language has no numbers of its own and no GPU, and
    there are further pools, by the names that the case with everything has.
    """
    context = _sandbox()
    parsed = context.config
    all_recipes(parsed)
    costs = {"customModelCosts": {"en:ensemble_en_enhanced": 20}}
    parsed[f"{PROJECT}:inferenceServerCustom"] = {"enabled": True, "inferenceSidecar": {"registerFeatures": costs}}
    for pool in ("inference", "transcribers", "services"):
        parsed[f"{PROJECT}:pools"][pool][0]["maxCount"] = 60
    if languages is None:
        parsed[f"{PROJECT}:global"]["sessionGroups"] = {"scaling": {"enabled": True}}
    else:
        parsed[f"{PROJECT}:global"]["transcriber"]["languages"] = [*languages, UNMEASURED]
        parsed[f"{PROJECT}:transcribers"] = {"transcriber": {"languages": {"cpuLanguages": [UNMEASURED]}}}
        parsed[f"{PROJECT}:pools"]["further"] = {
            name: {"role": role, "generations": [{"number": 1, "state": "active", "kubernetesVersion": "1.35.4"}]}
            for name, role in (("t4b", "inference"), ("e32", "transcribers"), ("web", "services"))
        }
    return Context(label, parsed, context.flagged)


def _plain() -> Context:
    """Every server and Flow as plain Deployments."""
    context = _servers("plain servers")
    talking(context.config)
    context.config[f"{PROJECT}:global"]["sessionGroups"] = {"enabled": False}
    context.config[f"{PROJECT}:pools"]["inference"][0]["maxCount"] = 60
    return context


def _in_a_vault() -> Context:
    """Every license from a store of kind vault, that of each server by itself; in batch no version is looked for."""
    context = _servers("licenses in a vault")
    parsed = context.config
    del parsed[f"{PROJECT}:licenseJson"]
    parsed[f"{PROJECT}:transcribers"] = {
        "transcriber": {"mode": "batch"},
        "externalSecrets": {"enabled": True, "provider": "vault"},
    }
    for each in (*SERVERS, "Custom"):
        license_ = {"createSecret": True, "secretName": f"license-{each.lower()}"}
        parsed[f"{PROJECT}:inferenceServer{each}"]["tritonServer"] = {"licensing": license_}
    return context


def _two_generations() -> Context:
    """Flow, a generation on standby in every pool, and transcribers whose resources nothing but their own key says."""
    context = _servers("two generations", ["en"])
    parsed = context.config
    talking(parsed)
    pools = parsed[f"{PROJECT}:pools"]
    pools["inference"][0]["maxCount"] = 60
    for generations in (
        *(pools[role] for role in ("inference", "transcribers", "services")),
        *(each["generations"] for each in pools["further"].values()),
    ):
        generations.append({"number": 2, "state": "standby", "kubernetesVersion": "1.35.4"})
    cpu = parsed[f"{PROJECT}:transcribers"]["transcriber"]
    cpu["processors"] = {"cpu": {"resources": {"requests": None}}}
    return context


@functools.cache
def contexts() -> dict[str, Context]:
    """All of them, in the order in which they are tried."""
    found = [_sandbox(), _servers("servers"), _servers("spare servers", ["en"]), _servers("spare recipe 1", ["bg"])]
    found += [_plain(), _in_a_vault(), _two_generations()]
    for path in sorted(HAPPY, key=lambda path: (path.name != "everything.happy.yaml", path.name)):
        config, flagged = given(read_yaml(path))
        found.append(Context(name(path), _parsed(config, flagged), tuple(flagged)))
    return {each.name: each for each in found}
