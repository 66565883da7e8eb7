"""Shared by all areas: clients of the emulators named in the environment, hashes, and waiting for jobs.

A new area is a file `test_<area>.py` here with a class derived from `Area`.
"""
import contextlib
import hashlib
import itertools
import json
import os
import time
import unittest

import boto3
from botocore.exceptions import ClientError

MIB = 1 << 20

ACCOUNT = "123456789012"

# USUAL: jobs take 0.1 seconds (Bulk retrievals 1 second), and inventories do not lag.
# SLOW: jobs and the inventory lag take an hour.
# FLEETING: jobs, uploads and locks expire after 2 seconds.
# BROKEN: the emulator cannot write to its folder.
USUAL, SLOW, FLEETING, BROKEN = (
    os.environ.get("GLACIER_" + name) for name in ("USUAL", "SLOW", "FLEETING", "BROKEN")
)

# The operations that succeeded, and the classes of the errors that were caught.
succeeded, caught = set(), set()


def note(http_response, model, **_):
    if http_response.status_code < 300:
        succeeded.add(model.name)


boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register("after-call.glacier", note)


def client(endpoint=USUAL, key=None, **options):
    """Makes a client with the credentials of the environment, or with a key whose secret is equal to its id."""
    if key is not None:
        options = {"aws_access_key_id": key, "aws_secret_access_key": key, **options}
    return boto3.client("glacier", endpoint_url=endpoint, **options)


def resource(endpoint=USUAL, **options):
    return boto3.resource("glacier", endpoint_url=endpoint, **options)


def ramp(size):
    """Returns bytes of which each MiB differs."""
    return b"".join(bytes([i % 256]) * min(MIB, size - i * MIB) for i in range(-(-size // MIB)))


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(data):
    level = [sha256(data[i:i + MIB]) for i in range(0, len(data), MIB)]
    while len(level) > 1:
        level = [sha256(b"".join(level[i:i + 2])) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0].hex()


def deny(action, **rest):
    """Returns a policy that denies an action to everyone."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", **rest}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Area(unittest.TestCase):
    """One area of the API. Each test has its own vault: `self.vault`."""

    maxDiff = None
    names = (f"vault-{number:03}" for number in itertools.count())

    @classmethod
    def setUpClass(cls):
        cls.glacier = client()

    def setUp(self):
        self.vault = next(Area.names)
        self.glacier.create_vault(vaultName=self.vault)

    def upload(self, body, glacier=None, **options):
        return (glacier or self.glacier).upload_archive(vaultName=self.vault, body=body, **options)

    def initiate(self, glacier=None, **parameters):
        return (glacier or self.glacier).initiate_job(vaultName=self.vault, jobParameters=parameters)["jobId"]

    def finished(self, **parameters):
        """Initiates a job, waits for it, and returns its description."""
        job = self.initiate(**parameters)
        for _ in range(400):
            description = self.glacier.describe_job(vaultName=self.vault, jobId=job)
            if description["Completed"]:
                self.assertEqual(description["StatusCode"], "Succeeded")
                return description
            time.sleep(0.025)
        self.fail(f"The job takes too long: {description}")

    def output(self, job, **options):
        return self.glacier.get_job_output(vaultName=self.vault, jobId=job["JobId"], **options)

    @contextlib.contextmanager
    def rejected(self, code, status, message):
        """Expects that the block fails with the error, of its own class if `client.exceptions` has one."""
        with self.assertRaises(ClientError) as raised:
            yield
        response = raised.exception.response
        kind = getattr(self.glacier.exceptions, code, ClientError)
        self.assertIs(type(raised.exception), kind, response)
        self.assertEqual(response["Error"]["Code"], code)
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status)
        self.assertRegex(response["ResponseMetadata"]["RequestId"], r"^[\w-]{47}$")
        self.assertRegex(response["Error"]["Message"], message)
        caught.add(kind)

    def invalid(self, message):
        return self.rejected("InvalidParameterValueException", 400, message)

    def missing(self, message):
        return self.rejected("MissingParameterValueException", 400, message)

    def not_found(self, message):
        return self.rejected("ResourceNotFoundException", 404, message)

    def limited(self, message):
        return self.rejected("LimitExceededException", 400, message)

    def denied(self, message):
        return self.rejected("AccessDeniedException", 403, message)
