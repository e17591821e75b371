"""What one script writes of the ledger stays small, by what it changes and by its bytes."""

from uuid import UUID

from app.destinations.identity.clusters import Cluster, Clusters, Edge
from app.destinations.identity.links import Link
from app.destinations.identity.writing import BYTES_A_WRITE, WHY_BUCKETS, Writing, why_bucket

LINK = Link("device", "u", "d", allow_merge=False, time_ms=0, why={})


def device(user: int, number: int) -> Edge:
    return Edge("device", f"user-{user}", f"$device:{UUID(int=user * 1_000_000 + number)}")


def large_clusters(users: int, devices: int) -> Clusters:
    return Clusters(
        (f"user-{user}", Cluster(user + 1, 0, [device(user, number) for number in range(devices)]))
        for user in range(users)
    )


def test_new_devices_of_users_with_many_are_written_some_at_a_time() -> None:
    clusters = large_clusters(users=200, devices=495)
    writing = Writing(0, 200)
    taken = 0
    while not writing.full:
        edge = device(taken, 999)
        writing.take(clusters.join(edge), LINK, edge.why, b"{}")
        taken += 1
    written = sum(
        len(part) for _, _, args in writing.commands("1", "d") for part in args if isinstance(part, bytes)
    )
    assert 5 < taken < 40
    assert written < BYTES_A_WRITE * 1.2


def test_a_cluster_that_grows_by_many_links_counts_its_bytes_once() -> None:
    clusters = large_clusters(users=1, devices=300)
    writing = Writing(0, 1)
    for number in range(100):
        edge = device(0, 1_000 + number)
        writing.take(clusters.join(edge), LINK, edge.why, b"{}")
    assert not writing.full


def test_reasons_lie_in_many_hashes() -> None:
    buckets = {why_bucket(number.to_bytes(2, "big") + b"......") for number in range(65_536)}
    assert buckets == set(range(WHY_BUCKETS))
