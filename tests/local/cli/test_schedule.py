import pytest

from local.cli.app import run_command


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert run_command(["schedule", *options]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_the_schedule_of_the_template_is_shown_across_a_change_of_the_clocks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = shown(capsys, "--after", "2026-10-30T00:00:00Z", "--next", "2")
    assert lines[0] == "cron(35 9 ? * MON-FRI *) in America/New_York"
    assert any(line.startswith("Fri 2026-10-30 09:35 EDT Fri 13:35 UTC") for line in lines)
    monday = next(line for line in lines if line.startswith("Mon 2026-11-02 09:35 EST"))
    assert "Mon 14:35 UTC" in monday
    assert monday.endswith("clocks changed -1 h")
    assert "reads the broker's calendar" in " ".join(lines)


def test_the_starts_of_the_report_are_shown_with_their_purpose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = shown(capsys, "--report", "--after", "2026-11-27T00:00:00Z", "--next", "2")
    assert lines[0] == "cron(15 13,16 ? * MON-FRI *) in America/New_York"
    assert [line[:24] for line in lines if line.startswith("Fri ")] == [
        "Fri 2026-11-27 13:15 EST",
        "Fri 2026-11-27 16:15 EST",
    ]
    assert "reports that session" in " ".join(lines)


def test_a_start_on_a_weekend_is_marked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    expression = "cron(0 12 ? * FRI,SAT *)"
    lines = shown(
        capsys, "--expression", expression, "--after", "2026-11-20T00:00:00Z", "--next", "2"
    )
    assert [line.endswith("weekend") for line in lines if "2026-11-2" in line] == [False, True]


def test_another_zone_gets_a_separate_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    options = ("--expression", "cron(0 9 ? * MON *)", "--timezone", "Europe/Berlin")
    lines = shown(capsys, *options, "--after", "2026-11-20T00:00:00Z", "--next", "1")
    row = next(line for line in lines if line.startswith("Mon"))
    assert row.startswith("Mon 2026-11-23 09:00 CET Mon 03:00 EST")
