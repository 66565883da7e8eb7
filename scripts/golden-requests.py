"""Makes test/fixtures/golden-requests.json: every operation of Glacier as botocore writes and signs it.

    python3 scripts/golden-requests.py

Needs botocore. Its client makes each request; what depends on the machine (user agent, retry headers, length) is left
out, and a JSON body is written as JSON.stringify writes it. Then botocore signs what is left, at fixed times.
"""

import datetime
import json
import pathlib
from urllib.parse import urlsplit

import botocore
import botocore.session
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLE//session+token=="

SETTINGS = [
    {"at": "2012-05-25T00:24:53.000Z", "region": "us-east-1", "token": False},
    {"at": "2024-02-29T00:00:00.000Z", "region": "eu-west-1", "token": True},
    {"at": "2025-12-31T23:59:59.999Z", "region": "us-gov-west-1", "token": False},
    {"at": "2026-01-01T00:00:00.000Z", "region": "cn-north-1", "token": True},
    {"at": "2026-11-30T23:59:59.000Z", "region": "us-west-2", "token": True, "endpoint": "http://127.0.0.1:9012"},
]

ARCHIVE = ("NkbByEejwEggmBz2fTHgJrg0XBoDfjP4q6iu87-TjhqG6eGoOY9Z8i1_AUyUsuhPAdTqLHy8pTl5nfCFJmDl2yEZONi5L26"
           "Omw12vcs01MNGntHEQL8MBfGlqrEXAMPLEArchiveId")
UPLOAD = "OW2fM5iVylEpFEMM9_HpKowRapC3vn5sSL39_396UW9zLFUWVrnRHaPjUJddQ5OxSHVXjYtrN47NBZ-khxOjyEXAMPLE"
JOB = "HkF9p6o7yjhFx-K3CGl6fuSm6VzW9T7esGQfco8nUXVYwS0jlb5gq1JZ55yHgt5vP54ZShjoQzQVVh7vEXAMPLEjobID"
LOCK = "AE863rKkWZU53SLW5be4DUcW"
TOPIC = "arn:aws:sns:us-west-2:012345678901:mytopic"
HASH = "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628"
WELCOME = b"Welcome to Amazon Glacier."
ACCOUNT = "012345678901"

# Every printable character of ASCII; text of two, three and four bytes; what JSON must escape.
ASCII = "".join(map(chr, range(0x20, 0x7F)))
TEXT = "für 日本 😀"
POLICY = '{"Version":"2012-10-17"}'
POLICY_OF_TEXT = '{\n\t"Id": "Grüße, 日本 😀 <&>\' \\\\ \\" \u2028 \x7f",\r\n "Version": "2012-10-17" }'

V = {"vaultName": "photos"}

# What is sent, by a name that test/transport/GoldenRequests.test.ts has a call for.
CASES = [
    ("CreateVault", "create_vault", V),
    ("CreateVault of dots", "create_vault", {"vaultName": "..._-.A9.", "accountId": ACCOUNT}),
    ("DescribeVault", "describe_vault", {**V, "accountId": ACCOUNT}),
    ("DeleteVault", "delete_vault", V),
    ("ListVaults", "list_vaults", {}),
    ("ListVaults after ASCII", "list_vaults", {"limit": "2", "marker": ASCII}),
    ("ListVaults after text", "list_vaults", {"limit": "10", "marker": TEXT + "\r\n\t"}),
    ("UploadArchive", "upload_archive", {**V, "body": WELCOME}),
    ("UploadArchive described", "upload_archive", {**V, "archiveDescription": ASCII[1:], "body": WELCOME}),
    ("UploadArchive with spaces", "upload_archive", {**V, "archiveDescription": "  a   b  ", "body": WELCOME}),
    ("DeleteArchive", "delete_archive", {**V, "archiveId": ARCHIVE}),
    ("InitiateMultipartUpload", "initiate_multipart_upload",
     {**V, "archiveDescription": ASCII, "partSize": "4194304"}),
    ("UploadMultipartPart", "upload_multipart_part",
     {**V, "uploadId": UPLOAD, "range": "bytes 0-25/*", "body": WELCOME}),
    ("CompleteMultipartUpload", "complete_multipart_upload",
     {**V, "uploadId": UPLOAD, "archiveSize": "26", "checksum": HASH}),
    ("AbortMultipartUpload", "abort_multipart_upload", {**V, "uploadId": UPLOAD}),
    ("ListParts", "list_parts", {**V, "uploadId": UPLOAD, "limit": "1000", "marker": "4194304"}),
    ("ListMultipartUploads", "list_multipart_uploads", V),
    ("ListMultipartUploads after ASCII", "list_multipart_uploads", {**V, "marker": ASCII}),
    ("InitiateJob of an archive", "initiate_job", {**V, "jobParameters": {
        "Type": "archive-retrieval", "ArchiveId": ARCHIVE, "Description": ASCII,
        "RetrievalByteRange": "0-1048575", "SNSTopic": TOPIC, "Tier": "Bulk"}}),
    ("InitiateJob of an inventory", "initiate_job", {**V, "jobParameters": {
        "Type": "inventory-retrieval", "Description": ASCII, "Format": "CSV",
        "InventoryRetrievalParameters": {"StartDate": "2013-12-04T21:25:42Z", "EndDate": "2013-12-05T00:00:00Z",
                                         "Limit": "10000", "Marker": TEXT}}}),
    ("DescribeJob", "describe_job", {**V, "jobId": JOB}),
    ("ListJobs", "list_jobs", V),
    ("ListJobs after text", "list_jobs",
     {**V, "statuscode": "InProgress", "completed": "false", "limit": "5", "marker": TEXT}),
    ("GetJobOutput", "get_job_output", {**V, "jobId": JOB}),
    ("GetJobOutput of a range", "get_job_output", {**V, "jobId": JOB, "range": "bytes=0-25"}),
    ("SetVaultNotifications", "set_vault_notifications", {**V, "vaultNotificationConfig": {
        "Events": ["InventoryRetrievalCompleted", "ArchiveRetrievalCompleted"], "SNSTopic": TOPIC}}),
    ("GetVaultNotifications", "get_vault_notifications", V),
    ("DeleteVaultNotifications", "delete_vault_notifications", V),
    ("SetVaultAccessPolicy", "set_vault_access_policy", {**V, "policy": {"Policy": POLICY}}),
    ("SetVaultAccessPolicy of text", "set_vault_access_policy", {**V, "policy": {"Policy": POLICY_OF_TEXT}}),
    ("GetVaultAccessPolicy", "get_vault_access_policy", V),
    ("DeleteVaultAccessPolicy", "delete_vault_access_policy", V),
    ("InitiateVaultLock", "initiate_vault_lock", {**V, "policy": {"Policy": POLICY_OF_TEXT}}),
    ("CompleteVaultLock", "complete_vault_lock", {**V, "lockId": LOCK}),
    ("AbortVaultLock", "abort_vault_lock", V),
    ("GetVaultLock", "get_vault_lock", V),
    ("AddTagsToVault", "add_tags_to_vault", {**V, "Tags": {"year": "2012", "für 日本": "Grüße _./=+-@ 中", "empty": ""}}),
    ("ListTagsForVault", "list_tags_for_vault", V),
    ("RemoveTagsFromVault", "remove_tags_from_vault", {**V, "TagKeys": ["year", "für 日本"]}),
    ("SetDataRetrievalPolicy", "set_data_retrieval_policy", {"Policy": {"Rules": [
        {"BytesPerHour": 10737418240, "Strategy": "BytesPerHour"}]}}),
    ("GetDataRetrievalPolicy", "get_data_retrieval_policy", {"accountId": ACCOUNT}),
    ("PurchaseProvisionedCapacity", "purchase_provisioned_capacity", {}),
    ("ListProvisionedCapacity", "list_provisioned_capacity", {}),
]


