"""The acts of the alerts page: acknowledge, silence, lift a silence."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import streamlit as st

from dashboard import act_forms
from dashboard.acts import Draft
from dashboard.alert_rows import rule_name
from dashboard.furniture import clock, plain
from dashboard.pages import Around
from dashboard.words import Words
from streams.serving.alert_lists import SILENCEABLE, AlertLine, SilenceLine
from streams.serving.wall_answers import WallNow

FORM = "alerts_form"
MAX_HOURS = 72
NAMED = 4


def panel(
    around: Around,
    chosen: Sequence[AlertLine],
    titles: Mapping[str, str],
    now: WallNow,
) -> None:
    """Show the act that is being prepared, confirmed, or was sent."""
    say = around.words
    if _going_on(around, titles):
        return
    verb = st.segmented_control(
        say["act_pick_alert"],
        ("acknowledge", "silence"),
        default="acknowledge",
        format_func=lambda one: say[f"verb_{one}"],
        key="alerts_verb",
    )
    if verb == "silence":
        _silence(around, titles, now)
    else:
        _acknowledge(around, chosen)


def silences(
    around: Around,
    found: Sequence[SilenceLine],
    now: WallNow,
    titles: Mapping[str, str],
) -> None:
    """Show the silences in force, each with the way to lift it."""
    say = around.words
    if _going_on(around, titles):
        return
    if not found:
        st.info(say["none_silences"])
    for one in found:
        with st.container(border=True, key=f"alerts_{one.silence_id}"):
            left, right = st.columns([4, 1], vertical_alignment="center")
            where = titles.get(one.situation_id or "", one.situation_id or say["all_situations"])
            left.markdown(
                f"**{plain(rule_name(one.rule, say))}** · {plain(where)} · "
                f"{plain(say['silence_until'])} **{plain(clock(one.until, say))}** · "
                f"{plain(say['silence_by'])} {plain(one.by)}: {plain(one.reason)} · "
                f"{plain(say('silence_muted', n=one.muted))}"
            )
            if right.button(say["lift"], key=f"lift_{one.silence_id}", width="stretch"):
                st.session_state["alerts_lifting"] = one.silence_id
    lifting = next(
        (s for s in found if s.silence_id == st.session_state.get("alerts_lifting")), None
    )
    if lifting is not None and now.as_of is not None:
        _lift(around, lifting, now.as_of)
    with st.expander(say["silence"]):
        _silence(around, titles, now)


def sentence(draft: Draft, titles: Mapping[str, str], say: Words) -> str:
    """Return in words what a draft will do."""
    said = draft.said[0]
    if draft.verb == "acknowledge":
        named = "; ".join(str(one["title"]) for one in draft.shown[:NAMED])
        if len(draft.said) > NAMED:
            named = f"{named} {say('act_and_more', n=len(draft.said) - NAMED)}"
        return say("acknowledge_what", n=len(draft.said), titles=named)
    situation_id = said.get("situation_id")
    where = titles.get(situation_id or "", situation_id or say["all_situations"])
    rule = rule_name(said.get("rule"), say)
    if draft.shown:
        return say("lift_what", rule=rule, situation=where)
    return say("silence_what", rule=rule, situation=where, until=clock(said["until"], say))


def _going_on(around: Around, titles: Mapping[str, str]) -> bool:
    """Draw an act that is past being filled in; return whether there is one."""
    if act_forms.stage(FORM) == "fill":
        return False
    if act_forms.stage(FORM) == "sent":
        act_forms.ending(FORM, around)
        return True
    draft: Draft = st.session_state[f"{FORM}_draft"]
    act_forms.confirm(FORM, around, sentence(draft, titles, around.words))
    return True


def _acknowledge(around: Around, chosen: Sequence[AlertLine]) -> None:
    say = around.words
    rows = [row for row in chosen if row.acknowledged_at is None]
    with st.form("alerts_acknowledge"):
        st.text(say("chosen", n=len(rows)))
        reason = act_forms.who_and_why(FORM, around)
        ready = st.form_submit_button(say("acknowledge_n", n=len(rows)), width="stretch")
    if not ready:
        return
    status = rows[0].status if rows else "Actual"
    draft = Draft(
        "acknowledge",
        around.user,
        reason,
        status,
        tuple({"alert_id": row.alert_id} for row in rows),
        shown=tuple({"title": row.title} for row in rows),
    )
    problems = () if rows else (say["needs_alerts"],)
    if len({row.status for row in rows}) > 1:
        problems = (say["needs_one_status"],)
    act_forms.propose(FORM, around, draft, problems=problems)


def status_of(situation_id: str | None, now: WallNow) -> str:
    """Return which status a silence is for: one of another status mutes nothing.

    The situation's own; without a situation that of what is being played.
    """
    own = (one.status for one in now.situations if one.situation_id == situation_id)
    return next(own, now.clock.status)


def _silence(around: Around, titles: Mapping[str, str], now: WallNow) -> None:
    say = around.words
    if now.as_of is None:
        st.info(say["silence_no_time"])
        return
    with st.form("alerts_silence"):
        st.caption(say["silence_help"])
        rule = st.selectbox(
            say["silence_rule"],
            [None, *SILENCEABLE],
            format_func=partial(rule_name, say=say),
            key="alerts_silence_rule",
        )
        situation_id = st.selectbox(
            say["silence_situation"],
            [None, *titles],
            format_func=lambda one: say["all_situations"] if one is None else titles[one],
            key="alerts_silence_situation",
        )
        hours = st.number_input(say["silence_hours"], 1, MAX_HOURS, 4, key="alerts_silence_hours")
        reason = act_forms.who_and_why(f"{FORM}_silence", around)
        ready = st.form_submit_button(say["act_check"], width="stretch")
    if not ready:
        return
    said: dict[str, Any] = {"until": now.as_of + timedelta(hours=hours)}
    said |= {"rule": rule} if rule else {}
    said |= {"situation_id": situation_id} if situation_id else {}
    draft = Draft("silence", around.user, reason, status_of(situation_id, now), (said,))
    problems = () if rule or situation_id else (say["silence_needs"],)
    act_forms.propose(FORM, around, draft, problems=problems)


def _lift(around: Around, one: SilenceLine, as_of: datetime) -> None:
    """Ask why a silence is lifted: one that ends at once is none any more."""
    say = around.words
    with st.form("alerts_lift"):
        reason = act_forms.who_and_why(f"{FORM}_lift", around)
        ready = st.form_submit_button(say["lift"], width="stretch")
    if not ready:
        return
    said: dict[str, Any] = {"until": as_of}
    said |= {"rule": one.rule} if one.rule else {}
    said |= {"situation_id": one.situation_id} if one.situation_id else {}
    draft = Draft("silence", around.user, reason, one.status, (said,), shown=({"lift": True},))
    act_forms.propose(FORM, around, draft)
