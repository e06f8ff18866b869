"""Owns the verdict on checkov's report: no check failed, and each skipped check has a reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LEAST_PASSED = 80
LEAST_WORDS = 5


def problems(report: dict[str, Any]) -> list[str]:
    """Find problems in a report on the template and on a broken copy of the template."""
    results = report["results"]
    found = [
        f"{each['resource']}: {each['check_id']} {each['check_name']}"
        for each in of_template(results["failed_checks"])
    ]
    found += [
        f"{each['resource']}: {each['check_id']} is skipped without a reason"
        for each in of_template(results["skipped_checks"])
        if len(each["check_result"]["suppress_comment"].split()) < LEAST_WORDS
    ]
    passed = of_template(results["passed_checks"])
    if len(passed) < LEAST_PASSED or report["summary"]["parsing_errors"]:
        found.append(f"only {len(passed)} checks passed, so checkov no longer reads the template")
    if len(results["failed_checks"]) == len(of_template(results["failed_checks"])):
        found.append("checkov found no problem in a public bucket")
    return found


def of_template(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks of the template itself."""
    return [each for each in checks if Path(each["file_path"]).name == "template.yaml"]


if __name__ == "__main__":
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for line in (wrong := problems(report)):
        print(f"check-template: {line}", file=sys.stderr)
    if not wrong:
        counts = [
            len(of_template(report["results"][f"{kind}_checks"])) for kind in ("passed", "skipped")
        ]
        print("checkov: {} checks passed, {} skipped with a reason".format(*counts))
    sys.exit(bool(wrong))
