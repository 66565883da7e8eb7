"""Runs all areas and prints one line of JSON for each test; with `--list` only their names.

Runs only some areas if they are named, as in `archives vaults`."""
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
    """A test that failed, in itself or in a part of it, has a line with the reasons."""

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
    # The last one looks back at all the others.
    or [loader.discover(here), loader.loadTestsFromName("completeness")]
)
if "--list" in sys.argv:
    for test in tests(suite):
        say(test=name(test))
else:
    suite.run(Lines())
