"""How many bytes may wait, for one and for several that share a bound."""

from __future__ import annotations

import threading

from sentrial._export.room import Room


def test_one_alone_may_take_all_of_it_and_no_more() -> None:
    share = Room(100).share()
    assert share.take(60, is_root=False)
    assert share.take(40, is_root=False)
    assert not share.take(1, is_root=False)
    share.give_back(40)
    assert share.take(40, is_root=False)


def test_a_root_may_overfill_it_by_a_quarter() -> None:
    share = Room(100).share()
    assert share.take(100, is_root=False)
    assert not share.take(10, is_root=False)
    assert share.take(25, is_root=True)
    assert not share.take(1, is_root=True)


def test_who_shares_is_sure_of_an_equal_part_when_another_has_taken_all() -> None:
    room = Room(100)
    greedy, modest = room.share(), room.share()
    assert greedy.take(100, is_root=False)
    assert modest.take(50, is_root=False)
    assert not modest.take(1, is_root=False)
    assert not greedy.take(1, is_root=False)


def test_a_thousand_together_take_twice_the_bound_at_most() -> None:
    room = Room(1_000_000)
    shares = [room.share() for _ in range(1_000)]
    for share in shares:
        while share.take(100, is_root=False):
            pass
    assert sum(share.taken for share in shares) <= 2_000_000
    assert min(share.taken for share in shares) == 1_000


def test_what_was_taken_from_many_threads_adds_up() -> None:
    room = Room(10**9)
    shares = [room.share() for _ in range(4)]

    def take_and_give_back(number: int) -> None:
        for _ in range(2_000):
            assert shares[number].take(3, is_root=False)
            shares[number].give_back(2)

    threads = [threading.Thread(target=take_and_give_back, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [share.taken for share in shares] == [2_000] * 4
    assert not shares[0].take(10**9 - 8_000 + 1, is_root=False)
    assert shares[0].take(10**9 - 8_000, is_root=False)


def test_a_forked_child_begins_with_an_empty_room() -> None:
    room = Room(100)
    one, other = room.share(), room.share()
    assert one.take(100, is_root=False)
    one.empty()
    other.empty()
    assert other.take(100, is_root=False)
