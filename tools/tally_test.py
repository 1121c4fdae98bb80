#!/usr/bin/env python3
"""What `./dev test` counts decides whether a change lands, so the counting is tested."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tally  # noqa: E402

CTEST = '<testsuite><testcase name="{}" status="{}"/></testsuite>'
GOOGLETEST = """<testsuites><testsuite name="Rule">
<testcase name="Holds" status="run" result="completed" classname="Rule"/>
<testcase name="Waits" status="run" result="skipped" classname="Rule">
<skipped message="x_test.cc:3&#10;the data is not here"/></testcase>
<testcase name="Sleeps" status="notrun" result="suppressed" classname="Rule"/>
{}</testsuite></testsuites>"""
FAILURE = '<testcase name="Breaks" status="run" classname="Rule"><failure message="no"/></testcase>'
NODE = """<testsuites><testcase name="a"/><testsuite name="g"><testcase name="b"/></testsuite>
<testcase name="c"><failure/></testcase><testcase name="d"><skipped message="why"/></testcase>
</testsuites>"""


class Counting(unittest.TestCase):
    def count(self, status, **reports):
        with tempfile.TemporaryDirectory() as directory:
            for name, text in reports.items():
                pathlib.Path(directory, f"{name}.xml").write_text(text)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                tally.main(pathlib.Path(directory), status)
            self.failures = pathlib.Path(directory, "failures").read_text()
            self.skips = pathlib.Path(directory, "skips").read_text()
            return tuple(map(int, out.getvalue().split()))

    def test_a_suite_without_a_report_is_one_case(self):
        self.assertEqual(self.count(0), (1, 0, 0))
        self.assertEqual(self.count(3), (0, 1, 0))

    def test_googletest_cases_count_one_by_one(self):
        good = {"ctest": CTEST.format("base", "run"), "base_test": GOOGLETEST.format("")}
        self.assertEqual(self.count(0, **good), (1, 0, 1))
        self.assertEqual(self.skips, "the data is not here\n")
        bad = {"ctest": CTEST.format("base", "fail"), "base_test": GOOGLETEST.format(FAILURE)}
        self.assertEqual(self.count(8, **bad), (1, 1, 1))
        self.assertIn("Rule.Breaks", self.failures)

    def test_a_program_that_fails_after_its_cases_passed_is_a_failure(self):
        late = {"ctest": CTEST.format("base", "fail"), "base_test": GOOGLETEST.format("")}
        self.assertEqual(self.count(8, **late), (1, 1, 1))

    def test_a_program_that_died_without_a_report_is_a_failure(self):
        self.assertEqual(self.count(8, ctest=CTEST.format("base", "fail")), (0, 1, 0))

    def test_other_programs_count_as_one(self):
        self.assertEqual(self.count(0, ctest=CTEST.format("tidy", "run")), (1, 0, 0))

    def test_a_bad_end_is_a_failure_whatever_the_report_says(self):
        self.assertEqual(self.count(1, ctest=CTEST.format("tidy", "run")), (1, 1, 0))

    def test_a_report_without_cases_is_a_failure(self):
        self.assertEqual(self.count(0, ctest="<testsuite/>"), (0, 1, 0))

    def test_an_unreadable_report_is_a_failure(self):
        self.assertEqual(self.count(0, ctest="<testsuite>"), (0, 1, 0))

    def test_node_reports_count_nested_cases(self):
        self.assertEqual(self.count(1, node=NODE), (2, 1, 1))


if __name__ == "__main__":
    unittest.main()
