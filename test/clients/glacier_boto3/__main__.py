"""Runs all areas and prints a line of JSON for each test. With `--list` it prints only their names.

Arguments such as `archives vaults` select areas."""
import json
import os
import sys
import unittest


def name(test):
    return f"{type(test).__name__}: {test._testMethodName.removeprefix('test_').replace('_', ' ')}"


def tests(suite):
    for test in suite:
        yield from tests(test) if isinstance(test, unittest.TestSuite) else [test]


def say(**line):
    print(json.dumps(line), flush=True)


class Lines(unittest.TestResult):
    """Prints a line for each test, with the reasons of all failures in the test and its subtests."""

    def startTest(self, test):
        super().startTest(test)
        self.reasons = []

    def addFailure(self, test, error):
        self.reasons.append(self._exc_info_to_string(error, test))

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.reasons.append(f"{subtest._subDescription()} {self._exc_info_to_string(error, test)}")

    def stopTest(self, test):
        super().stopTest(test)
        say(test=name(test), reason="\n".join(self.reasons))


loader = unittest.defaultTestLoader
here = os.path.dirname(os.path.abspath(__file__))
areas = [argument for argument in sys.argv[1:] if argument != "--list"]
suite = unittest.TestSuite(
    [loader.discover(here, pattern=f"test_{area}.py") for area in areas]
    # Completeness is last: it reads what the other tests have recorded.
    or [loader.discover(here), loader.loadTestsFromName("completeness")]
)
if "--list" in sys.argv:
    for test in tests(suite):
        say(test=name(test))
else:
    suite.run(Lines())
