"""The list of a situation's people as files: nobody is left out or doubled."""

from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, update

from dashboard import people_list
from dashboard.selection import Filters
from dashboard.store import Store
from schemas.codelists import Bucket
from streams.serving import tables as t
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall import snapshot
from tests.dashboard import crowd
from tests.serving.builders import AT

EVERY = Filters((), (), (), None, (), (), "")
CROWD = people_list.PAGE_SIZE


def test_who_moves_while_a_long_list_is_read_stands_in_it_once(tmp_path: Path) -> None:
    crowd.fill(tmp_path)
    written = open_store(tmp_path / STORE_FILE)
    more = [
        {"person_id": f"x{n:05}.1", "situation_id": "sit-1", "status": "Actual", "at": AT,
         "bucket": Bucket.UNACCOUNTED, "by": "nobody", "why": "exposed"}
        for n in range(CROWD)
    ]  # fmt: skip
    with written.begin() as connection:
        connection.execute(insert(t.ledger), more)
    store = Store(tmp_path)
    engine = store.engine()
    situation = snapshot(engine).situations[0]
    last = f"x{CROWD - 1:05}.1"

    def asks_for_help(*_: Any) -> None:
        needs_help = update(t.ledger).where(t.ledger.c.person_id == last)
        with written.begin() as connection:
            connection.execute(needs_help.values(bucket=Bucket.NEEDS_HELP))

    event.listen(engine, "checkin", asks_for_help)
    ids = [one.person_id for one in people_list.everybody(engine, situation, EVERY)]
    assert len(ids) == len(set(ids)) == crowd.KNOWN + CROWD
    assert last in ids
    store.close()
    written.dispose()
