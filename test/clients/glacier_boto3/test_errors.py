import io
import time

import botocore
from botocore.config import Config

from support import BROKEN, MIB, Area, client, tree_hash


class Pausing(io.BytesIO):
    """A body that pauses for longer than the timeout and then ends early, but only on the first attempt."""

    times = 0

    def __init__(self, glacier):
        super().__init__(bytes(200_000))
        glacier.meta.events.register("before-send.glacier", self.sent)

    def sent(self, **_):
        self.times += 1

    def read(self, *size):
        if self.times != 1 or self.tell() == 0:
            return super().read(*size)
        time.sleep(2.5)
        return b""


class Errors(Area):
    """Errors that any operation may return. The other areas test the errors of their operations."""

    def test_modelled_limit_exceeded_above_1000_vaults(self):
        # No other test has vaults in this region.
        glacier = client(region_name="sa-east-1")
        for number in range(1000):
            glacier.create_vault(vaultName=str(number))
        with self.limited("1000"):
            glacier.create_vault(vaultName="one-more")
        glacier.create_vault(vaultName="999")

    def test_modelled_request_timeout_when_a_body_pauses(self):
        upload = self.glacier.initiate_multipart_upload(vaultName=self.vault, partSize=str(MIB))["uploadId"]
        part = {"vaultName": self.vault, "uploadId": upload, "range": "bytes 0-199999/*"}
        for name, arguments in [("upload_archive", {"vaultName": self.vault}), ("upload_multipart_part", part)]:
            glacier = client()
            with self.subTest(name), self.rejected("RequestTimeoutException", 408, "^Request timed out"):
                getattr(glacier, name)(**arguments, body=Pausing(glacier))
        self.assertEqual(self.glacier.list_parts(vaultName=self.vault, uploadId=upload)["Parts"], [])

    def test_modelled_request_timeout_is_retried(self):
        # boto3 retries this error by default, because its model lists it as a timeout of Glacier.
        glacier = client(config=Config(retries={"max_attempts": 1}))
        body = Pausing(glacier)
        stored = self.upload(body, glacier)
        self.assertEqual(stored["ResponseMetadata"]["RetryAttempts"], 1)
        self.assertEqual(stored["checksum"], tree_hash(body.getvalue()))

    def test_modelled_service_unavailable_when_storage_fails(self):
        glacier = client(BROKEN)
        glacier.create_vault(vaultName=self.vault)
        upload = glacier.initiate_multipart_upload(vaultName=self.vault, partSize=str(MIB))["uploadId"]
        for call in [
            lambda: self.upload(b"bytes", glacier),
            lambda: glacier.upload_multipart_part(
                vaultName=self.vault, uploadId=upload, range="bytes 0-4/*", body=b"bytes"
            ),
        ]:
            with self.rejected("ServiceUnavailableException", 500, "unavailable"):
                call()

    def test_unmodelled_for_wrong_credentials(self):
        def wrong(**options):
            return client(**options).list_vaults

        for code, status, message, call in [
            ("InvalidSignatureException", 403, "does not match the signature you provided",
             wrong(key="OTHER", aws_secret_access_key="wrong")),
            ("MissingAuthenticationTokenException", 400, "^Missing Authentication Token$",
             wrong(config=Config(signature_version=botocore.UNSIGNED))),
            ("UnrecognizedClientException", 400, "security token", wrong(key="NOBODY")),
            ("UnrecognizedClientException", 400, "security token", wrong(key="TEMPORARY")),
            ("UnrecognizedClientException", 400, "security token",
             wrong(key="TEMPORARY", aws_session_token="wrong")),
            ("ExpiredTokenException", 403, "expired", wrong(key="EXPIRED", aws_session_token="token")),
            ("NoLongerSupportedException", 400, "no longer supported", wrong(key="EMPTY")),
        ]:
            with self.subTest(code), self.rejected(code, status, message):
                call()
        client(key="TEMPORARY", aws_session_token="token").list_vaults()

    def test_unmodelled_for_altered_requests(self):
        def altered(event, change):
            glacier = client()
            glacier.meta.events.register_last(event + ".glacier", change)
            return glacier

        def without_version(params, **_):
            del params["headers"]["x-amz-glacier-version"]

        def no_json(params, **_):
            params["body"] = b"{"

        def no_body(params, **_):
            params["body"] = b""

        def long_ago(request, **_):
            request.headers["X-Amz-Date"] = "20120601T000000Z"

        for code, status, message, call in [
            ("AccessDeniedException", 403, "^Access denied for account ID: 999999999999$",
             lambda: self.glacier.list_vaults(accountId="999999999999")),
            ("BadRequest", 400, "target is not valid", lambda: self.glacier.describe_vault(vaultName="a/b")),
            ("BadRequest", 400, "target is not valid", lambda: self.glacier.describe_vault(vaultName="..")),
            ("InvalidSignatureException", 403, "^Date in Credential", altered("before-send", long_ago).list_vaults),
            ("SerializationException", 400, "not valid JSON", lambda: altered("before-call", no_json).initiate_job(
                vaultName=self.vault
            )),
        ]:
            with self.subTest(code), self.rejected(code, status, message):
                call()
        with self.missing("^Required parameter missing: API version$"):
            altered("before-call", without_version).list_vaults()
        with self.missing("^Required parameter missing: Job Parameters$"):
            altered("before-call", no_body).initiate_job(vaultName=self.vault)
