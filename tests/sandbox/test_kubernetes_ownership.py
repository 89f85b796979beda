"""What is applied of an ignored field, and which of our writes an update takes over."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes import ownership

Json = dict[str, Any]


def entry(manager: str, operation: str, fields: Json, subresource: str = "") -> Json:
    found: Json = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}
    return found | ({"subresource": subresource} if subresource else {})


REPLICAS: Json = {"f:spec": {"f:replicas": {}}}
IMAGE: Json = {"f:spec": {"f:image": {}}}


def live(*entries: Json) -> Json:
    return {"metadata": {"name": "a", "managedFields": list(entries)}, "spec": {"replicas": 9, "image": "one"}}


DESIRED: Json = {"metadata": {"name": "a"}, "spec": {"replicas": 5, "image": "two"}}


def applied(obj: Json, *ignore: str) -> Any:
    return ownership.without_ignored(DESIRED, obj, ignore, "me")["spec"]


def test_owned_by_another_manager_it_is_left_out() -> None:
    obj = live(entry("me", "Apply", IMAGE), entry("autoscaler", "Update", REPLICAS, "scale"))
    assert applied(obj, "spec.replicas") == {"image": "two"}


def test_owned_by_both_it_is_sent_at_its_live_value() -> None:
    obj = live(entry("me", "Apply", REPLICAS), entry("autoscaler", "Update", REPLICAS))
    assert applied(obj, "spec.replicas") == {"replicas": 9, "image": "two"}


def test_owned_by_nobody_it_is_sent_at_its_live_value() -> None:
    assert applied(live(), "spec.replicas") == {"replicas": 9, "image": "two"}


def test_not_there_it_is_sent_as_declared() -> None:
    obj = {"metadata": {"name": "a"}, "spec": {}}
    assert applied(obj, "spec.replicas") == DESIRED["spec"]


def test_items_of_lists_cannot_be_addressed() -> None:
    assert applied(live(entry("other", "Update", REPLICAS)), "spec.items[0].x") == DESIRED["spec"]


def test_not_ignored_it_is_sent() -> None:
    assert applied(live(entry("autoscaler", "Update", REPLICAS))) == DESIRED["spec"]


def test_a_creation_of_ours_becomes_an_apply_of_ours() -> None:
    status = entry("me", "Update", {"f:status": {}}, "status")
    other = entry("autoscaler", "Update", REPLICAS, "scale")
    adopted = ownership.adopted(live(entry("me", "Update", IMAGE), status, other), "me")
    assert adopted == [status, other, entry("me", "Apply", IMAGE)]


def test_plain_writes_of_kubectl_are_taken_over_into_one_entry() -> None:
    adopted = ownership.adopted(live(entry("me", "Apply", IMAGE), entry("kubectl", "Update", REPLICAS)), "me")
    assert adopted == [entry("me", "Apply", {"f:spec": {"f:image": {}, "f:replicas": {}}})]


def test_there_is_nothing_to_take_over_from_anybody_else() -> None:
    obj = live(entry("me", "Apply", IMAGE), entry("autoscaler", "Update", REPLICAS))
    assert ownership.adopted(obj, "me") is None
    assert not ownership.must_force_preview(obj, "me")
