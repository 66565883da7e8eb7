import io

from support import ACCOUNT, MIB, Area, ramp, tree_hash


class Archives(Area):
    def test_are_stored_with_their_tree_hash(self):
        for body in [b"a", b"bytes", ramp(MIB), ramp(MIB + 1), ramp(3 * MIB + MIB // 2)]:
            for source in [body, io.BytesIO(body)]:
                with self.subTest(size=len(body), source=type(source).__name__):
                    stored = self.upload(source)
                    self.assertEqual(stored["ResponseMetadata"]["HTTPStatusCode"], 201)
                    self.assertEqual(stored["checksum"], tree_hash(body))
                    self.assertRegex(stored["archiveId"], r"^[\w-]{138}$")
                    self.assertEqual(
                        stored["location"], f"/{ACCOUNT}/vaults/{self.vault}/archives/{stored['archiveId']}"
                    )

    def test_can_be_deleted_twice(self):
        archive = self.upload(b"bytes")["archiveId"]
        for _ in range(2):
            deleted = self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        with self.not_found("^The archive ID was not found: "):
            self.initiate(Type="archive-retrieval", ArchiveId=archive)

    def test_are_not_deleted_through_another_vault(self):
        self.glacier.create_vault(vaultName=self.vault + "-other")
        archive = self.glacier.upload_archive(vaultName=self.vault + "-other", body=b"bytes")["archiveId"]
        with self.invalid("^Invalid vault name: arn:"):
            self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)

    def test_are_rejected_with_wrong_checksums(self):
        with self.invalid("^Checksum mismatch: expected [0-9a-f]{64}, computed [0-9a-f]{64}$"):
            self.upload(b"bytes", checksum=tree_hash(b"others"))
        with self.invalid("^Invalid x-amz-sha256-tree-hash: nonsense$"):
            self.upload(b"bytes", checksum="nonsense")
        # Above 1 MiB the plain hash differs from the tree hash: both must be verified.
        body = ramp(2 * MIB)
        with self.invalid("^Checksum mismatch: "):
            self.upload(body, checksum=tree_hash(ramp(MIB) * 2))
        self.glacier.meta.events.register_last("before-call.glacier.UploadArchive", other_content, "other content")
        self.addCleanup(
            self.glacier.meta.events.unregister, "before-call.glacier.UploadArchive", unique_id="other content"
        )
        with self.rejected("InvalidSignatureException", 403, "x-amz-content-sha256 does not match"):
            self.upload(body)
        self.assertEqual(self.glacier.describe_vault(vaultName=self.vault)["NumberOfArchives"], 0)

    def test_are_rejected_without_bytes(self):
        with self.invalid("^Invalid Content-Length: 0$"):
            self.upload(b"")

    def test_keep_their_descriptions(self):
        for description in ["a  \"ramp\", all of it", "~" * 1024, "\\"]:
            with self.subTest(description=description[:20]):
                archive = self.upload(b"bytes", archiveDescription=description)["archiveId"]
                job = self.finished(Type="archive-retrieval", ArchiveId=archive)
                self.assertEqual(self.output(job)["archiveDescription"], description)
        with self.invalid("^Invalid x-amz-archive-description: "):
            self.upload(b"bytes", archiveDescription="~" * 1025)
        with self.not_found("^Vault not found for ARN: "):
            self.glacier.upload_archive(vaultName="missing", body=b"bytes")


def other_content(params, **_):
    params["headers"]["x-amz-content-sha256"] = "0" * 64
