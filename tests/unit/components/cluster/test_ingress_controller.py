"""The ingress controller against what the seed asks of one, and what keeps sessions alive in it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509

from components.cluster.ingress_controller import arguments, configuration
from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT, SERVICE, SECRET = "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Service", "kubernetes:core/v1:Secret"
NAME = "nginx-ingress"


def pod(graph: Graph) -> Json:
    template: Json = graph.one(DEPLOYMENT, NAME).inputs["spec"]["template"]["spec"]
    return template


def server(graph: Graph) -> Json:
    (container,) = pod(graph)["containers"]
    return dict(container)


def test_what_the_seed_says_in_nginx_values_yaml(graph: Graph) -> None:
    """externalTrafficPolicy, the address, worker-shutdown-timeout, the pod's grace, Request-Id."""
    service = graph.one(SERVICE, NAME).inputs
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    address = graph.one("azure-native:network:PublicIPAddress").inputs["publicIpAddressName"]
    prefix = "service.beta.kubernetes.io/azure-"
    assert service["metadata"]["annotations"] == {
        f"{prefix}pip-name": address,
        f"{prefix}load-balancer-resource-group": graph.one("azure-native:resources:ResourceGroup").inputs[
            "resourceGroupName"
        ],
        f"{prefix}load-balancer-tcp-idle-timeout": "30",
    }
    config = graph.one("kubernetes:core/v1:ConfigMap", "nginx-config").inputs["data"]
    assert config["worker-shutdown-timeout"] == "86400s"
    assert pod(graph)["terminationGracePeriodSeconds"] >= 86400
    assert "Request-Id" in config["server-snippets"]


def test_every_clock_follows_the_longest_session() -> None:
    def shorten(config: Json) -> None:
        config["sm-realtime:sessions"] = {"maxDurationSeconds": 7200}

    graph = run_program("sandbox", shorten)
    config = graph.one("kubernetes:core/v1:ConfigMap", "nginx-config").inputs["data"]
    timeouts = {key: value for key, value in config.items() if key.endswith("-timeout")}
    assert timeouts == dict.fromkeys(("worker-shutdown-timeout", "proxy-read-timeout", "proxy-send-timeout"), "7200s")
    before_stop = server(graph)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod(graph)["terminationGracePeriodSeconds"] == 7200 + before_stop


def test_the_request_id_reaches_client_and_upstream_under_one_name() -> None:
    config = configuration(60)
    assert config["http-snippets"].startswith("map $http_x_request_id $session_id {")
    assert config["server-snippets"] == "add_header Request-Id $session_id always;"
    for name in ("X-Request-ID", "Request-Id"):
        assert f"proxy_set_header {name} $session_id;" in config["location-snippets"].splitlines()


def test_it_rolls_surge_first_over_several_nodes(graph: Graph) -> None:
    spec = graph.one(DEPLOYMENT, NAME).inputs["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    spread = {each["topologyKey"]: each for each in pod(graph)["topologySpreadConstraints"]}
    hostname = spread["kubernetes.io/hostname"]
    assert hostname["whenUnsatisfiable"] == "DoNotSchedule"
    assert hostname["nodeTaintsPolicy"] == "Honor", "a cordoned node would hold up the drain"
    assert hostname["matchLabelKeys"] == ["pod-template-hash"], "pods of the old template would hold up the new ones"
    annotations = spec["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    budget = graph.one("kubernetes:policy/v1:PodDisruptionBudget", NAME).inputs["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_it_can_write_nothing_but_its_own_folders(graph: Graph) -> None:
    assert server(graph)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 101,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    }
    mounts = {mount["mountPath"] for mount in server(graph)["volumeMounts"]}
    assert {"/etc/nginx", "/var/cache/nginx", "/var/lib/nginx", "/var/log/nginx"} == mounts
    (copy,) = pod(graph)["initContainers"]
    assert copy["command"] == ["cp", "-vdR", "/etc/nginx/.", "/mnt/etc"]
    assert copy["image"] == server(graph)["image"] == "docker.io/nginx/nginx-ingress:5.5.4"


def test_arguments_name_what_is_made_here(sandbox: Graph) -> None:
    flags = dict(argument.removeprefix("-").partition("=")[::2] for argument in server(sandbox)["args"])
    own = "$(POD_NAMESPACE)"
    assert (
        flags["nginx-configmaps"] == f"{own}/{sandbox.one('kubernetes:core/v1:ConfigMap', 'nginx-config').object_name}"
    )
    secret = f"{own}/{sandbox.one(SECRET, 'nginx-default-tls').object_name}"
    assert flags["default-server-tls-secret"] == flags["wildcard-tls-secret"] == secret
    assert flags["external-service"] == sandbox.one(SERVICE, NAME).object_name
    ingress_class = sandbox.one("kubernetes:networking.k8s.io/v1:IngressClass")
    assert flags["ingress-class"] == ingress_class.object_name == "nginx"
    assert ingress_class.inputs["spec"] == {"controller": "nginx.org/ingress-controller"}
    assert flags["watch-namespace"] == f"speechmatics,{own}"
    assert flags["enable-custom-resources"] == "false"
    assert "report-ingress-status" in flags
    assert "enable-snippets" not in flags
    assert {env["name"] for env in server(sandbox)["env"]} == {"POD_NAMESPACE", "POD_NAME"}


def test_a_certificate_named_by_an_ingress_takes_the_right_to_read_it() -> None:
    without, with_them = arguments("speech", False), arguments("speech", True)
    assert "-watch-secret-namespace=$(POD_NAMESPACE)" in without
    assert "-watch-secret-namespace=speech,$(POD_NAMESPACE)" in with_them


def test_the_certificate_is_secret_and_for_the_host(graph: Graph) -> None:
    secret = graph.one(SECRET, "nginx-default-tls")
    assert secret.inputs["type"] == "kubernetes.io/tls"
    assert set(secret.inputs["data"]) == {"tls.crt", "tls.key"}
    assert "data" in secret.secret_paths
    assert secret.ignore_changes == ()
    certificate = x509.load_pem_x509_certificate(base64.b64decode(secret.inputs["data"]["tls.crt"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["speechmatics.example.com"]


@pytest.mark.parametrize("resource_type", [SERVICE, "kubernetes:policy/v1:PodDisruptionBudget"])
def test_what_would_cut_every_session_is_protected(graph: Graph, resource_type: str) -> None:
    assert graph.one(resource_type, NAME).protect


def test_order(graph: Graph) -> None:
    """The pods end at once without map, Secret, class or rights; the Service waits for them and for the role."""
    deployment, service = graph.one(DEPLOYMENT, NAME), graph.one(SERVICE, NAME)
    first = [each.urn for each in graph.resources if each.name.startswith("ingress-")]
    needed = {urn for urn in first if urn.endswith(("-binding", "-config", "-certificate", "-class"))}
    assert needed <= deployment.dependencies
    assert deployment.urn in service.dependencies
    assert [urn for urn in service.dependencies if urn.endswith("::address-attach")]


def test_without_it_nothing_of_it_is_made() -> None:
    def off(config: Json) -> None:
        config["sm-realtime:ingress"] = {"enabled": False}

    names: list[Any] = [each.name for each in run_program("sandbox", off).resources]
    assert not [name for name in names if name.startswith("ingress")]
