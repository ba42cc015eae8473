"""When a child that died is started again: on a clock of the test's own."""

from streams.supervisor import Watch, died, looked_at, may_start, started


def test_a_new_child_is_started_at_once_and_again_after_its_first_death():
    watch = Watch()
    assert may_start(watch, 0.0)
    watch = started(watch, 0.0)
    assert not may_start(watch, 5.0)
    watch = died(watch, 5.0)
    assert may_start(watch, 5.0)
    assert (watch.deaths, watch.faulty, watch.pause_s) == (1, False, 0.0)


def test_two_deaths_within_ten_seconds_are_a_fault_and_every_further_one_waits_longer():
    watch = died(started(Watch(), 0.0), 1.0)
    watch = died(started(watch, 1.0), 11.0)
    assert (watch.faulty, watch.pause_s, watch.start_at_s) == (True, 1.0, 12.0)
    assert not may_start(watch, 11.9)
    pauses = []
    now_s = 12.0
    for _ in range(7):
        watch = died(started(watch, now_s), now_s + 0.1)
        pauses.append(watch.pause_s)
        now_s = watch.start_at_s or 0.0
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_deaths_further_apart_are_none():
    watch = died(started(Watch(), 0.0), 1.0)
    watch = died(started(watch, 1.0), 11.1)
    assert (watch.faulty, watch.pause_s, watch.deaths) == (False, 0.0, 2)


def test_after_a_minute_all_is_forgotten():
    watch = died(started(died(started(Watch(), 0.0), 1.0), 1.0), 2.0)
    watch = started(watch, 3.0)
    assert looked_at(watch, 62.9).faulty
    well = looked_at(watch, 63.0)
    assert (well.faulty, well.pause_s) == (False, 0.0)
    assert may_start(died(well, 64.0), 64.0)
