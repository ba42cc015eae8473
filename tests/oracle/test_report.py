"""`make oracle` on a small register: agreement is 0, disagreement is seen."""

import sys

import pytest

from tests.oracle import exposure, report


def run(monkeypatch, capsys, *arguments):
    monkeypatch.delenv("ROLLCALL_SAMPLES", raising=False)
    monkeypatch.setattr(sys, "argv", ["report", *arguments])
    return report.main(), capsys.readouterr().out


def test_the_scenario_of_february_2023_has_no_differences(monkeypatch, capsys):
    code, printed = run(monkeypatch, capsys, "--only", "r1", "--people", "150")
    assert code == 0
    assert printed.endswith(" reports, 0 differences\n")
    assert "M 7.9" in printed


def test_a_difference_is_printed_with_the_person_and_makes_the_exit_code_1(monkeypatch, capsys):
    monkeypatch.setattr(exposure, "TIERS", ("country_only", *exposure.TIERS[:3]))
    monkeypatch.setattr(exposure, "INBOUND_WITHIN", 0)
    code, printed = run(monkeypatch, capsys, "--only", "r1", "--people", "150")
    assert code == 1
    assert "oracle None" in printed


def test_missing_payloads_are_said_and_not_passed_over(monkeypatch, capsys):
    code, printed = run(monkeypatch, capsys, "--people", "10")
    assert code == 2
    assert "set ROLLCALL_SAMPLES" in printed


@pytest.mark.slow
def test_the_real_payloads_have_no_differences(monkeypatch, capsys, samples):
    code, printed = run(monkeypatch, capsys, "--samples", str(samples), "--people", "3000")
    assert code == 0, printed
