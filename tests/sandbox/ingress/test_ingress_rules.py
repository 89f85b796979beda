"""The pure rules: command line, map, snippets, one Ingress, several Ingresses, locations."""

from __future__ import annotations

from typing import Any

import pytest

from components.cluster.ingress_controller import arguments as program_arguments
from components.cluster.ingress_controller import configuration
from sandbox.hosted.host import RefusedError
from sandbox.ingress import arguments, config_map, directives
from sandbox.ingress.config_map import Config
from sandbox.ingress.configuration import decide
from sandbox.ingress.routing import WILDCARD, Location, NotLoadedError, pick, servers
from sandbox.ingress.validation import problems

Json = dict[str, Any]
CLASSIC = "-enable-custom-resources=false"
ASR = "/v{1}(?:[0-9]*)(?:/[a-z]{1,3}(?:_[a-z_]{0,22})?)?/?$"
"""The proxy's own path (contract: proxy 8)."""


def ingress(name: str = "one", paths: list[str] | None = None, **changes: Any) -> Json:
    backend = {"service": {"name": "proxy", "port": {"number": 80}}}
    kind = changes.pop("path_type", "ImplementationSpecific")
    given = [{"path": path, "pathType": kind, "backend": backend} for path in (["/"] if paths is None else paths)]
    rule: Json = {"host": changes.pop("host", "a.example")} | ({"http": {"paths": given}} if given else {})
    meta = {
        "name": name,
        "namespace": "speech",
        "uid": changes.pop("uid", name),
        "creationTimestamp": changes.pop("created", "2026-11-26T00:00:00Z"),
        "annotations": changes.pop("annotations", {}),
    }
    return {"metadata": meta, "spec": {"ingressClassName": "nginx", "rules": [rule], **changes}}


# --- the command line


def test_the_programs_own_command_line_is_read() -> None:
    read = arguments.parse([arg.replace("$(POD_NAMESPACE)", "own") for arg in program_arguments("speech", False)])
    assert read.watched == ("speech", "own")
    assert read.secrets_watched == ("own",)
    assert read.wildcard_secret == read.default_secret == ("own", "nginx-default-tls")
    assert read.report_status
    assert read.leader_election


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["-nonsense"], "not defined: -nonsense"),
        ([CLASSIC, "-report-ingress-status=maybe"], "invalid boolean"),
        ([CLASSIC, "-external-service"], "needs an argument"),
        ([CLASSIC, "-nginx-configmaps=nginx-config"], "<namespace>/<name>"),
        ([], "CRDs of k8s.nginx.org"),
        ([CLASSIC, "-enable-snippets"], "not played"),
        ([CLASSIC, "-enable-app-protect=true"], "not played"),
    ],
)
def test_what_the_command_line_may_not_be(given: list[str], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        arguments.parse(given)


def test_the_command_line_as_go_reads_it() -> None:
    """A value apart, two dashes, a switch that takes no word; the first word that is no flag ends it."""
    assert arguments.parse([CLASSIC, "--external-service", "x"]).external_service == "x"
    stopped = arguments.parse([CLASSIC, "-enable-leader-election", "false", "-report-ingress-status"])
    assert stopped.leader_election
    assert not stopped.report_status


# --- map and snippets


def test_the_programs_own_map_is_read_without_a_warning() -> None:
    config, warnings = config_map.read(configuration(7200))
    assert warnings == []
    assert (config.read_seconds, config.send_seconds, config.shutdown_seconds) == (7200, 7200, 7200)


@pytest.mark.parametrize(("text", "wanted"), [("86400s", 86400), ("1d", 86400), ("1h 30m", 5400), ("60", 60)])
def test_times(text: str, wanted: float) -> None:
    assert config_map.seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "1 hour", "-1s", "1.5h"])
def test_what_is_no_time(text: str) -> None:
    assert config_map.seconds(text) is None
    with pytest.raises(RefusedError):
        config_map.read({"proxy-read-timeout": text})


def test_what_has_no_effect_is_said() -> None:
    _, warnings = config_map.read({"worker-shutdown-timeouts": "1s", "ssl-redirect": "perhaps"})
    assert [each.reason for each in warnings] == ["KeyNotPlayed", "InvalidValue"]


@pytest.mark.parametrize(
    ("level", "text", "words"),
    [
        ("server", 'more_set_headers "Request-Id: $req_id";', "more_set_headers"),
        ("server", "add_header Request-Id $req_id always;", 'unknown "req_id" variable'),
        ("server", "add_header Request-Id $request_id always", "unexpected end of file"),
        ("server", 'map $http_a $b { "" x; }', "map"),
        ("http", "map $http_a $b { only; }", "a value and its result"),
        ("location", "proxy_set_header X;", "proxy_set_header X"),
    ],
)
def test_snippets_nginx_does_not_take(level: str, text: str, words: str) -> None:
    given = {"http": "", "server": "", "location": ""} | {level: text}
    with pytest.raises(RefusedError, match=words):
        directives.read(given["http"], given["server"], given["location"])