class Empty:
    """An empty response body."""

    def stream(self, **_):
        return iter(())

    def read(self, *_):
        return b""


def requests_of(setting):
    """Every case as botocore's client sends it in that region or to that endpoint."""
    client = botocore.session.Session().create_client(
        "glacier",
        region_name=setting["region"],
        endpoint_url=setting.get("endpoint"),
        config=Config(signature_version=UNSIGNED),
    )
    sent = []

    def respond(request, **_):
        sent.append(request)
        return AWSResponse(request.url, 200, {}, Empty())

    client.meta.events.register("before-send.glacier", respond)
    for _, method, params in CASES:
        getattr(client, method)(**params)
    return sent


def plain(value):
    return value.decode() if isinstance(value, bytes) else value


def headers_of(request):
    headers = {name.lower(): plain(value) for name, value in request.headers.items()}
    return {
        name: value
        for name, value in sorted(headers.items())
        if name not in ("user-agent", "content-length") and not name.startswith("amz-sdk-")
    }


def body_of(request):
    if not request.body:
        return None
    body = request.body if isinstance(request.body, bytes) else request.body.read()
    if headers_of(request).get("content-type") != "application/json":
        return body.decode()
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)


def authorization(request, setting):
    """The header that botocore gives the request at the time of a setting."""
    body = body_of(request)
    signed = AWSRequest(
        method=request.method,
        url=request.url,
        headers=headers_of(request),
        data=None if body is None else body.encode(),
    )
    at = datetime.datetime.fromisoformat(setting["at"].replace("Z", "+00:00"))
    signed.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN if setting["token"] else None)
    # The steps of add_auth after the one that reads the clock.
    signer = SigV4Auth(credentials, "glacier", setting["region"])
    signer._modify_request_before_signing(signed)
    signature = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    signer._inject_signature_to_request(signed, signature)
    return signed.headers["Authorization"]


def main():
    sent = [requests_of(setting) for setting in SETTINGS]
    settings = []
    for setting, requests in zip(SETTINGS, sent):
        url = urlsplit(requests[0].url)
        settings.append({**setting, "url": f"{url.scheme}://{url.netloc}"})
    cases = []
    for index, (name, _, _) in enumerate(CASES):
        request = sent[0][index]
        url = urlsplit(request.url)
        cases.append({
            "name": name,
            "method": request.method,
            "path": url.path,
            "query": url.query,
            "headers": headers_of(request),
            "body": body_of(request),
            "authorization": [authorization(s[index], setting) for setting, s in zip(SETTINGS, sent)],
        })
    fixture = {
        "_about": "Every operation of Glacier as botocore writes and signs it, made by scripts/golden-requests.py. "
                  "A case has one authorization for each of the settings.",
        "botocore": botocore.__version__,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "session_token": SESSION_TOKEN,
        "settings": settings,
        "cases": cases,
    }
    target = pathlib.Path(__file__).parent.parent / "test/fixtures/golden-requests.json"
    target.write_text(json.dumps(fixture, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


main()
