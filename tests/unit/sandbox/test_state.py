from collections.abc import Callable
from pathlib import Path

import pytest

from app.sandbox.machine import Machine, OtherSystemError
from app.sandbox.store.database import Database, StateInUseError
from tests.unit.sandbox.calls import UUIDS, alias, event, identify, send_groups, send_import
from tests.unit.sandbox.doubles import FakeWebhook


def test_a_restarted_sandbox_goes_on_where_it_stopped(
    make_machine: Callable[..., Machine], webhook: FakeWebhook, tmp_path: Path
) -> None:
    first = make_machine(data_dir=tmp_path)
    first.sync.run(1001)
    first.churn.run(0.1)
    first.cohorts.rename(1002, "Renamed", "")
    first.cohorts.pause(1003, "by hand")
    profiles = {profile.distinct_id: profile for profile in first.profiles.scan()}
    cohorts, snapshot = first.cohorts.all(), first.snapshots.members(1001)
    first.close()
    session = webhook.take()[0].session

    second = make_machine(data_dir=tmp_path, profiles=7, seed=99)

    assert {profile.distinct_id: profile for profile in second.profiles.scan()} == profiles
    assert second.cohorts.all() == cohorts
    assert second.snapshots.members(1001) == snapshot
    second.sync.run(1001)
    assert {page.action for page in webhook.pages} == {"add_members", "remove_members"}
    assert session not in {page.session for page in webhook.pages}


def test_two_sandboxes_never_share_a_data_directory(
    make_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    make_machine(data_dir=tmp_path)

    with pytest.raises(StateInUseError, match="in use by another sandbox"):
        Database(tmp_path)


def test_a_failed_transaction_leaves_nothing(machine: Machine) -> None:
    before = machine.profiles.count()

    def write_and_fail() -> None:
        with machine.database.transaction():
            machine.profiles.write({"new": {}}, 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert machine.profiles.count() == before


def test_ids_of_cohorts_are_never_used_twice(machine: Machine) -> None:
    last = machine.cohorts.create("One", "", [])
    machine.cohorts.remove(last)

    assert machine.cohorts.create("Two", "", []) == last + 1


def test_starting_anew_brings_back_the_first_people_and_cohorts(machine: Machine) -> None:
    before = {profile.distinct_id: profile.properties for profile in machine.profiles.scan()}
    machine.sync.run(1001)
    machine.churn.run(0.5)
    machine.seeding.again()

    assert before == {profile.distinct_id: profile.properties for profile in machine.profiles.scan()}
    assert [(cohort.cohort_id, cohort.snapshot_ms) for cohort in machine.cohorts.all()] == [
        (number, None) for number in range(1001, 1006)
    ]


def test_profiles_are_found_by_a_value_or_a_list_with_it(machine: Machine) -> None:
    machine.profiles.write(
        {"a": {"Cohorts": ["VIP", "New"]}, "b": {"Cohorts": "VIP"}, "c": {"Cohorts": []}}, 0
    )

    assert [profile.distinct_id for profile in machine.profiles.holding("Cohorts", "VIP")] == ["a", "b"]


def fill(machine: Machine) -> None:
    send_import(machine, [event(), identify("u1", UUIDS[0]), alias("u1", "a1")])
    group = {"$token": "sandbox-token", "$group_key": "K", "$group_id": "g", "$set": {"a": 1}}
    send_groups(machine, [group])


def sizes(machine: Machine) -> tuple[int, ...]:
    stores = (machine.events, machine.groups, machine.identities, machine.links)
    return tuple(store.count() for store in stores)


def test_events_groups_and_links_outlive_a_restart(
    make_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    first = make_machine(data_dir=tmp_path, id_management="original")
    fill(first)
    canonical = first.identities.canonical("u1")
    first.close()

    second = make_machine(data_dir=tmp_path, id_management="original")
    assert sizes(second) == (1, 1, 1, 2)
    assert second.identities.canonical("u1") == canonical
    fill(second)
    assert sizes(second) == (1, 1, 1, 4)


def test_the_identity_system_is_fixed_once_there_is_data(
    make_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    make_machine(data_dir=tmp_path, id_management="simplified").close()
    first = make_machine(data_dir=tmp_path, id_management="original")
    fill(first)
    first.close()

    with pytest.raises(OtherSystemError, match="identity system original, not legacy"):
        make_machine(data_dir=tmp_path, id_management="legacy")
    assert sizes(make_machine(data_dir=tmp_path, id_management="original")) == (1, 1, 1, 2)


def test_a_state_of_before_there_were_events_is_taken_over(
    make_machine: Callable[..., Machine], tmp_path: Path
) -> None:
    first = make_machine(data_dir=tmp_path)
    with first.database.transaction() as connection:
        for table in ("events", "group_profiles", "identities", "aliases", "links"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM meta WHERE name = 'id_management'")
    profiles = first.profiles.count()
    first.close()

    second = make_machine(data_dir=tmp_path, id_management="original")
    fill(second)
    assert (second.profiles.count(), sizes(second)) == (profiles, (1, 1, 1, 2))


def test_starting_anew_forgets_events_groups_and_links(make_machine: Callable[..., Machine]) -> None:
    machine = make_machine(id_management="original")
    fill(machine)
    machine.seeding.again()

    assert sizes(machine) == (0, 0, 0, 0)
    assert machine.identities.alias_target("a1") is None
