"""What choices are called: no two alike."""

from dashboard.choices import told_apart


def test_only_what_is_alike_bears_its_key() -> None:
    assert told_apart({"a": "Flood", "b": "Storm", "c": "Flood", "": "Flood"}) == {
        "a": "Flood (a)",
        "b": "Storm",
        "c": "Flood (c)",
        "": "Flood (?)",
    }
