"""Rules of the proxy's Ingress: one host, paths and annotations that the controller takes, certificates that can be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from components.speech.proxy_ingress import OWN_ANNOTATIONS, made_by_cert_manager
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.ingress_annotations import refused_by_our_controller
from stacks.schema import Settings
from stacks.schema.proxy_ingress import SEED_ANNOTATIONS, USE_REGEX

INGRESS = "proxy.ingress"


def one_host(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    ingress = settings.proxy.ingress
    if ingress.hostname and "url" in ingress.model_fields_set and ingress.hostname != ingress.url:
        path = "proxy.ingress.hostname"
        reason = f"it is another name for proxy.ingress.url, which says {ingress.url}"
        yield Problem(path, "two-hosts", reason, remove_command(path))


def ingress_annotations(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What our controller does not read, refuses, or gets from elsewhere. Another one takes what it is given."""
    if not settings.our_ingress:
        return
    for key, value in settings.proxy.ingress.annotations.items():
        reason = _refused(key, value)
        if reason:
            path = f'proxy.ingress.annotations["{key}"]'
            yield Problem(path, "annotation-not-supported", reason, remove_command(path))


def _refused(key: str, value: str) -> str | None:
    if SEED_ANNOTATIONS.get(key, "").strip() == value.strip() != "":
        return None
    if key == USE_REGEX:
        return "the paths are regular expressions"
    if key in OWN_ANNOTATIONS:
        return "it is set by the program: paths are regular expressions, time-outs follow sessions.maxDurationSeconds"
    return refused_by_our_controller(key)


def further_ingresses(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """With our controller one Ingress has the whole host, and nothing carries the others' annotations."""
    ingress = settings.proxy.ingress
    sections = (("health", ingress.health), ("misc", ingress.misc), ("flow.livekit", ingress.flow.livekit))
    for name, section in sections:
        if settings.our_ingress and section.annotations:
            path = f"{INGRESS}.{name}.annotations"
            reason = f"our controller has one Ingress for the host; {INGRESS}.annotations are on it"
            yield Problem(path, "annotation-not-supported", reason, remove_command(path))


def paths(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Our controller refuses the whole Ingress for one path it does not take (docs/explanation/ingress.md)."""
    ingress = settings.proxy.ingress
    given = ((f"{INGRESS}.path", ingress.path), (f"{INGRESS}.flow.path", ingress.flow.path),
             (f"{INGRESS}.flow.livekit.path", ingress.flow.livekit.path))  # fmt: skip
    for path, text in given:
        reason = _bad_path(text)
        if reason:
            yield Problem(path, "path-not-supported", reason, remove_command(path))
    texts = [text for _, text in given]
    for index, (path, text) in enumerate(given):
        if text in texts[:index]:
            yield Problem(path, "path-not-supported", "another path is the same", remove_command(path))


def _bad_path(text: str) -> str | None:
    try:
        re.compile(text)
    except re.error as error:
        return f"it is no regular expression: {error}"
    if any(re.search("[A-Za-z]", braces) for braces in re.findall(r"\{(.*?)\}", text)):
        return "the controller refuses letters in braces"
    if re.search(r"^/etc/|/root|/var|\\n|\\r$", text):
        return "the controller refuses `/root` and `/var` anywhere, and `/etc/` at the front"
    if not re.fullmatch(r'([^"\\]|\\.)*', text) or "%" in text:
        return "the controller writes `%` and quotes wrongly into its own configuration"
    return None


def hosts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The second host is one, and another one."""
    ingress, path = settings.proxy.ingress, f"{INGRESS}.flow.additionalHost.url"
    extra = ingress.flow.additional_host
    if extra.enabled and extra.url is None:
        yield Problem(path, "missing", "the second host is enabled, and has no name", set_command(path, "HOST"))
    if extra.enabled and not ingress.flow.enabled:
        at = f"{INGRESS}.flow.additionalHost.enabled"
        reason = f"the second host has Flow's paths only, and {INGRESS}.flow.enabled is off"
        yield Problem(at, "without-effect", reason, set_command(at, "false"))
    if extra.enabled and extra.url == ingress.host:
        yield Problem(path, "two-hosts", "it is the first host already", set_command(path, "HOST"))


def certificates(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """cert-manager puts a certificate into the Secret that the Ingress names."""
    ingress, path = settings.proxy.ingress, f"{INGRESS}.tls.secretName"
    if ingress.enabled and made_by_cert_manager(ingress.annotations) and ingress.tls.secret_name is None:
        reason = "cert-manager is asked for a certificate, and no Secret is named to put it into"
        yield Problem(path, "missing", reason, set_command(path, "NAME"))


PROXY_INGRESS = (one_host, ingress_annotations, further_ingresses, paths, hosts, certificates)
"""All of them."""
