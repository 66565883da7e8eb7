import io
import time

import botocore
from botocore.config import Config

from support import BROKEN, Area, client


class Pausing(io.BytesIO):
    """A body that, once it is being sent, pauses and then ends early."""

    pause = None

    def read(self, *size):
        if self.pause is None or self.tell() == 0:
            return super().read(*size)
        time.sleep(self.pause)
        return b""


class Errors(Area):
    """Those that belong to no operation in particular; the others are with their areas."""

    def test_modelled_limit_exceeded(self):
        # No other test has vaults in this region.
        glacier = client(region_name="sa-east-1")
        for number in range(1000):
            glacier.create_vault(vaultName=str(number))
        with self.refused("LimitExceededException", 400, "1000", glacier.exceptions.LimitExceededException):
            glacier.create_vault(vaultName="one-more")
        glacier.create_vault(vaultName="999")

    def test_modelled_request_timeout(self):
        glacier = client()
        body = Pausing(bytes(200_000))
        glacier.meta.events.register("before-send.glacier", lambda **_: setattr(body, "pause", 3))
        with self.refused(
            "RequestTimeoutException", 408, "^Request timed out", glacier.exceptions.RequestTimeoutException
        ):
            self.upload(body, glacier)

    def test_modelled_service_unavailable(self):
        glacier = client(BROKEN)
        glacier.create_vault(vaultName=self.vault)
        with self.refused(
            "ServiceUnavailableException", 500, "unavailable", glacier.exceptions.ServiceUnavailableException
        ):
            self.upload(b"bytes", glacier)

    def test_unmodelled_and_of_altered_requests(self):
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

        unsigned = client(config=Config(signature_version=botocore.UNSIGNED))
        for code, status, message, call in [
            ("AccessDeniedException", 403, "^Access denied for account ID: 999999999999$",
             lambda: self.glacier.list_vaults(accountId="999999999999")),
            ("BadRequest", 400, "target is not valid", lambda: self.glacier.describe_vault(vaultName="a/b")),
            ("BadRequest", 400, "target is not valid", lambda: self.glacier.describe_vault(vaultName="..")),
            ("InvalidSignatureException", 403, "does not match the signature you provided",
             client(aws_secret_access_key="wrong", aws_access_key_id="AKIAIOSFODNN7EXAMPLE").list_vaults),
            ("InvalidSignatureException", 403, "^Date in Credential", altered("before-send", long_ago).list_vaults),
            ("MissingAuthenticationTokenException", 400, "^Missing Authentication Token$", unsigned.list_vaults),
            ("SerializationException", 400, "not valid JSON", lambda: altered("before-call", no_json).initiate_job(
                vaultName=self.vault
            )),
            ("UnrecognizedClientException", 400, "security token",
             client(aws_secret_access_key="wrong", aws_access_key_id="AKIANOBODY").list_vaults),
        ]:
            with self.subTest(code), self.refused(code, status, message):
                call()
        with self.missing("^Required parameter missing: API version$"):
            altered("before-call", without_version).list_vaults()
        with self.missing("^Required parameter missing: Job Parameters$"):
            altered("before-call", no_body).initiate_job(vaultName=self.vault)
