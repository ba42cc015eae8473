"""Acts on a page: fill, see it again, confirm, send once, see it in effect.

The draft and its nonce live in Streamlit's session state under one key for
each form, so that a double click, or a second try after an outage, is one act.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st
from sqlalchemy import Engine

from dashboard.acts import MIN_REASON, Draft, Ending, missing, sent
from dashboard.pages import Around
from dashboard.words import Words
from streams.serving.orders import order, send

WATCHED_FOR = timedelta(seconds=5)
"""How long a page looks for the effect of what it sent."""

Effect = Callable[[Engine, Draft], bool]
"""Whether the store shows what a draft asked for."""


def stage(form: str) -> str:
    """Return where a form stands: fill, confirm or sent."""
    return str(st.session_state.get(f"{form}_stage", "fill"))


def who_and_why(form: str, around: Around) -> str:
    """Ask for the reason; say under which name and in which role it will stand."""
    say = around.words
    reason = st.text_area(
        say["act_reason"],
        key=f"{form}_reason",
        help=say("act_reason_help", n=MIN_REASON),
        height=68,
        max_chars=500,
    )
    st.caption(say("act_as", user=around.user or say["act_nobody"]))
    return reason


def propose(form: str, around: Around, draft: Draft, *, problems: Sequence[str] = ()) -> None:
    """Keep a filled draft to be confirmed, or say what it still lacks."""
    say = around.words
    lacking = [say(key, n=MIN_REASON) for key in missing(by=draft.by, reason=draft.reason)]
    lacking = [*problems, *lacking]
    if lacking:
        for sentence in lacking:
            st.error(sentence)
        return
    st.session_state[f"{form}_draft"] = draft
    st.session_state[f"{form}_stage"] = "confirm"
    st.rerun()


def confirm(form: str, around: Around, sentence: str) -> None:
    """Show an act in words once more; nothing is sent before it is confirmed."""
    say = around.words
    draft: Draft = st.session_state[f"{form}_draft"]
    if draft.status != "Actual":
        st.warning(say["act_exercise"])
    st.markdown(f"**{sentence}**")
    st.text(say("act_said", user=draft.by, reason=draft.reason.strip()))
    yes, no = st.columns(2)
    yes.button(
        say["act_confirm"],
        key=f"{form}_yes",
        type="primary",
        width="stretch",
        on_click=partial(_send, form, around.api),
    )
    no.button(
        say["act_back"], key=f"{form}_no", width="stretch", on_click=partial(_back, form)
    )


def _send(form: str, api: str) -> None:
    """Send every command of the draft; a draft already sent is not sent again."""
    if stage(form) == "sent":
        return
    draft: Draft = st.session_state[f"{form}_draft"]
    st.session_state[f"{form}_endings"] = sent(draft, order, partial(send, api))
    st.session_state[f"{form}_sent_at"] = datetime.now(UTC)
    st.session_state[f"{form}_seen"] = False
    st.session_state[f"{form}_stage"] = "sent"


def _back(form: str) -> None:
    st.session_state[f"{form}_stage"] = "fill"


def _anew(form: str) -> None:
    for part in ("draft", "endings", "sent_at", "seen", "stage", "reason"):
        st.session_state.pop(f"{form}_{part}", None)


def ending(form: str, around: Around, effect: Effect) -> None:
    """Say how it ended: accepted or refused, and when the store shows it."""
    say = around.words
    endings: tuple[Ending, ...] = st.session_state[f"{form}_endings"]
    accepted = sum(one.accepted for one in endings)
    if accepted:
        st.success(say("act_accepted", n=accepted, of=len(endings)))
    for one in endings:
        if not one.accepted:
            st.error(say("act_refused", subject=one.subject, reason=one.reason))
    if accepted:
        watching = not st.session_state[f"{form}_seen"] and not _late(form)
        st.fragment(_watch, run_every=1.0 if watching else None)(form, around, effect)
    left, right = st.columns(2)
    if accepted < len(endings):
        left.button(
            say["act_again"], key=f"{form}_again", width="stretch", on_click=partial(_again, form)
        )
    right.button(say["act_new"], key=f"{form}_new", width="stretch", on_click=partial(_anew, form))


def _again(form: str) -> None:
    """Go back to confirming with the same nonce: what was accepted stays one act."""
    st.session_state[f"{form}_stage"] = "confirm"


def _late(form: str) -> bool:
    return bool(datetime.now(UTC) - st.session_state[f"{form}_sent_at"] > WATCHED_FOR)


def _watch(form: str, around: Around, effect: Effect) -> None:
    """Look into the store until it shows the act; then draw the page anew."""
    say: Words = around.words
    if st.session_state.get(f"{form}_draft") is None:
        return
    if st.session_state[f"{form}_seen"]:
        st.success(say["act_in_effect"])
    elif effect(around.store(), st.session_state[f"{form}_draft"]):
        st.session_state[f"{form}_seen"] = True
        st.rerun()
    elif _late(form):
        st.warning(say["act_not_yet"])
        st.button(say["act_look_again"], key=f"{form}_look")
    else:
        st.info(say["act_waiting"])
