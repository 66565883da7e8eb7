import time

from support import FLEETING, MIB, Area, client, deny


class Expiry(Area):
    @classmethod
    def setUpClass(cls):
        cls.glacier = client(FLEETING)

    def wait_until_not_found(self, message, call, **arguments):
        """Repeats the call until it fails with 404."""
        deadline = time.monotonic() + 20
        with self.not_found(message):
            while time.monotonic() < deadline:
                call(vaultName=self.vault, **arguments)
                time.sleep(0.05)

    def test_removes_uploads_jobs_and_locks(self):
        upload = self.glacier.initiate_multipart_upload(vaultName=self.vault, partSize=str(MIB))["uploadId"]
        archive = self.upload(b"bytes")["archiveId"]
        job = self.finished(Type="archive-retrieval", ArchiveId=archive)["JobId"]
        self.glacier.initiate_vault_lock(vaultName=self.vault, policy={"Policy": deny("glacier:DeleteArchive")})
        with self.denied("glacier:DeleteArchive"):
            self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
        self.wait_until_not_found("^The upload ID was not found: ", self.glacier.list_parts, uploadId=upload)
        self.wait_until_not_found("^The job ID was not found: ", self.glacier.describe_job, jobId=job)
        self.wait_until_not_found("^No vault lock policy is set for: ", self.glacier.get_vault_lock)
        self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
