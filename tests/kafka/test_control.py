"""The control record: what it says, and what it refuses."""

from datetime import UTC, datetime

import pytest

from streams.backends.kafka.control import Control, decode, encode, refuse_other
from streams.clock import WALL, scenario
from streams.errors import ClockMismatchError, FormatMismatchError, ShardsMismatchError

REPLAY = scenario(datetime(2023, 2, 6, tzinfo=UTC))


def test_it_says_shards_clock_and_format_and_comes_back_the_same():
    control = Control(shards=8, clock=REPLAY)
    assert encode(control) == (
        b'{"shards":8,"clock":{"kind":"scenario","start":"2023-02-06T00:00:00Z","speed":1.0},'
        b'"format":1}'
    )
    assert decode(encode(control)) == control


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b'{"format":2,"cells":3}', "the topics have format 2; this program reads format 1"),
        (b'{"format":1,"shards":8}', "missing required field `clock`"),
        (b"nonsense", "JSON is malformed"),
    ],
)
def test_another_format_is_refused(value, said):
    with pytest.raises(FormatMismatchError, match=said):
        decode(value)


def test_another_clock_or_number_of_shards_is_refused_and_none_takes_what_is_there():
    found = Control(shards=8, clock=WALL)
    refuse_other(found, None, None)
    refuse_other(found, 8, WALL)
    with pytest.raises(ShardsMismatchError, match="has 8 shards, not 4"):
        refuse_other(found, 4, WALL)
    with pytest.raises(ClockMismatchError, match="clock wall, not scenario"):
        refuse_other(found, 8, REPLAY)