def test_a_header_needs_always_to_be_on_101_and_the_innermost_level_wins() -> None:
    made = {"request_id": "made"}
    plain = directives.read("", "add_header A $request_id;", "")
    assert plain.answered(200, made) == {"A": "made"}
    assert plain.answered(101, made) == plain.answered(404, made) == {}
    always = directives.read("", "add_header A $request_id always;", "")
    assert always.answered(101, made) == {"A": "made"}
    inner = directives.read("add_header H 1 always;", "add_header S 1 always;", "add_header L 1 always;")
    assert inner.answered(101, made) == {"L": "1"}
    outer = directives.read("add_header H 1 always;", "add_header S 1 always;", "")
    assert outer.answered(101, made) == {"S": "1"}


def test_a_header_for_the_upstream_counts_only_in_the_location() -> None:
    assert directives.read("", "proxy_set_header X-Request-ID $request_id;", "").forwarded({"request_id": "r"}) == {}


def test_a_map_chooses_by_value() -> None:
    headers = config_map.read(configuration(60))[0].headers
    assert headers.forwarded({"request_id": "made", "http_x_request_id": ""}) == {
        "X-Request-ID": "made",
        "Request-Id": "made",
    }
    assert headers.forwarded({"request_id": "made"}) == {"X-Request-ID": "made", "Request-Id": "made"}
    assert headers.forwarded({"request_id": "made", "http_x_request_id": "mine"}) == {
        "X-Request-ID": "mine",
        "Request-Id": "mine",
    }


# --- one Ingress


def test_the_proxys_paths_are_taken() -> None:
    marks = {"nginx.org/path-regex": "case_insensitive", "nginx.org/websocket-services": "proxy"}
    assert problems(ingress(paths=[ASR, "/v{1}(?:[0-9]*)(?:/flow?)/?$", "/v1/health", "/"], annotations=marks)) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("v2", "must start with /"),
        ("/a b", "whitespace"),
        ("/a;b", "whitespace or `;`"),
        ("/a{b}", "curly braces"),
        ("/a(", "regular expression"),
        ('/a"', "escaped"),
        ("/etc/passwd", "invalid paths"),
        ("/my/variables", "invalid paths"),
        ("/rooted/root", "invalid paths"),
    ],
)
def test_paths_that_are_refused(path: str, words: str) -> None:
    (found,) = problems(ingress(paths=[path]))[:1]
    assert words in found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("nginx.org/path-regex", "true", "allowed values"),
        ("nginx.org/websocket-services", "nobody", "not found: nobody"),
        ("nginx.org/proxy-read-timeout", "one day", "must be a time"),
        ("nginx.org/use-cluster-ip", "maybe", "must be a boolean"),
        ("nginx.org/mergeable-ingress-type", "middle", "allowed values"),
        ("nginx.org/server-snippets", "return 200;", "snippets feature is not enabled"),
        ("nginx.com/jwt-key", "key", "requires NGINX Plus"),
        ("nginx.org/rewrites", "x", "not played"),
    ],
)
def test_annotations_that_are_refused(name: str, value: str, words: str) -> None:
    (found,) = problems(ingress(annotations={name: value}))
    assert words in found


def test_annotations_of_others_are_nothing() -> None:
    marks = {"nginx.ingress.kubernetes.io/use-regex": "true", "nginx.ingress.kubernetes.io/configuration-snippet": ";"}
    assert problems(ingress(annotations=marks)) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (ingress(host=""), "host: Required"),
        (ingress(rules=[]), "rules: Required"),
        (ingress(paths=[""], path_type="Prefix"), "path is required"),
        (ingress(annotations={"nginx.org/mergeable-ingress-type": "master"}), "no paths"),
        (ingress(paths=[], annotations={"nginx.org/mergeable-ingress-type": "minion"}), "at least one path"),
        (ingress(tls=[{}], annotations={"nginx.org/mergeable-ingress-type": "minion"}), "spec.tls"),
    ],
)
def test_specs_that_are_refused(given: Json, words: str) -> None:
    assert [text for text in problems(given) if words in text]


# --- several Ingresses


def test_the_oldest_has_the_host_and_of_one_second_the_greater_uid() -> None:
    older, newer = ingress("b", created="2026-11-26T00:00:00Z"), ingress("a", created="2026-11-26T00:00:01Z")
    decided = decide([newer, older], "nginx")
    assert [each.ingress for each in decided.accepted] == [older]
    assert [(each.ingress, each.reason) for each in decided.problems] == [(newer, "Rejected")]
    first, second = ingress("x", uid="1"), ingress("y", uid="2")
    assert [each.ingress for each in decide([first, second], "nginx").accepted] == [second]


def test_a_rejected_ingress_takes_no_host() -> None:
    wrong = ingress("a", annotations={"nginx.org/path-regex": "no"})
    right = ingress("b", created="2026-11-26T00:00:01Z")
    assert [each.ingress for each in decide([wrong, right], "nginx").accepted] == [right]


