"""A crisis small enough to count by hand, as events and as a scenario.

An earthquake of M7.8 at 37.2 N 37.0 E at 01:17:34 on 6 February 2023, 10 km
deep. Ana and Ben are in Gaziantep (38 km away, well inside), Cem in Rome.
"""

ONSET = "2023-02-06T01:17:34Z"
FILED = "2023-02-01T12:00:00Z"

GAZIANTEP = {"country": "TR", "name": "Gaziantep", "lon_deg": 37.38, "lat_deg": 37.07}
ROME = {"country": "IT", "name": "Rome", "lon_deg": 12.48, "lat_deg": 41.89}


def envelope(event_id, at, **more):
    return {"event_id": event_id, "source": "test", "occurred_at": at, "received_at": at, **more}


def registration(person_id, place):
    return envelope(
        f"reg-{person_id}",
        FILED,
        type="RegistrationFiled",
        person_id=person_id,
        registration_id="r1",
        stays=[
            {
                "stay_id": "1",
                "place": {"precision": "city", **place},
                "from_date": "2023-02-03",
                "to_date": "2023-02-12",
            }
        ],
    )


PEOPLE = (registration("ana.1", GAZIANTEP), registration("ben.1", GAZIANTEP),
          registration("cem.1", ROME))  # fmt: skip

QUAKE = envelope(
    "test:q1:1",
    ONSET,
    type="IncidentReported",
    chain_id="test:q1",
    msg_type="Alert",
    hazard="earthquake",
    title="M 7.8 Gaziantep",
    onset_at=ONSET,
    sent_at="2023-02-06T01:25:00Z",
    revision="corrects",
    position={"lon_deg": 37.0, "lat_deg": 37.2},
    depth_m=10_000.0,
    magnitude=7.8,
)


def said(event_id, person_id, state, at):
    return envelope(event_id, at, type="CheckedIn", person_id=person_id, state=state)


SAFE = said("ana-safe", "ana.1", "safe", "2023-02-06T02:00:00Z")
HELP = said("ben-help", "ben.1", "needs_help", "2023-02-06T02:05:00Z")


def scenario(rollcall):
    """Write the crisis as a scenario; return its folder."""
    folder = rollcall.folder / "small-2023"
    folder.mkdir()
    rollcall.events("small-2023/people.ndjson", *PEOPLE)
    rollcall.events("small-2023/quake.ndjson", QUAKE)
    rollcall.events("small-2023/said.ndjson", SAFE, HELP)
    rollcall.file(
        "small-2023/scenario.toml",
        """
        title = "A small crisis"
        start = 2023-02-06T01:00:00Z
        end = 2023-02-06T03:00:00Z
        status = "Actual"
        [[entry]]
        at = 2023-02-06T01:00:00Z
        type = "RegistrationFiled"
        file = "people.ndjson"
        [[entry]]
        at = 2023-02-06T01:25:00Z
        type = "IncidentReported"
        file = "quake.ndjson"
        [[entry]]
        at = 2023-02-06T02:10:00Z
        type = "CheckedIn"
        file = "said.ndjson"
        """,
    )
    return folder


def happened(rollcall):
    """Take the crisis in and process it to 02:30."""
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE, SAFE, HELP))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
