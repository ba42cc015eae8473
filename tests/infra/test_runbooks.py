"""Whoever is on call finds a page for each alert and each failure, with commands that there are."""

import re
import shlex

import click
import pytest

from streams.cli import main
from tests.support.watching import DASHBOARDS, RUNBOOKS, panels, rules

HEADINGS = ["What you see", "What it means", "What to do", "Over when"]
FAILURES = {
    "worker-killed", "leading-broker-killed", "worker-frozen", "rebalance-during-reevaluation",
    "killed-in-a-transaction", "broker-gone", "poison-record", "new-version", "postgresql-gone",
    "feed-down", "dead-letters-waiting",
}  # fmt: skip
INDEX = RUNBOOKS / "README.md"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path != INDEX)
MAX_WORDS = 300


def text_of(path):
    return path.read_text(encoding="utf-8")


def commands_of(path):
    """Every call of ours in code: in a span, or a line of a block."""
    text = text_of(path)
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```sh\n.*?```", "", text, flags=re.DOTALL))
    found = [re.search(r"(?:^|exec \S+ )rollcall (.+)", one) for one in (*lines, *spans)]
    return [one[1].partition(">")[0].partition("|")[0] for one in found if one]


def checked(words):
    """Follow words down the tree of commands; fail where there is none such."""
    command: click.Command = main
    names: list[str] = []
    options = {one for parameter in main.params for one in parameter.opts}
    for word in words:
        if word.startswith("--"):
            assert word in options, f"{' '.join(names)} has no {word}"
        elif isinstance(command, click.Group):
            assert word in command.commands, f"{' '.join(names)} has no {word}"
            command = command.commands[word]
            names.append(word)
            options |= {one for parameter in command.params for one in parameter.opts}
    return command, names


def test_every_alert_rule_and_every_failure_has_its_page():
    of_rules = {rule.fields["runbook"] for rule in rules()}
    pages = {f"docs/runbooks/{path.name}" for path in PAGES}
    assert pages == of_rules | {f"docs/runbooks/{name}.md" for name in FAILURES}
    index = text_of(INDEX)
    for rule in rules():
        page = rule.fields["runbook"].rpartition("/")[2]
        severity = rule.fields["severity"]
        assert re.search(rf"\| {rule.name} \| {severity} \| \[.+\]\({page}\)", index), rule.name
    _, _, by_failure = index.partition("## By failure")
    assert set(re.findall(r"\(([a-z-]+)\.md\)", by_failure)) == FAILURES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_short_and_says_what_to_see_to_do_and_when_it_is_over(path):
    text = text_of(path)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert re.search(r"^1\. ", text, re.MULTILINE)
    assert len(text.split()) <= MAX_WORDS


@pytest.mark.parametrize("path", [INDEX, *PAGES], ids=lambda path: path.stem)
def test_commands_and_pages_that_are_named_are_there(path):
    for line in commands_of(path):
        command, names = checked(shlex.split(line))
        assert names, line
        assert not isinstance(command, click.Group), f"{line} ends before it does anything"
    for target in re.findall(r"\]\(([^)#]+)\)", text_of(path)):
        assert (path.parent / target).is_file(), target


def test_a_command_that_is_not_there_is_found_out():
    assert checked(["deadletters", "retry", "--all"])[1] == ["deadletters", "retry"]
    with pytest.raises(AssertionError, match="deadletters has no forget"):
        checked(["deadletters", "forget"])
    with pytest.raises(AssertionError, match="status has no --loud"):
        checked(["status", "--loud"])


def test_alerts_panels_and_dashboards_that_a_page_names_are_there():
    names = {rule.name for rule in rules()}
    shown = {path.stem for path in DASHBOARDS}
    shown |= {panel["title"] for path in DASHBOARDS for panel in panels(path)}
    for path in PAGES:
        said = set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", re.sub(r"`[^`]*`", "", text_of(path))))
        assert said - {"PostgreSQL"} <= names, path.name
        pointed = set(re.findall(r"(?<!\*)\*([A-Za-z][^*\n]+)\*(?!\*)", text_of(path)))
        assert pointed <= shown, path.name
