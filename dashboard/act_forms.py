"""Acts on a page: fill, see it again, confirm, send once, see it in effect.

The draft and its nonce live in Streamlit's session state under one key for
each form, so that a double click, or a second try after an outage, is one act.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from dashboard import effects
from dashboard.acts import MIN_REASON, Draft, Ending, missing, subject
from dashboard.furniture import plain, watched
from dashboard.pages import Around
from streams.errors import BadInputError
from streams.serving.orders import order, send

WATCHED_FOR = timedelta(seconds=5)
"""How long a page looks for the effect of what it sent."""


def give(draft: Draft, api: str, role: str) -> tuple[Ending, ...]:
    """Send every command of a draft; what is not valid is refused here already."""
    endings = []
    for said, nonce in zip(draft.said, draft.nonces(), strict=True):
        about = subject(said)
        try:
            command = order(
                said,
                verb=draft.verb,
                by=draft.by,
                role=role,
                reason=draft.reason.strip(),
                status=draft.status,
                nonce=nonce,
            )
        except BadInputError as error:
            endings.append(Ending("refused", about, reason=f"{error}. {error.hint}"))
            continue
        became = send(api, command)
        endings.append(Ending(became.outcome, about, became.event_id, became.reason))
    return tuple(endings)


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
    before: Draft | None = st.session_state.get(f"{form}_draft")
    if before is not None:
        # Until another act is begun, the same words are the same act.
        draft = replace(draft, nonce=before.nonce)
    st.session_state[f"{form}_draft"] = draft
    st.session_state[f"{form}_stage"] = "confirm"
    st.rerun()


def confirm(
    form: str, around: Around, sentence: str, *, restore: Callable[[Draft], None] | None = None
) -> None:
    """Show an act in words once more; nothing is sent before it is confirmed.

    ``restore`` fills the form again from the draft, if one goes back: what is
    not on screen Streamlit forgets.
    """
    say = around.words
    draft: Draft = st.session_state[f"{form}_draft"]
    if draft.status != "Actual":
        st.warning(say["act_exercise"])
    st.markdown(f"**{plain(sentence)}**")
    st.text(say("act_said", user=draft.by, reason=draft.reason.strip()))
    yes, no = st.columns(2)
    yes.button(
        say["act_confirm"],
        key=f"{form}_yes",
        type="primary",
        width="stretch",
        on_click=partial(_send, form, around.api, around.role),
    )
    no.button(
        say["act_back"], key=f"{form}_no", width="stretch", on_click=partial(_back, form, restore)
    )


def _send(form: str, api: str, role: str) -> None:
    """Send every command of the draft; a draft already sent is not sent again."""
    if stage(form) == "sent":
        return
    draft: Draft = st.session_state[f"{form}_draft"]
    st.session_state[f"{form}_endings"] = give(draft, api, role)
    st.session_state[f"{form}_sent_at"] = datetime.now(UTC)
    st.session_state[f"{form}_seen"] = st.session_state[f"{form}_gave_up"] = False
    st.session_state[f"{form}_stage"] = "sent"


def _back(form: str, restore: Callable[[Draft], None] | None) -> None:
    draft: Draft = st.session_state[f"{form}_draft"]
    st.session_state[f"{form}_stage"] = "fill"
    st.session_state[f"{form}_reason"] = draft.reason
    if restore is not None:
        restore(draft)


def _anew(form: str) -> None:
    for part in ("draft", "endings", "sent_at", "seen", "gave_up", "stage"):
        st.session_state.pop(f"{form}_{part}", None)
    for name in [n for n in st.session_state if str(n).startswith(form) and "reason" in str(n)]:
        del st.session_state[name]


def ending(form: str, around: Around) -> None:
    """Say how it ended: accepted or refused, and when the store shows it."""
    say = around.words
    endings: tuple[Ending, ...] = st.session_state[f"{form}_endings"]
    accepted = sum(one.accepted for one in endings)
    if accepted:
        st.success(say("act_accepted", n=accepted, of=len(endings)))
    for one in endings:
        if not one.accepted:
            told = "act_unreachable" if one.outcome == "unreachable" else "act_refused"
            st.error(plain(say(told, subject=one.subject, reason=one.reason)))
    if accepted:
        watching = not st.session_state[f"{form}_seen"] and not _late(form)
        st.fragment(_watch, run_every=1.0 if watching else None)(form, around)
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


def _watch(form: str, around: Around) -> None:
    """Look into the store until it shows the act; then draw the page anew."""
    say = around.words
    draft: Draft | None = st.session_state.get(f"{form}_draft")
    if draft is None:
        return
    with watched(around):
        if st.session_state[f"{form}_seen"]:
            st.success(say["act_in_effect"])
        elif _in_effect(form, around, draft):
            st.session_state[f"{form}_seen"] = True
            st.rerun()
        elif _late(form) and not st.session_state.get(f"{form}_gave_up"):
            # Drawn anew, the page looks no more by itself.
            st.session_state[f"{form}_gave_up"] = True
            st.rerun()
        elif _late(form):
            st.warning(say["act_not_yet"])
            st.button(say["act_look_again"], key=f"{form}_look")
        else:
            st.info(say["act_waiting"])


def _in_effect(form: str, around: Around, draft: Draft) -> bool:
    """Return whether the store shows every command that was accepted."""
    endings: tuple[Ending, ...] = st.session_state[f"{form}_endings"]
    engine = around.store()
    return all(
        effects.shown(engine, draft.verb, one.event_id, said)
        for one, said in zip(endings, draft.said, strict=True)
        if one.accepted
    )
