"""The files the controller writes, by the rules of `docs/reference/ingress-stand-in.md`; the program's objects."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.cluster.ingress_controller import READ_TIMEOUT, SEND_TIMEOUT, WORKER_SHUTDOWN, configuration
from components.speech import proxy_ingress
from sandbox.hosted.host import RefusedError
from sandbox.ingress.rendering import MAIN, Objects, Place, Rendered, rendered, version
from tests.edge.platform import (
    FLOW_HOST,
    PROMISED,
    Change,
    Json,
    Platform,
    all_of,
    as_it_is,
    in_map,
    platform,
    with_arguments,
    without_annotation,
    without_tls,
)

PLACE = Place("0.0.0.0", 80, 443, "/etc/nginx", "/var/lib/nginx")
MINUTE, PROMISE = {60.0}, {float(PROMISED)}


@pytest.fixture(scope="module")
def programs() -> Platform:
    return platform()


def made(programs: Platform, change: Change = as_it_is) -> Rendered:
    return rendered(change(programs.objects), PLACE)


def entry(programs: Platform, change: Change = as_it_is) -> str:
    """The one file of the Ingress."""
    files = made(programs, change).files
    (name,) = [each for each in files if each.startswith("conf.d/")]
    return files[name]


def test_every_clock_of_the_objects_is_nginxs(programs: Platform) -> None:
    said = configuration(PROMISED)
    assert {said[key] for key in (WORKER_SHUTDOWN, READ_TIMEOUT, SEND_TIMEOUT)} == {f"{PROMISED}s"}
    clocks = made(programs).clocks
    assert clocks["worker_shutdown_timeout"] == clocks["proxy_read_timeout"] == clocks["proxy_send_timeout"] == PROMISE


@pytest.mark.parametrize(
    ("key", "annotation", "directive"),
    [
        (READ_TIMEOUT, proxy_ingress.READ_TIMEOUT, "proxy_read_timeout"),
        (SEND_TIMEOUT, proxy_ingress.SEND_TIMEOUT, "proxy_send_timeout"),
    ],
)
def test_the_annotation_goes_before_the_key_and_the_key_before_a_minute(
    programs: Platform, key: str, annotation: str, directive: str
) -> None:
    dashed = key.replace("-", "_")
    without = without_annotation(annotation)
    assert made(programs, in_map(**{dashed: "7s"})).clocks[directive] == PROMISE
    assert made(programs, all_of(without, in_map(**{dashed: "7s"}))).clocks[directive] == {7.0}
    assert made(programs, all_of(without, in_map(**{dashed: None}))).clocks[directive] == MINUTE


def test_without_its_key_old_workers_have_no_limit(programs: Platform) -> None:
    assert "worker_shutdown_timeout" not in made(programs, in_map(worker_shutdown_timeout=None)).files[MAIN]


def test_other_clocks_are_the_controllers_defaults(programs: Platform) -> None:
    clocks = made(programs).clocks
    assert clocks["proxy_connect_timeout"] == MINUTE
    assert clocks["keepalive_timeout"] == {75.0}


def test_only_a_run_divides_and_leaves_no_clock_out(programs: Platform) -> None:
    one = made(programs)
    divided = replace(one, files=one.divided(60))
    assert divided.clocks == {name: {each / 60 for each in found} for name, found in one.clocks.items()}
    left = {line.strip().split()[0] for text in one.files.values() for line in text.splitlines() if "timeout" in line}
    assert left - one.clocks.keys() == {"server"}, "fail_timeout, which cuts nobody"


def test_locations_are_the_paths_in_their_order_as_expressions_without_case(programs: Platform) -> None:
    rules = programs.objects.ingresses[0]["spec"]["rules"]
    paths = [path["path"] for rule in rules for path in rule["http"]["paths"]]
    assert re.findall(r"location (.*) \{$", entry(programs), re.MULTILINE) == [f'~* "^{path}"' for path in paths]


def test_without_a_regular_expression_a_path_is_written_as_it_is(programs: Platform) -> None:
    def plain(objects: Objects) -> Objects:
        changed = without_annotation(proxy_ingress.PATH_REGEX)(objects)
        (ingress,) = changed.ingresses
        (first, _) = ingress["spec"]["rules"]
        first["http"]["paths"] = [{**first["http"]["paths"][0], "path": "/v2", "pathType": kind}
                                  for kind in ("Exact", "Prefix")]  # fmt: skip
        ingress["spec"]["rules"] = [first]
        return changed

    assert re.findall(r"location (.*) \{$", entry(programs, plain), re.MULTILINE) == ["= /v2", "/v2"]


def test_the_websocket_annotation_passes_the_upgrade_on_in_every_location(programs: Platform) -> None:
    lines = ("proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;")
    with_it, without = entry(programs), entry(programs, without_annotation(proxy_ingress.WEBSOCKET_SERVICES))
    for line in lines:
        assert with_it.count(line) == with_it.count("location ") > 1
        assert line not in without


def test_snippets_stand_at_their_level(programs: Platform) -> None:
    data, files = programs.objects.config_map, made(programs).files
    assert data["http-snippets"] in files[MAIN]
    text = entry(programs)
    assert text.count(data["server-snippets"]) == text.count("server_name ") == 2
    first = data["location-snippets"].splitlines()[0]
    assert text.count(first) == text.count("location ")
    assert text.index(data["server-snippets"]) < text.index("location ") < text.index(first)


def endpoint(address: str, ready: bool = True) -> Json:
    return {"addresses": [address], "conditions": {"ready": ready}}


def sliced(programs: Platform, **changes: Any) -> Change:
    one = {**programs.slice([]), "endpoints": [endpoint("10.1.0.2"), endpoint("10.1.0.1"), endpoint("10.1.0.3", False)]}
    return lambda objects: replace(objects, slices=[{**one, **changes}])


def targets(programs: Platform, change: Change) -> list[list[str]]:
    """The servers of each upstream."""
    pools = re.findall(r"^upstream .*?^\}", entry(programs, change), re.MULTILINE | re.DOTALL)
    return [re.findall(r"server (\S+) ", pool) for pool in pools]


def test_ready_endpoints_are_the_upstreams_servers(programs: Platform) -> None:
    port = programs.port
    assert targets(programs, sliced(programs)) == [[f"10.1.0.1:{port}", f"10.1.0.2:{port}"]] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda programs: as_it_is,
        lambda programs: sliced(programs, ports=[{"name": "other", "port": 1}]),
        lambda programs: sliced(programs, metadata={"namespace": "other", "labels": {}}),
        lambda programs: all_of(sliced(programs), lambda objects: replace(objects, services=())),
    ],
    ids=["no-slice", "another-port", "another-service", "no-service"],
)
def test_without_an_endpoint_an_upstream_has_one_address_that_nobody_listens_on(
    programs: Platform, change: Callable[[Platform], Change]
) -> None:
    assert targets(programs, change(programs)) == [["127.0.0.1:8181"]] * 2


def test_an_upstream_is_named_after_ingress_host_service_and_port(programs: Platform) -> None:
    text, meta = entry(programs), programs.service["metadata"]
    port = programs.service["spec"]["ports"][0]["port"]
    names = [f"{meta['namespace']}-proxy-{host}-{meta['name']}-{port}" for host in (programs.host, FLOW_HOST)]
    assert re.findall(r"^upstream (\S+) ", text, re.MULTILINE) == sorted(names)
    assert set(re.findall(r"proxy_pass http://(\S+);", text)) == set(names)


def named(secret: str) -> Change:
    """The first host with a Secret of its own name."""

    def change(objects: Objects) -> Objects:
        changed = copy.deepcopy(list(objects.ingresses))
        changed[0]["spec"]["tls"][0]["secretName"] = secret
        namespace = changed[0]["metadata"]["namespace"]
        (theirs,) = [each for each in objects.secrets if each["metadata"]["name"] == "nginx-default-tls"]
        there = {**theirs, "metadata": {"namespace": namespace, "name": "there"}}
        wrong = {**there, "metadata": {"namespace": namespace, "name": "wrong"}, "type": "Opaque"}
        watched = (*objects.arguments.secrets_watched, namespace)
        reading = replace(objects.arguments, secrets_watched=watched)
        return replace(objects, arguments=reading, ingresses=changed, secrets=[*objects.secrets, there, wrong])

    return change


def test_a_named_certificate_is_a_file_with_certificate_and_key(programs: Platform) -> None:
    one = made(programs, named("there"))
    namespace = programs.service["metadata"]["namespace"]
    pem = one.files[f"secrets/{namespace}-there"]
    assert pem.index("BEGIN CERTIFICATE") < pem.index("PRIVATE KEY")
    text = entry(programs, named("there"))
    assert text.count(f"ssl_certificate /etc/nginx/secrets/{namespace}-there;") == 1
    assert text.count("ssl_certificate /etc/nginx/secrets/wildcard;") == 1


@pytest.mark.parametrize(
    ("change", "rejecting"),
    [
        (as_it_is, 0),
        (named("missing"), 1),
        (named("wrong"), 1),
        (with_arguments(wildcard_secret=None), 2),
        (with_arguments(secrets_watched=("elsewhere",)), 2),
        (without_tls, 0),
    ],
    ids=["as-it-is", "missing", "of-another-type", "no-wildcard", "not-watched", "no-tls"],
)
def test_a_host_without_a_certificate_refuses_the_handshake(programs: Platform, change: Change, rejecting: int) -> None:
    text = entry(programs, change)
    assert text.count("ssl_reject_handshake on;") == rejecting
    assert text.count("listen 0.0.0.0:443 ssl;") == (0 if change is without_tls else 2)


def test_the_default_server_refuses_without_its_secret(programs: Platform) -> None:
    refuses = "ssl_reject_handshake on;"
    assert refuses not in made(programs).files[MAIN]
    assert refuses in made(programs, with_arguments(default_secret=None)).files[MAIN]


def test_a_certificate_that_is_no_text_is_none(programs: Platform) -> None:
    def spoilt(objects: Objects) -> Objects:
        data = {"tls.crt": base64.b64encode(b"\xff").decode(), "tls.key": ""}
        return replace(objects, secrets=[{**each, "data": data} for each in objects.secrets])

    assert "ssl_reject_handshake on;" in made(programs, spoilt).files[MAIN]


@pytest.mark.parametrize(
    "change",
    [with_arguments(watched=("elsewhere",)), with_arguments(ingress_class="other")],
    ids=["namespace", "class"],
)
def test_ingresses_of_others_are_not_written(programs: Platform, change: Change) -> None:
    assert not [each for each in made(programs, change).files if each.startswith("conf.d/")]


def test_the_level_of_the_log_is_the_maps(programs: Platform) -> None:
    assert "error_log stderr notice;" in made(programs).files[MAIN]
    assert "error_log stderr info;" in made(programs, in_map(error_log_level="info")).files[MAIN]


@pytest.mark.parametrize("wrong", [in_map(worker_shutdown_timeout="soon"), in_map(error_log_level="loud")])
def test_what_the_stand_in_refuses_is_refused_here(programs: Platform, wrong: Change) -> None:
    with pytest.raises(RefusedError):
        made(programs, wrong)


def test_a_minions_upstream_has_its_own_name(programs: Platform) -> None:
    def split(objects: Objects) -> Objects:
        (one,) = copy.deepcopy(list(objects.ingresses))
        one["spec"]["rules"] = one["spec"]["rules"][:1]
        minion = copy.deepcopy(one)
        kind = "nginx.org/mergeable-ingress-type"
        one["metadata"]["annotations"] = {kind: "master"}
        del one["spec"]["rules"][0]["http"]
        minion["metadata"]["name"], minion["metadata"]["annotations"][kind] = "minion", "minion"
        minion["metadata"]["uid"] = "2"
        del minion["spec"]["tls"]
        return replace(objects, ingresses=[one, minion])

    text, meta = entry(programs, split), programs.service["metadata"]
    port = programs.service["spec"]["ports"][0]["port"]
    assert re.findall(r"^upstream (\S+) ", text, re.MULTILINE) == [
        f"{meta['namespace']}-minion-{programs.host}-{meta['name']}-{port}"
    ]
    assert 'location ~* "^/v1/health" {' in text


def test_the_version_is_what_a_worker_answers(programs: Platform) -> None:
    text = version(7, PLACE)
    assert "listen unix:/var/lib/nginx/nginx-config-version.sock;" in text
    assert "return 200 7;" in text
    assert "include /etc/nginx/config-version.conf;" in made(programs).files[MAIN]
