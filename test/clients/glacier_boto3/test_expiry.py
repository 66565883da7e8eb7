import time

from support import FLEETING, MIB, Area, client, deny


class Expiry(Area):
    @classmethod
    def setUpClass(cls):
        cls.glacier = client(FLEETING)

    def gone(self, message, call, **arguments):
        """Calls until it is refused."""
        deadline = time.monotonic() + 20
        with self.not_found(message):
            while time.monotonic() < deadline:
                call(vaultName=self.vault, **arguments)
                time.sleep(0.05)

    def test_of_uploads_jobs_and_locks(self):
        upload = self.glacier.initiate_multipart_upload(vaultName=self.vault, partSize=str(MIB))["uploadId"]
        archive = self.upload(b"bytes")["archiveId"]
        job = self.finished(Type="archive-retrieval", ArchiveId=archive)["JobId"]
        self.glacier.initiate_vault_lock(vaultName=self.vault, policy={"Policy": deny("glacier:DeleteArchive")})
        with self.denied("glacier:DeleteArchive"):
            self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
        self.gone("^The upload ID was not found: ", self.glacier.list_parts, uploadId=upload)
        self.gone("^The job ID was not found: ", self.glacier.describe_job, jobId=job)
        self.gone("^No vault lock policy is set for: ", self.glacier.get_vault_lock)
        self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
