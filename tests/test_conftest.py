"""A required test that is skipped fails; nothing is skipped in silence."""

from pathlib import Path

import pytest

pytest_plugins = "pytester"
ROOT = Path(__file__).parents[1]
CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
INI = "[pytest]\nmarkers =\n    kafka: needs a broker\n    samples: needs payloads\n"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("ROLLCALL_SAMPLES", raising=False)
    monkeypatch.delenv("ROLLCALL_REQUIRE", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(CONFTEST)
    pytester.makeini(INI)
    return pytester


def run(project: pytest.Pytester) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-ra")


def test_without_a_requirement_a_skip_is_reported_and_passes(project: pytest.Pytester) -> None:
    project.makepyfile("def test_feed(samples): raise AssertionError")
    result = run(project)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*ROLLCALL_SAMPLES is not set*"])


def test_a_required_fixture_that_is_missing_fails(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_REQUIRE", "kafka,samples")
    project.makepyfile("def test_feed(samples): raise AssertionError")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*skipped, but ROLLCALL_REQUIRE asks for samples*"])


def test_a_required_marker_that_skips_fails_and_others_may_skip(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_REQUIRE", "kafka")
    project.makepyfile("""
        import pytest

        @pytest.mark.kafka
        def test_broker():
            pytest.skip("no broker")

        @pytest.mark.kafka
        @pytest.mark.xfail(reason="known")
        def test_known():
            raise AssertionError

        def test_other():
            pytest.skip("not today")
    """)
    run(project).assert_outcomes(failed=1, skipped=1, xfailed=1)


def test_a_file_skipped_whole_fails_under_a_requirement(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_REQUIRE", "kafka")
    project.makepyfile("import pytest\npytest.skip('no client', allow_module_level=True)")
    run(project).assert_outcomes(errors=1)


def test_a_requirement_that_names_no_marker_is_refused(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_REQUIRE", "kafak")
    project.makepyfile("def test_ok(): pass")
    result = run(project)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*names no marker of ours: kafak*"])
