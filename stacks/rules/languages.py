"""Rules of language codes: which languages there are, and which of those that are deployed clients reach."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from components.speech.discovery_features import DOMAINS, LOCALES
from components.speech.model_costs import LANGUAGES, Recipe, feature, served
from stacks.problem import Problem, remove_command, set_command
from stacks.schema import Settings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.modes import Mode

CODES = LANGUAGES[Recipe.STANDARD_ALL]
"""Every code the vendor's recipes have; no domain is in one."""

LATER = ("ar_en", "cmn_en_ms_ta", "tl")
"""Codes of newer releases (contract: transcription 6 and 12), which an image of another version may have."""

SPECIAL = tuple(f"{code}-{domain}" for code, domains in DOMAINS.items() for domain in domains)
"""Every code with a domain."""

CPU, GPU = (f"transcribers.transcriber.languages.{key}" for key in ("cpuLanguages", "gpuLanguages"))
COMMON, ACCEPTED = "global.transcriber.languages", "resourceManager.config.languages"
ALIKE = 0.8
"""How alike a code with a domain has to be to one that exists to be taken for it (`difflib`)."""


def lists(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every language that is deployed, with its path, in the order in which the lists count."""
    own = settings.transcribers.transcriber.languages
    for path, languages in (
        (CPU, own.cpu_languages),
        (GPU, own.gpu_languages),
        (COMMON, settings.global_.transcriber.languages),
    ):
        yield from ((f"{path}[{index}]", language) for index, language in enumerate(languages))


def exists(settings: Settings, code: str) -> bool:
    """Whether there may be an image of this code: one of the vendor's, or of a language with a server of its own."""
    base, _, domain = code.partition("-")
    custom = settings.inference_server_custom
    own = [custom] if custom.triton_server.recipe == Recipe.CUSTOM.value else []
    if base in CODES:
        return not domain or code in SPECIAL or base in _served(own)
    return code in LATER or base in _served(settings.inference_servers.values())


def _served(servers: Collection[ServerSettings]) -> set[str]:
    return {language for server in servers if server.enabled for language, _ in served(server)}


def _near(code: str) -> str | None:
    """The code that was meant, as far as one can tell."""
    joined = code.replace("-", "_")
    if joined in CODES:
        return joined
    alike = get_close_matches(code, SPECIAL, n=1, cutoff=ALIKE)
    return alike[0] if alike else feature(code) if feature(code) in CODES else None


def no_such_language(path: str, code: str, beside: Sequence[str]) -> Problem:
    """What to say of a code that does not exist; `beside` is the list that it stands in."""
    base, near = feature(code), _near(code)
    mend = remove_command(path) if near is None or near in beside else set_command(path, near)
    there = ", ".join([base, *(each for each in SPECIAL if feature(each) == base)])
    reason = f"the vendor has no {code}" + (f"; of {base} there is {there}" if base in CODES else "")
    locale = next((each for each in LOCALES.get(base, {}) if each.lower() == code), None)
    if locale is not None:
        reason += f", and {locale} is a locale, which clients ask for session by session"
    return Problem(path, "unknown-language", reason, mend)


def accepted(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Clients reach a language that the resource manager accepts and that has transcribers; either alone is none."""
    own, manager = settings.transcribers, settings.resource_manager
    explicit, common = manager.config.languages, settings.global_.transcriber.languages
    unknown = [each for each in explicit or () if not exists(settings, each)]
    for each in unknown:
        yield no_such_language(f"{ACCEPTED}[{(explicit or ()).index(each)}]", each, explicit or ())
    if unknown or not own.enabled or not own.live or manager.mode is Mode.BATCH:
        return
    deployed, listed = own.transcriber.languages.deployed(common), explicit or common
    # a list may hold codes with their domain or without: which of the two is asked for is not known
    reached, able = set(listed), {feature(each) for each in deployed}
    missing = [each for each in deployed if not {each, feature(each)} & reached]
    idle = [each for each in listed if feature(each) not in able]
    if missing:
        path = ACCEPTED if explicit else COMMON
        reason = f"{_have(missing)} transcribers and no place in this list, so no client reaches them"
        yield Problem(path, "language-not-accepted", reason, _added(settings, path, listed, missing))
    if idle:
        reason = f"{_have(idle)} no transcribers, so a client would wait for ever; there is {', '.join(deployed)}"
        # from the end, so that the numbers still count
        places = [ACCEPTED] if len(idle) == len(listed) else [f"{ACCEPTED}[{listed.index(each)}]" for each in idle]
        mend = " && ".join(remove_command(place) for place in reversed(places))
        yield Problem(ACCEPTED, "language-not-deployed", reason, mend)


def _have(languages: Sequence[str]) -> str:
    return f"{languages[0]} has" if len(languages) == 1 else f"{', '.join(languages)} have"


def _added(settings: Settings, path: str, listed: Sequence[str], more: Sequence[str]) -> str:
    """The commands that put languages at the end of a list; a default that no file holds is written first."""
    written = path == ACCEPTED or "languages" in settings.global_.transcriber.model_fields_set
    wanted = list(enumerate([*listed, *more]))[len(listed) if written else 0 :]
    return " && ".join(set_command(f"{path}[{index}]", language) for index, language in wanted)
