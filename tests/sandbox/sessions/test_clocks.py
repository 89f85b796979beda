"""Clocks, read from the objects that have them."""

from __future__ import annotations

import dataclasses
import math

from sandbox.sessions.clocks import Clocks, clocks
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.objects import Json
from tests.sandbox.sessions.views import SPACE, pod, transcriber, whole


def platform(
    data: Json | None = None, idle: str | None = None, ping: int | None = 300, factor: float = 1.0, **marks: str
) -> Clocks:
    """The clocks of a cluster with these objects; what is not given is at its default."""
    notes = {} if idle is None else {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": idle}
    entrance = objects.service(SPACE, "ingress", 443, {"app": "ingress"}, type="LoadBalancer", annotations=notes)
    inner = objects.service(SPACE, "proxy", 8080, {"app": "proxy"})
    view = whole(transcriber("t1", ping=ping), services=[entrance, inner], ingresses=[objects.ingress(SPACE, **marks)])
    maps = [{"metadata": {"namespace": SPACE, "name": "nginx-config"}, "data": data or {}}]
    maps.append({"metadata": {"namespace": SPACE, "name": "other"}, "data": {"proxy-read-timeout": "1s"}})
    return clocks(view, maps, factor)


def test_what_nobody_sets_is_at_the_defaults_of_azure_and_nginx() -> None:
    assert platform() == Clocks(silence=300, load_balancer=240, read=60, send=60, shutdown=math.inf)


def test_clocks_are_read_from_the_objects_and_divided_by_the_factor() -> None:
    data = {"worker-shutdown-timeout": "24h", "proxy-read-timeout": "600s", "proxy-send-timeout": "10m"}
    assert platform(data, "30", 120) == Clocks(120, 1800, 600, 600, 86400)
    assert platform(data, "30", 120, factor=60.0) == Clocks(2, 30, 10, 10, 1440)
    assert platform(data, proxy_read_timeout="2h").read == 7200, "the Ingress before the ConfigMap"
    assert platform(data, proxy_send_timeout="1m").send == 60
    assert platform(ping=None).silence == math.inf, "nobody pings"


def test_the_proxys_deadlines_are_read_from_the_map_it_watches() -> None:
    keys = ("SM_MAX_DURATION_DEADLINE_CONFIG_JSON", "SM_ZOMBIE_DEADLINE_CONFIG_JSON")

    def read(text: str, name: str = "proxy-config") -> tuple[float, float]:
        view = whole(transcriber("t1"), pod("proxy-b", objects.proxy(watches="proxy-config")))
        data = dict.fromkeys(keys, text)
        found = clocks(view, [{"metadata": {"namespace": SPACE, "name": name}, "data": data}], 60.0)
        return found.longest, found.zombie

    assert read('{"deadline_duration":"1h","log_only":false}') == (60, 60)
    assert read('{"deadline_duration":"1h","log_only":true}') == (math.inf, math.inf)
    assert read('{"deadline_duration":"-1s"}') == (math.inf, math.inf)
    assert read('{"deadline_duration":"1h","log_only":false}', "other") == (math.inf, math.inf)


def test_a_lease_is_the_resource_managers() -> None:
    assert clocks(whole(pod("rm-2", objects.resource_manager(lease="5m"))), [], 60.0).lease == 5
    assert clocks(whole(), []).lease == math.inf


def test_the_idle_timeout_is_that_of_the_ingress_controllers_service() -> None:
    view = whole(transcriber("t1"))
    notes = {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30"}
    other = objects.service(SPACE, "other", 443, {"app": "other"}, type="LoadBalancer", annotations=notes)
    assert clocks(dataclasses.replace(view, services=[other]), []).load_balancer == 240
