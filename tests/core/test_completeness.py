"""Up to when everything has been merged, and what stands still."""

from datetime import UTC, datetime, timedelta

from streams.completeness import MAX_SAMPLES, Completeness, Sample, Stall, lag_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HERE, THERE = ("check-ins", 0), ("reports", 0)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def test_it_is_complete_to_the_newest_sample_all_of_which_is_merged():
    known = Completeness()
    known.note(Sample(after(0), {HERE: 5, THERE: 2}), {HERE: 4, THERE: 2})
    assert known.at is None
    known.note(Sample(after(1), {HERE: 9, THERE: 2}), {HERE: 5, THERE: 2})
    assert known.at == after(0)
    known.note(Sample(after(2), {HERE: 9, THERE: 3}), {HERE: 9, THERE: 2})
    assert known.at == after(1)
    known.note(Sample(after(3), {HERE: 9, THERE: 3}), {HERE: 9, THERE: 3})
    assert (known.at, len(known)) == (after(3), 0)


def test_topics_in_which_nothing_ever_stood_are_complete():
    known = Completeness()
    known.note(Sample(NOON, {HERE: 0, THERE: 0}), {})
    assert known.at == NOON


def test_it_goes_on_where_another_had_come_to_and_never_back():
    known = Completeness(after(100))
    known.note(Sample(after(90), {HERE: 1}), {HERE: 1})
    assert known.at == after(100)
    known.reached(after(50))
    known.reached(None)
    assert known.at == after(100)
    known.reached(after(101))
    assert known.at == after(101)


def test_hours_of_lag_are_kept_in_few_samples_and_never_promise_too_much():
    known = Completeness()
    hours = 6 * 3600
    for second in range(hours):
        known.note(Sample(after(second), {HERE: second + 1}), {HERE: 0})
        assert len(known) <= MAX_SAMPLES
    for second in range(0, hours, 97):
        known.note(Sample(after(hours + second), {HERE: hours}), {HERE: second + 1})
        assert known.at is not None
        assert known.at <= after(second)
    known.note(Sample(after(2 * hours), {HERE: hours}), {HERE: hours})
    assert known.at == after(2 * hours)


def test_lag_names_only_places_with_something_left():
    assert lag_of({HERE: 7, THERE: 3}, {HERE: 5, THERE: 3}) == {HERE: 2}


def test_a_place_stalls_when_it_has_work_and_does_not_move():
    stall = Stall(timedelta(seconds=60))
    mine = [HERE, THERE]
    assert stall.note(after(0), mine, {HERE: 3}, {HERE: 1}) == []
    assert stall.note(after(59), mine, {HERE: 9}, {HERE: 1}) == []
    assert stall.note(after(60), mine, {HERE: 9}, {HERE: 1}) == [HERE]
    assert stall.note(after(61), mine, {HERE: 8}, {HERE: 2}) == []
    assert stall.note(after(130), [], {HERE: 8}, {HERE: 2}) == []
    assert stall.note(after(131), mine, {HERE: 8}, {HERE: 2}) == []
