#!/usr/bin/env python3
"""Counts what one suite of `./dev test` left behind.

    tally.py DIRECTORY EXIT_STATUS   ->   "passed failed skipped" on standard output

DIRECTORY may hold ctest.xml (ctest's JUnit report), one <program>.xml for each GoogleTest program
that ctest ran, and node.xml (Node's JUnit report). Cases are counted one by one; a ctest test that
is no GoogleTest program counts as one. With no report at all the suite itself is one case. A suite
that ended badly has at least one failure, whatever its reports say. The names of what failed go to
DIRECTORY/failures, the reasons of what was skipped to DIRECTORY/skips, one a line.
"""

import pathlib
import sys
import xml.etree.ElementTree as xml


class Tally:
    def __init__(self):
        self.passed, self.failures, self.skips = 0, [], []

    def case(self, name, failed, skip_reason=None):
        if failed:
            self.failures.append(name)
        elif skip_reason is not None:
            self.skips.append(skip_reason)
        else:
            self.passed += 1


def count_googletest(path, tally):
    """True when the report names a failed case."""
    any_failed = False
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.get("status") == "notrun":
            continue
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        any_failed = any_failed or failed
        reason = None
        if skipped is not None or case.get("result") == "skipped":
            text = skipped.get("message", "") if skipped is not None else ""
            # GoogleTest puts "file:line" first and the words of GTEST_SKIP after it.
            lines = [line for line in text.strip().splitlines() if line]
            reason = lines[-1] if lines else "no reason given"
        tally.case(f"{case.get('classname')}.{case.get('name')}", failed, reason)
    return any_failed


def count_ctest(directory, tally):
    for case in xml.parse(directory / "ctest.xml").getroot().iter("testcase"):
        name, failed = case.get("name"), case.get("status") != "run"
        report = directory / f"{name}_test.xml"
        if case.get("status") == "disabled":
            tally.case(name, False, f"{name}: disabled")
        elif not report.exists():
            tally.case(name, failed)
        elif not count_googletest(report, tally) and failed:
            tally.case(f"{name} (its cases passed, the program did not)", True)


def count_node(path, tally):
    for case in xml.parse(path).getroot().iter("testcase"):
        skipped = case.find("skipped")
        reason = None if skipped is None else skipped.get("message") or "no reason given"
        tally.case(case.get("name"), case.find("failure") is not None, reason)


def main(directory, status):
    tally = Tally()
    reported = True
    try:
        if (directory / "ctest.xml").exists():
            count_ctest(directory, tally)
        elif (directory / "node.xml").exists():
            count_node(directory / "node.xml", tally)
        else:
            reported = False
    except xml.ParseError as error:
        tally.case(f"an unreadable report: {error}", True)
    if not reported:
        tally.case(f"exit status {status}", status != 0)
    elif status != 0 and not tally.failures:
        tally.case(f"exit status {status} though every case passed", True)
    elif status == 0 and not tally.passed and not tally.skips and not tally.failures:
        tally.case("no case was run", True)
    (directory / "failures").write_text("".join(f"    {name}\n" for name in tally.failures))
    (directory / "skips").write_text("".join(f"{reason}\n" for reason in tally.skips))
    print(tally.passed, len(tally.failures), len(tally.skips))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
