"""One person: why flagged, where they stand, where they may be, what happened."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import selection
from dashboard.figures import glyph
from dashboard.furniture import clock, plain
from dashboard.pages import Around
from dashboard.selection import key
from dashboard.stories import line, place_line, standing_line
from dashboard.words import Words
from streams.serving.people import person, why_flagged
from streams.serving.people_answers import ExposureNow, Moment, PersonNow
from streams.serving.timeline import timeline
from streams.serving.wall_answers import WallSituation

SHOWN = 200
"""Newest entries of a story; how many are left out is said."""


def panel(around: Around, situation: WallSituation) -> dict[str, Any] | None:
    """Draw the open person; return where they are believed to be, for the map."""
    say, person_id = around.words, selection.person()
    if person_id is None:
        st.info(say["person_none"])
        typed = st.text_input(say["person_id_label"], key=key("person_typed"))
        if typed.strip():
            selection.open_person(typed.strip())
            st.rerun()
        return None
    head, act, close = st.columns([3, 1.2, 1], vertical_alignment="center")
    head.markdown(f"#### {plain(person_id)}")
    act.button(say["verb_override"], key=key("person_act"), on_click=_act, args=(person_id,))
    close.button(
        say["person_close"], key=key("person_close"), on_click=selection.open_person, args=(None,)
    )
    engine = around.store()
    found = person(engine, person_id)
    if found is None:
        st.warning(plain(say("person_unknown", id=person_id)))
        return None
    best = _best(found, situation)
    with st.container(height=470, border=False):
        _why(found, around)
        _standings(found, say)
        _presence(best, say)
        _links(found, say)
        _story(timeline(engine, person_id), say)
    return _point(best)


def _act(person_id: str) -> None:
    selection.choose((person_id,))
    st.session_state[key("pane_next")] = "act"
    st.session_state[key("verb")] = "override"


def _best(found: PersonNow, situation: WallSituation) -> ExposureNow | None:
    """Return the exposure that counts most here, else the one that does anywhere."""
    here = [one for one in found.exposures if one.situation_id == situation.situation_id]
    return next(iter([*here, *found.exposures]), None)


def _point(best: ExposureNow | None) -> dict[str, Any] | None:
    if best is None or best.reason.lon_deg is None or best.reason.lat_deg is None:
        return None
    reason = best.reason
    return {"lon_deg": reason.lon_deg, "lat_deg": reason.lat_deg, "radius_m": reason.radius_m}


def _why(found: PersonNow, around: Around) -> None:
    say = around.words
    st.markdown(f"**{say['person_why']}**")
    for one in found.exposures:
        sentence = why_flagged(one.reason, around.language)
        ended = "" if one.closed is None else f" {say('person_exposure_ended', why=one.closed)}"
        tier = say[f"tier_{one.tier}"]
        st.markdown(f"- :orange-badge[{plain(tier)}] {plain(sentence)}{plain(ended)}")
    if not found.exposures:
        st.caption(say["person_why_none"])


def _standings(found: PersonNow, say: Words) -> None:
    st.markdown(f"**{say['person_ledger']}**")
    for one in found.standings:
        sign = glyph(one.bucket or "")
        st.markdown(f"- {sign} {plain(standing_line(one, say))}")
    if not found.standings:
        st.caption(say["person_ledger_none"])


def _presence(best: ExposureNow | None, say: Words) -> None:
    st.markdown(f"**{say['person_presence']}**")
    if best is None:
        st.caption(say["person_presence_none"])
        return
    st.markdown(f"- {plain(place_line(best.reason, say))}")


def _links(found: PersonNow, say: Words) -> None:
    if not found.links:
        return
    st.markdown(f"**{say['person_contradictions']}**")
    for one in found.links:
        other = one.root_id if one.root_id != found.person_id else one.person_id
        sentence = "person_linked" if one.linked else "person_unlinked"
        said = say(sentence, other=other, user=one.by, reason=one.reason, at=clock(one.at, say))
        st.markdown(f"- {plain(said)}")


def _story(told: Sequence[Moment], say: Words) -> None:
    st.markdown(f"**{say['person_timeline']}**")
    if not told:
        st.caption(say["person_timeline_none"])
        return
    newest = sorted(told, key=lambda one: (one.at, one.event_id), reverse=True)
    if len(newest) > SHOWN:
        st.caption(say("person_timeline_more", n=SHOWN))
    st.markdown("\n".join(f"- {line(one, say)}" for one in newest[:SHOWN]))
