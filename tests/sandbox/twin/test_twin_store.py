"""The twin's copy of the API server and its work queue, in every order in which writes and the watch can arrive."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.hosted.store import Store
from sandbox.twin.queue import FIRST_WAIT, LONGEST_WAIT, WorkQueue

Json = dict[str, Any]


def obj(uid: str, version: int, **meta: Any) -> Json:
    return {
        "metadata": {"uid": uid, "resourceVersion": str(version), "creationTimestamp": "2026-01-02T03:04:05Z", **meta}
    }


def versions(store: Store) -> dict[str, int]:
    return {o["metadata"]["uid"]: int(o["metadata"]["resourceVersion"]) for o in store.all()}


def listed(store: Store, at: int, *objects: Json, again: bool = False) -> None:
    if again:
        store.observe("RESYNC", {})
    for each in objects:
        store.observe("ADDED", each)
    store.observe("SYNCED", {"resourceVersion": str(at)})


def test_what_was_written_is_there_before_the_watch_says_so() -> None:
    store = Store(lambda changed: None)
    listed(store, 5)
    store.wrote(obj("a", 6))
    assert versions(store) == {"a": 6}


def test_late_news_of_an_older_state_is_passed_over() -> None:
    store = Store(lambda changed: None)
    listed(store, 5, obj("a", 5))
    store.wrote(obj("a", 8))
    store.observe("MODIFIED", obj("a", 7))
    assert versions(store) == {"a": 8}
    store.observe("MODIFIED", obj("a", 9))
    assert versions(store) == {"a": 9}


def test_a_list_taken_before_a_write_does_not_undo_it() -> None:
    store = Store(lambda changed: None)
    listed(store, 5)
    store.wrote(obj("a", 7))
    listed(store, 6, again=True)
    assert versions(store) == {"a": 7}
    listed(store, 9, again=True)
    assert versions(store) == {}


def test_the_answer_to_a_write_does_not_bring_back_what_is_gone() -> None:
    store = Store(lambda changed: None)
    listed(store, 5, obj("a", 4))
    store.observe("DELETED", obj("a", 8))
    store.wrote(obj("a", 7))
    assert versions(store) == {}
    listed(store, 20, again=True)
    store.wrote(obj("b", 15))
    assert versions(store) == {}


def test_a_deleted_pod_is_on_its_way_out_until_it_is_gone() -> None:
    store = Store(lambda changed: None)
    held = obj("a", 5)
    listed(store, 5, held)
    store.deleted(held, obj("a", 6, deletionTimestamp="2026-01-02T03:05:00Z"))
    store.observe("MODIFIED", obj("a", 5))
    (kept,) = store.all()
    assert kept["metadata"]["deletionTimestamp"] == "2026-01-02T03:05:00Z"
    store.deleted(kept, None)
    assert store.all() == []


def test_every_change_is_told_also_of_what_a_new_list_lacks() -> None:
    told: list[str] = []
    store = Store(lambda changed: told.append(changed["metadata"]["uid"]))
    listed(store, 5, obj("a", 1), obj("b", 2))
    listed(store, 9, obj("b", 2), again=True)
    assert told == ["a", "b", "b", "a"]
    assert store.synced.is_set()


HISTORY = st.lists(
    st.tuples(st.sampled_from(["create", "change", "delete"]), st.booleans(), st.integers(0, 3)), max_size=30
)


@given(HISTORY, st.data())
def test_however_late_the_watch_is_the_copy_ends_true(
    history: list[tuple[str, bool, int]], data: st.DataObject
) -> None:
    """A server's history, each step ours or another's; the watch delivers in order, at any time after the step."""
    store = Store(lambda changed: None)
    listed(store, 0)
    server: dict[str, int] = {}
    pending: list[tuple[str, Json]] = []
    for version, (what, ours, lag) in enumerate(history, start=1):
        uid = f"u{data.draw(st.integers(0, 2))}"
        if what == "create":
            uid = f"u{version}"
            server[uid] = version
            pending.append(("ADDED", obj(uid, version)))
        elif uid not in server:
            continue
        elif what == "change":
            server[uid] = version
            pending.append(("MODIFIED", obj(uid, version)))
        else:
            del server[uid]
            pending.append(("DELETED", obj(uid, version)))
        if ours and what != "delete":
            store.wrote(obj(uid, version))
            assert versions(store)[uid] == version
        while len(pending) > lag:
            store.observe(*pending.pop(0))
    for event in pending:
        store.observe(*event)
    assert versions(store) == server


async def test_a_key_added_while_it_is_worked_on_comes_once_more() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done(), "a key is worked on by one worker at a time"
    queue.done("a")
    assert await asyncio.wait_for(waiting, 60) == "a"
    queue.done("a")
    queue.add("b")
    assert await queue.get() == "b"


async def test_each_failure_waits_longer_until_one_succeeds() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waits = []
    for _ in range(12):
        queue.add("a")
        await queue.get()
        waits.append(queue.done("a", failed=True))
    assert waits[:3] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT
    queue.add("a")
    await queue.get()
    assert queue.done("a") is None
    queue.add("a")
    await queue.get()
    assert queue.done("a", failed=True) == FIRST_WAIT
    assert await asyncio.wait_for(queue.get(), 60) == "a"
    queue.close()
