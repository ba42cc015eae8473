"""The acts of the officer's page: override, declare, footprint, close."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import act_forms, acts, selection
from dashboard.acts import Draft, OutlineError, outline_of
from dashboard.choices import told_apart
from dashboard.furniture import plain
from dashboard.pages import Around
from dashboard.selection import key
from dashboard.words import Words
from schemas.place import COUNTRY_CODE
from streams.serving.wall_answers import WallNow, WallSituation

VERBS = ("override", "declare", "polygon", "close")
FORM = "officer_form"
NAMED = 8
"""Ids that a sentence names; of more it says how many."""


def panel(around: Around, now: WallNow, situation: WallSituation | None) -> None:
    """Show the act that is being prepared, confirmed, or was sent."""
    say = around.words
    if act_forms.stage(FORM) == "sent":
        act_forms.ending(FORM, around)
        return
    if act_forms.stage(FORM) == "confirm":
        draft: Draft = st.session_state[f"{FORM}_draft"]
        act_forms.confirm(FORM, around, sentence(draft, now, say), restore=_restore)
        return
    verbs = VERBS if situation is not None else ("declare",)
    if st.session_state.get(key("verb")) not in verbs:
        st.session_state[key("verb")] = verbs[0]
    verb = st.selectbox(
        say["act_pick"], verbs, format_func=lambda v: say[f"verb_{v}"], key=key("verb")
    )
    if verb in {"declare", "polygon"}:
        _outline(say)
    if situation is None or verb == "declare":
        _declare(around, now)
    elif verb == "override":
        _override(around, situation)
    elif verb == "polygon":
        _polygon(around, situation)
    else:
        _close(around, situation)


def _restore(draft: Draft) -> None:
    """Fill the form again with what a draft says."""
    st.session_state[key("verb")] = draft.verb
    said = draft.said[0]
    for name, field in (("title", "title"), ("hazard", "hazard"), ("incident", "incident_id")):
        if field in said:
            st.session_state[key(name)] = said[field]
    if "bucket" in said:
        st.session_state[key("bucket")] = said["bucket"]
    codes = [a["codes"] for a in said.get("areas", ()) if a["kind"] == "countries"]
    st.session_state[key("countries")] = ", ".join(codes[0]) if codes else ""


def sentence(draft: Draft, now: WallNow, say: Words) -> str:
    """Return in words what a draft will do."""
    said = draft.said[0]
    if draft.verb == "override":
        people = [str(one["person_id"]) for one in draft.said]
        named = ", ".join(people[:NAMED])
        if len(people) > NAMED:
            named = f"{named} {say('act_and_more', n=len(people) - NAMED)}"
        bucket = say[f"bucket_{said['bucket']}"]
        return say("act_override_what", n=len(people), bucket=bucket, people=named)
    if draft.verb == "declare":
        hazard = say[f"hazard_{said['hazard']}"]
        return say("act_declare_what", title=said["title"], hazard=hazard, area=_area(said, say))
    if draft.verb == "polygon":
        corners = len(said["areas"][0]["polygons"][0][0]) - 1
        titles = {i.incident_id: i.title for s in now.situations for i in s.incidents}
        title = titles.get(said["incident_id"], said["incident_id"])
        return say("act_polygon_what", title=title, n=corners)
    titles = {s.situation_id: s.title for s in now.situations}
    return say("act_close_what", title=titles.get(said["situation_id"], said["situation_id"]))


def _area(said: Mapping[str, Any], say: Words) -> str:
    parts = []
    for area in said.get("areas", ()):
        if area["kind"] == "countries":
            parts.append(say("act_area_countries", codes=", ".join(area["codes"])))
        else:
            parts.append(say("act_area_drawn", n=len(area["polygons"][0][0]) - 1))
    return " + ".join(parts) or say["act_area_none"]


def _override(around: Around, situation: WallSituation) -> None:
    say = around.words
    one = selection.person()
    people = selection.chosen() or ((one,) if one else ())
    st.session_state.setdefault(key("bucket"), "safe")
    with st.form(key("override")):
        st.text(f"{say['act_people']}: {', '.join(people[:NAMED]) or say['act_people_none']}")
        if len(people) > NAMED:
            st.text(say("act_and_more", n=len(people) - NAMED))
        bucket = st.selectbox(
            say["act_bucket"],
            acts.BUCKETS,
            format_func=lambda b: say[f"bucket_{b}"],
            key=key("bucket"),
        )
        reason = act_forms.who_and_why(FORM, around)
        ready = st.form_submit_button(say["act_check"], width="stretch")
    if ready:
        said = acts.overrides(people, situation.situation_id, bucket)
        draft = Draft("override", around.user, reason, situation.status, said)
        act_forms.propose(FORM, around, draft, problems=() if people else (say["needs_people"],))


def _declare(around: Around, now: WallNow) -> None:
    say, outline = around.words, selection.outline()
    st.session_state.setdefault(key("hazard"), "other")
    with st.form(key("declare")):
        title = st.text_input(say["act_title"], key=key("title"), max_chars=120)
        hazard = st.selectbox(
            say["act_hazard"],
            acts.HAZARDS,
            format_func=lambda h: say[f"hazard_{h}"],
            key=key("hazard"),
        )
        typed = st.text_input(say["act_countries"], key=key("countries"), placeholder="TR, SY")
        use = False
        if outline:
            use = st.checkbox(
                say("act_use_outline", n=len(outline)), value=True, key=key("use_outline")
            )
        exercise = st.checkbox(
            say["act_is_exercise"], value=now.clock.status == "Exercise", key=key("exercise")
        )
        reason = act_forms.who_and_why(FORM, around)
        ready = st.form_submit_button(say["act_check"], width="stretch")
    if not ready:
        return
    codes = [code.upper() for code in typed.replace(";", ",").replace(",", " ").split()]
    problems = [] if title.strip() else [say["needs_title"]]
    problems += [say("needs_country", code=code) for code in codes if not _is_country(code)]
    said = acts.declaration(title, hazard, countries=codes, outline=outline if use else ())
    status = "Exercise" if exercise else "Actual"
    draft = Draft("declare", around.user, reason, status, (said,))
    act_forms.propose(FORM, around, draft, problems=problems)


def _is_country(code: str) -> bool:
    return COUNTRY_CODE.fullmatch(code) is not None


def _polygon(around: Around, situation: WallSituation) -> None:
    say, outline = around.words, selection.outline()
    if not situation.incidents:
        st.info(say["act_no_incident"])
        return
    titles = told_apart({one.incident_id: one.title for one in situation.incidents})
    with st.form(key("polygon")):
        incident_id = st.selectbox(
            say["act_incident"], list(titles), format_func=lambda i: titles[i], key=key("incident")
        )
        reason = act_forms.who_and_why(FORM, around)
        ready = st.form_submit_button(say["act_check"], width="stretch")
    if not ready:
        return
    if not outline:
        problems = (say["needs_outline"],)
        draft = Draft("polygon", around.user, reason, situation.status, ())
        act_forms.propose(FORM, around, draft, problems=problems)
        return
    said = {"incident_id": incident_id, "areas": [acts.polygon(outline)]}
    draft = Draft("polygon", around.user, reason, situation.status, (said,))
    act_forms.propose(FORM, around, draft)


def _close(around: Around, situation: WallSituation) -> None:
    say = around.words
    with st.form(key("close")):
        st.text(say("act_close_what", title=situation.title))
        reason = act_forms.who_and_why(FORM, around)
        ready = st.form_submit_button(say["act_check"], width="stretch")
    if ready:
        said = {"situation_id": situation.situation_id}
        draft = Draft("close", around.user, reason, situation.status, (said,))
        act_forms.propose(FORM, around, draft)


def _outline(say: Words) -> None:
    """Show the area that was drawn, and the way to type one."""
    points, problem = selection.outline(), st.session_state.get(key("outline_error"))
    if problem:
        st.error(plain(say(problem[0], at=problem[1])))
    st.caption(say("act_outline_some", n=len(points)) if points else say["act_outline_none"])
    with st.expander(say["act_outline"]):
        st.text_area(
            say["act_outline"],
            key=key("typed"),
            help=say["act_outline_help"],
            placeholder="37.5, 36.0\n37.5, 37.5\n36.5, 37.0",
            label_visibility="collapsed",
        )
        take, clear = st.columns(2)
        take.button(say["act_outline_take"], key=key("take"), width="stretch", on_click=_take)
        clear.button(
            say["act_outline_clear"],
            key=key("outline_clear"),
            width="stretch",
            disabled=not points,
            on_click=selection.set_outline,
            args=((),),
        )


def _take() -> None:
    st.session_state[key("outline_error")] = None
    try:
        selection.set_outline(outline_of(st.session_state.get(key("typed")) or ""))
    except OutlineError as error:
        st.session_state[key("outline_error")] = (error.key, error.at)