def test_the_charts_three_ingresses_on_one_host_collide() -> None:
    three = [ingress(name, created=f"2026-11-26T00:00:0{i}Z") for i, name in enumerate(["proxy", "health", "misc"])]
    decided = decide(three, "nginx")
    assert [each.ingress["metadata"]["name"] for each in decided.accepted] == ["proxy"]
    assert len(decided.problems) == 2


def test_a_minions_path_belongs_to_the_older_one() -> None:
    kind = "nginx.org/mergeable-ingress-type"
    master = ingress("m", paths=[], annotations={kind: "master"}, created="2026-11-26T00:00:09Z")
    one = ingress("one", paths=["/a", "/b"], annotations={kind: "minion"})
    two = ingress("two", paths=["/b", "/c"], annotations={kind: "minion"}, created="2026-11-26T00:00:01Z")
    (accepted,) = decide([two, one, master], "nginx").accepted
    assert [(m["metadata"]["name"], sorted(paths)) for m, paths in accepted.minions] == [
        ("one", ["/a", "/b"]),
        ("two", ["/c"]),
    ]


def test_the_old_annotation_for_the_class_counts_first() -> None:
    other = ingress(annotations={"kubernetes.io/ingress.class": "other"})
    assert decide([other], "nginx").accepted == []


# --- locations


def locations(given: Json) -> tuple[Location, ...]:
    (accepted,) = decide([given], "nginx").accepted
    (server,) = servers(accepted, Config())
    return server.locations


def chosen(given: Json, path: str) -> str | None:
    found = pick(locations(given), path)
    return found.modifier + found.pattern if found else None


REGEX = {"nginx.org/path-regex": "case_insensitive"}


@pytest.mark.parametrize("path", ["/v", "/v1", "/v2", "/v1/en", "/V2/cmn_en", "/v2/"])
def test_the_proxys_path_matches_as_the_contract_says(path: str) -> None:
    assert chosen(ingress(paths=[ASR, "/"], annotations=REGEX), path) == f"~*^{ASR}"


@pytest.mark.parametrize("path", ["/v1/es-bilingual-en", "/v1/flow", "/x/v2"])
def test_and_what_it_does_not_match(path: str) -> None:
    assert chosen(ingress(paths=[ASR, "/"], annotations=REGEX), path) == "~*^/"


def test_regular_expressions_go_by_order_not_by_length() -> None:
    assert chosen(ingress(paths=["/", "/v1/health"], annotations=REGEX), "/v1/health") == "~*^/"


def test_without_the_annotation_a_path_is_a_plain_prefix_and_the_longest_wins() -> None:
    assert chosen(ingress(paths=["/", "/v1/health"]), "/v1/healthy") == "/v1/health"
    assert chosen(ingress(paths=["/v[0-9]*/?$"]), "/v2") is None


def test_exact_comes_first_and_is_broken_by_the_annotation() -> None:
    assert chosen(ingress(paths=["/a"], path_type="Exact"), "/a") == "=/a"
    assert chosen(ingress(paths=["/a"], path_type="Exact"), "/ab") is None
    assert chosen(ingress(paths=["/a"], path_type="Exact", annotations=REGEX), "/a") is None


def test_exact_comes_before_a_regular_expression_and_that_before_a_prefix() -> None:
    prefix = Location("", "/v2/long", "n", "s", 80, False, 60)
    regex = Location("~", "^/v2", "n", "s", 80, False, 60)
    exact = Location("=", "/v2/long", "n", "s", 80, False, 60)
    assert pick([prefix, regex], "/v2/long") is regex
    assert pick([prefix, regex, exact], "/v2/long") is exact


def test_two_equal_locations_are_refused() -> None:
    with pytest.raises(NotLoadedError):
        locations(ingress(paths=["/a", "/a"]))


@pytest.mark.parametrize("kind", ["Prefix", "Exact"])
def test_a_brace_outside_quotes_is_not_loaded(kind: str) -> None:
    with pytest.raises(NotLoadedError, match='unknown directive "1}'):
        locations(ingress(paths=[ASR], path_type=kind))
    marks = {"nginx.org/path-regex": "case_sensitive"}
    assert locations(ingress(paths=[ASR], annotations=marks))


def test_the_secret_of_a_host() -> None:
    def secret(tls: list[Json]) -> tuple[str, str] | None:
        (accepted,) = decide([ingress(tls=tls)], "nginx").accepted
        return next(servers(accepted, Config())).secret

    assert secret([]) is None
    assert secret([{"hosts": ["b.example"], "secretName": "s"}]) is None
    assert secret([{"hosts": ["a.example"]}]) == WILDCARD
    assert secret([{"hosts": ["a.example"], "secretName": "s"}]) == ("speech", "s")


def test_timeouts_of_the_annotation_come_before_those_of_the_map() -> None:
    (location,) = locations(ingress(annotations={"nginx.org/proxy-read-timeout": "2h"}))
    assert location.read_seconds == 7200
    (location,) = locations(ingress())
    assert location.read_seconds == 60
