import time

from support import ACCOUNT, MIB, SLOW, Area, ramp, resource, tree_hash


class Resources(Area):
    def setUp(self):
        super().setUp()
        self.service = resource()
        self.here = self.service.Vault("-", self.vault)

    def finish(self, job):
        for _ in range(400):
            job.reload()
            if job.completed:
                return job
            time.sleep(0.025)
        self.fail(f"The job takes too long: {job}")

    def test_create_list_and_delete_vaults(self):
        # No other test has vaults in this region.
        service = resource(region_name="ca-central-1")
        account = service.Account(ACCOUNT)
        names = [f"vault-{number:02}" for number in range(12)]
        for name in names:
            created = account.create_vault(vaultName=name)
        self.assertEqual(created, account.Vault(names[-1]))
        for vaults in [account.vaults, service.vaults]:
            self.assertEqual([vault.name for vault in vaults.all()], names)
            self.assertEqual([vault.name for vault in vaults.limit(11)], names[:11])
            self.assertEqual([len(page) for page in vaults.page_size(5).pages()], [5, 5, 2])
        vault = account.Vault(names[3])
        self.assertEqual(vault.vault_arn, f"arn:aws:glacier:ca-central-1:{ACCOUNT}:vaults/{names[3]}")
        self.assertEqual((vault.number_of_archives, vault.size_in_bytes, vault.last_inventory_date), (0, 0, None))
        vault.delete()
        self.assertEqual([vault.name for vault in account.vaults.all()], names[:3] + names[4:])
        vault.create()
        vault.reload()
        self.assertEqual(vault.number_of_archives, 0)
        self.assertEqual(vault.Account(), account)
        self.assertEqual(service.create_vault(vaultName="another"), service.Vault("-", "another"))

    def test_upload_retrieve_and_delete_an_archive(self):
        archive = self.here.upload_archive(body=b"bytes", archiveDescription="some")
        self.assertEqual(archive, self.here.Archive(archive.id))
        self.assertEqual(archive.Vault(), self.here)
        job = self.finish(archive.initiate_archive_retrieval())
        self.assertEqual(job, self.here.Job(job.id))
        self.assertEqual((job.action, job.archive_id, job.status_code), ("ArchiveRetrieval", archive.id, "Succeeded"))
        self.assertEqual(job.get_output()["body"].read(), b"bytes")
        archive.delete()
        with self.not_found("^The archive ID was not found: "):
            archive.initiate_archive_retrieval()

    def test_list_jobs_by_status(self):
        self.here.upload_archive(body=b"bytes")
        jobs = [self.here.initiate_inventory_retrieval() for _ in range(3)]
        for job in jobs:
            self.finish(job)
        for collection in [self.here.jobs, self.here.completed_jobs, self.here.succeeded_jobs]:
            self.assertEqual(list(collection.all()), jobs[::-1])
            self.assertEqual(list(collection.page_size(1).limit(2)), jobs[:0:-1])
        for collection in [self.here.jobs_in_progress, self.here.failed_jobs]:
            self.assertEqual(list(collection.all()), [])
        self.assertEqual(jobs[0].Vault(), self.here)

    def test_list_a_failed_job(self):
        archive = self.here.upload_archive(body=b"bytes")
        retrieval = {"Type": "archive-retrieval", "ArchiveId": archive.id, "Tier": "Bulk"}
        job = self.here.Job(self.initiate(**retrieval))
        archive.delete()
        self.finish(job)
        self.assertEqual(job.status_code, "Failed")
        self.assertEqual(list(self.here.failed_jobs.all()), [job])
        self.assertEqual(list(self.here.succeeded_jobs.all()), [])

    def test_list_a_job_in_progress(self):
        here = resource(SLOW).Vault("-", self.vault)
        here.create()
        job = here.upload_archive(body=b"bytes").initiate_archive_retrieval()
        self.assertEqual(list(here.jobs_in_progress.all()), [job])
        self.assertEqual(list(here.completed_jobs.all()), [])

    def test_set_and_delete_a_notification_configuration(self):
        notification = self.here.Notification()
        topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
        events = ["ArchiveRetrievalCompleted"]
        notification.set(vaultNotificationConfig={"SNSTopic": topic, "Events": events})
        self.assertEqual((notification.sns_topic, notification.events), (topic, events))
        self.assertEqual(notification.Vault(), self.here)
        notification.delete()
        with self.not_found("^No notification configuration is set for vault: "):
            notification.reload()

    def test_complete_and_abort_multipart_uploads(self):
        data = ramp(MIB + 1)
        uploads = [self.here.initiate_multipart_upload(partSize=str(MIB)) for _ in range(3)]
        # boto3 still has the second name, an old typing error.
        for collection in [self.here.multipart_uploads, self.here.multipart_uplaods]:
            self.assertCountEqual(collection.all(), uploads)
            self.assertEqual([len(page) for page in collection.page_size(2).pages()], [2, 1])
        self.assertEqual(uploads[0].Vault(), self.here)
        upload, *others = uploads
        upload.upload_part(range=f"bytes {MIB}-{MIB}/*", body=data[MIB:])
        upload.upload_part(range=f"bytes 0-{MIB - 1}/*", body=data[:MIB])
        self.assertEqual(
            [part["RangeInBytes"] for part in upload.parts()["Parts"]], [f"0-{MIB - 1}", f"{MIB}-{MIB}"]
        )
        stored = upload.complete(archiveSize=str(len(data)), checksum=tree_hash(data))
        for other in others:
            other.abort()
        self.assertEqual(list(self.here.multipart_uploads.all()), [])
        job = self.finish(self.here.Archive(stored["archiveId"]).initiate_archive_retrieval())
        self.assertTrue(job.get_output()["body"].read() == data)
