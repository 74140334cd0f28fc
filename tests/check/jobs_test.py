"""The runner takes nothing for a pass that did not run and say so."""

import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import jobs
import main
import rules
from jobs import Job


def run(*line, slots=2):
    """The verdicts of these jobs, by name, and their texts."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        jobs.Queue(list(line), slots, folder, results.append).run()
    return {result.name: result.verdict for result in results}, "\n".join(str(result) for result in results)


def shell(script, **more):
    return Job("suite", more.pop("name", "job"), ["sh", "-c", script], **more)


class Lines(unittest.TestCase):
    def test_each_line_is_a_result_with_the_lines_below_it(self):
        verdicts, text = run(shell("echo ok a; echo FAIL b: why; echo '    more'; exit 1"))
        self.assertEqual(verdicts, {"suite/a": "ok", "suite/b": "FAIL"})
        self.assertIn("    more", text)

    def test_a_job_without_output_fails(self):
        self.assertEqual(run(shell("true"))[0], {"suite/job": "FAIL"})

    def test_a_test_that_did_not_run_fails(self):
        self.assertEqual(run(shell("echo ok a", tests=("a", "b")))[0], {"suite/a": "ok", "suite/b": "FAIL"})

    def test_a_status_without_a_failure_line_is_a_failure(self):
        verdicts, text = run(shell("echo ok a; echo reason >&2; exit 1"))
        self.assertEqual(verdicts, {"suite/a": "ok", "suite/job": "FAIL"})
        self.assertIn("reason", text)

    def test_a_command_that_fails_in_the_middle_fails_the_job(self):
        self.assertEqual(run(shell("set -e; echo ok a; false; echo ok b"))[0], {"suite/a": "ok", "suite/job": "FAIL"})


class GoogleTest(unittest.TestCase):
    def verdict(self, output, status=0):
        return run(shell(f"printf '{output}'; exit {status}", name="p", reads="googletest"))[0]

    def test_a_program_passes_with_its_cases(self):
        self.assertEqual(self.verdict("[  PASSED  ] 3 tests.\\n"), {"suite/p": "ok"})

    def test_a_filter_without_a_match_fails(self):
        self.assertEqual(self.verdict("[  PASSED  ] 0 tests.\\n"), {"suite/p": "FAIL"})

    def test_a_program_without_output_fails(self):
        self.assertEqual(self.verdict(""), {"suite/p": "FAIL"})

    def test_a_skipped_case_is_a_skip(self):
        self.assertEqual(self.verdict("[  SKIPPED ] A.b\\n[  PASSED  ] 1 test.\\n"), {"suite/p": "ok", "suite/p/A.b": "skip"})


class Order(unittest.TestCase):
    def test_what_needs_a_failed_job_does_not_run_and_fails(self):
        verdicts, _ = run(shell("echo FAIL x; exit 1", name="first"), shell("echo ok y", name="second", after=("suite/first",)))
        self.assertEqual(verdicts, {"suite/x": "FAIL", "suite/second": "FAIL"})

    def test_stopping_ends_what_the_jobs_started(self):
        with tempfile.TemporaryDirectory() as folder:
            line = jobs.Queue([], 1, folder, lambda result: None)
            line._start(shell("sleep 1000 & echo $! >\"$OUT\"; wait", environment={"OUT": folder + "/pid"}))
            while not os.path.exists(folder + "/pid") or not os.path.getsize(folder + "/pid"):
                time.sleep(0.01)
            with open(folder + "/pid", encoding="ascii") as file:
                child = int(file.read())
            line.stop()
            deadline = time.monotonic() + 20
            while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertFalse(os.path.exists(f"/proc/{child}"))


class Skips(unittest.TestCase):
    def test_an_unlisted_skip_fails(self):
        report = main.Report({"suite/known"}, [])
        for name in ("suite/known", "suite/other"):
            report.add(jobs.Result("skip", name))
        self.assertEqual([result.verdict for result in report.results], ["skip", "FAIL"])


class Rules(unittest.TestCase):
    TEXT = "## R1. Text\n\nWhy.\n\n*Enforced in* `a/b.cpp: f`.\n\n*Pinned by* `unit/x`, `unit/y`.\n"

    def test_a_section_names_functions_and_tests(self):
        self.assertEqual(rules.sections(self.TEXT), {"R1": ([("a/b.cpp", "f")], ["unit/x", "unit/y"])})


if __name__ == "__main__":
    unittest.main()
