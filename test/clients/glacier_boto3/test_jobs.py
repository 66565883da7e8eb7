import csv
import io
import json

from support import ACCOUNT, MIB, SLOW, Area, client, ramp, tree_hash


class Retrievals(Area):
    data = ramp(3 * MIB + MIB // 2)

    def setUp(self):
        super().setUp()
        self.archive = self.upload(self.data)["archiveId"]

    def retrieved(self, **parameters):
        return self.finished(Type="archive-retrieval", ArchiveId=self.archive, **parameters)

    def test_return_the_whole_archive(self):
        topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
        job = self.retrieved(Description="the whole", Tier="Expedited", SNSTopic=topic)
        expected = {
            "Action": "ArchiveRetrieval",
            "ArchiveId": self.archive,
            "ArchiveSHA256TreeHash": tree_hash(self.data),
            "ArchiveSizeInBytes": len(self.data),
            "Completed": True,
            "JobDescription": "the whole",
            "RetrievalByteRange": f"0-{len(self.data) - 1}",
            "SHA256TreeHash": tree_hash(self.data),
            "SNSTopic": topic,
            "StatusCode": "Succeeded",
            "StatusMessage": "Succeeded",
            "Tier": "Expedited",
            "VaultARN": f"arn:aws:glacier:us-east-1:{ACCOUNT}:vaults/{self.vault}",
        }
        self.assertEqual({**job, **expected}, job)
        self.assertLess(job["CreationDate"], job["CompletionDate"])
        output = self.output(job)
        self.assertEqual(output["status"], 200)
        self.assertEqual(output["acceptRanges"], "bytes")
        self.assertEqual(output["contentType"], "application/octet-stream")
        self.assertEqual(output["checksum"], tree_hash(self.data))
        self.assertNotIn("contentRange", output)
        self.assertTrue(output["body"].read() == self.data)

    def test_return_ranges_of_their_output(self):
        job = self.retrieved()
        size = len(self.data)
        # The requested range, its first and last byte, and whether it has a tree hash.
        for range, start, end, hashed in [
            ("bytes=0-0", 0, 0, False),
            ("bytes=0-1048575", 0, MIB - 1, True),
            (f"bytes={MIB}-{3 * MIB - 1}", MIB, 3 * MIB - 1, False),
            (f"bytes={2 * MIB}-{10 * MIB}", 2 * MIB, size - 1, True),
            (f"bytes={3 * MIB}-", 3 * MIB, size - 1, True),
            ("bytes=1-10", 1, 10, False),
            ("bytes=-5", size - 5, size - 1, False),
            (f"bytes=0-{size - 1}", 0, size - 1, True),
        ]:
            with self.subTest(range):
                output = self.output(job, range=range)
                part = self.data[start:end + 1]
                self.assertEqual(output["status"], 206)
                self.assertEqual(output["contentRange"], f"bytes {start}-{end}/{size}")
                self.assertEqual(output.get("checksum"), tree_hash(part) if hashed else None)
                self.assertTrue(output["body"].read() == part)
        for range in ["0-9", "bytes 0-9/*", "bytes=9-0", "bytes=0-1,4-5"]:
            with self.subTest(range):
                output = self.output(job, range=range)
                self.assertEqual(output["status"], 200)
                self.assertTrue(output["body"].read() == self.data)
        with self.invalid("^The start of the range is larger than size of retrieved data: "):
            self.output(job, range=f"bytes={size}-")

    def test_return_a_part_of_an_archive(self):
        job = self.retrieved(RetrievalByteRange=f"{MIB}-{2 * MIB - 1}")
        part = self.data[MIB:2 * MIB]
        self.assertEqual(job["SHA256TreeHash"], tree_hash(part))
        self.assertEqual(job["ArchiveSHA256TreeHash"], tree_hash(self.data))
        output = self.output(job)
        self.assertEqual(output["checksum"], tree_hash(part))
        self.assertTrue(output["body"].read() == part)
        output = self.output(job, range="bytes=10-19")
        self.assertEqual(output["contentRange"], f"bytes 10-19/{MIB}")
        self.assertEqual(output["body"].read(), part[10:20])

        # No node of the hash tree spans these 3 MiB.
        job = self.retrieved(RetrievalByteRange=f"0-{3 * MIB - 1}")
        self.assertNotIn("SHA256TreeHash", job)
        output = self.output(job)
        self.assertNotIn("checksum", output)
        self.assertTrue(output["body"].read() == self.data[:3 * MIB])

    def test_keep_their_output_when_the_archive_is_deleted(self):
        job = self.retrieved()
        self.glacier.delete_archive(vaultName=self.vault, archiveId=self.archive)
        self.assertTrue(self.output(job)["body"].read() == self.data)

    def test_are_rejected_with_invalid_parameters(self):
        archive = {"Type": "archive-retrieval", "ArchiveId": self.archive}
        for text, parameters in [
            ("^Invalid Type: ", {"Type": "retrieval"}),
            ("^Invalid Tier: ", {**archive, "Tier": "Slow"}),
            ("megabyte aligned", {**archive, "RetrievalByteRange": "0-9"}),
            ("^Invalid RetrievalByteRange: ", {**archive, "RetrievalByteRange": "9-0"}),
            ("^Invalid RetrievalByteRange: ", {**archive, "RetrievalByteRange": f"0-{4 * MIB - 1}"}),
            ("^Invalid Description: ", {**archive, "Description": "~" * 1025}),
            ("^Invalid Description: ", {**archive, "Description": "\u00fc"}),
            ("^ArchiveId is not valid for jobs of type inventory", {**archive, "Type": "inventory-retrieval"}),
            ("^Invalid Format: ", {"Type": "inventory-retrieval", "Format": "XML"}),
        ]:
            with self.subTest(text), self.invalid(text):
                self.initiate(**parameters)
        for name, parameters in [("Type", {"Tier": "Bulk"}), ("ArchiveId", {"Type": "archive-retrieval"})]:
            with self.missing(f"^Required parameter missing: {name}$"):
                self.initiate(**parameters)
        with self.missing("^Required parameter missing: Type$"):
            self.glacier.initiate_job(vaultName=self.vault)
        with self.not_found("^The archive ID was not found: "):
            self.initiate(Type="archive-retrieval", ArchiveId="A" * 138)

    def test_are_in_progress_until_their_delay_ends(self):
        slow = client(SLOW)
        slow.create_vault(vaultName=self.vault)
        archive = self.upload(b"bytes", slow)["archiveId"]
        job = {"vaultName": self.vault, "jobId": self.initiate(slow, Type="archive-retrieval", ArchiveId=archive)}
        described = slow.describe_job(**job)
        self.assertIs(described["Completed"], False)
        self.assertEqual(described["StatusCode"], "InProgress")
        self.assertEqual(described["Tier"], "Standard")
        for absent in ["CompletionDate", "StatusMessage", "JobDescription", "SNSTopic"]:
            self.assertNotIn(absent, described)
        with self.invalid("^The job is not currently available for download: "):
            slow.get_job_output(**job)
        with self.not_found("^The job cannot be initiated yet, because no initial inventory exists"):
            self.initiate(slow, Type="inventory-retrieval")

    def test_are_not_found_when_unknown(self):
        for call in [self.glacier.describe_job, self.glacier.get_job_output]:
            with self.not_found("^The job ID was not found: A{92}$"):
                call(vaultName=self.vault, jobId="A" * 92)

    def test_are_listed_filtered_and_in_pages(self):
        jobs = [self.initiate(Type="inventory-retrieval") for _ in range(3)]
        jobs.append(self.retrieved()["JobId"])
        newest_first = jobs[::-1]
        paginator = self.glacier.get_paginator("list_jobs")

        def listed(size=None, **filters):
            pages = list(paginator.paginate(vaultName=self.vault, PaginationConfig={"PageSize": size}, **filters))
            return [[job["JobId"] for job in page["JobList"]] for page in pages]

        for size, pages in [(None, [4]), (1, [1] * 4), (3, [3, 1]), (1000, [4])]:
            with self.subTest(size=size):
                found = listed(size)
                self.assertEqual([len(page) for page in found], pages)
                self.assertEqual(sum(found, []), newest_first)
        self.assertEqual(listed(statuscode="Succeeded", completed="true"), [newest_first])
        for filters in [{"statuscode": "Failed"}, {"statuscode": "InProgress"}, {"completed": "false"}]:
            self.assertEqual(listed(**filters), [[]])
        with self.invalid("^The job status code is not valid: Lost$"):
            listed(statuscode="Lost")
        with self.invalid("^Invalid completed: "):
            listed(completed="TRUE")


class Inventories(Area):
    descriptions = ["one", "a \"quoted\", one", "", "four"]

    def setUp(self):
        super().setUp()
        self.ids = [self.upload(b"bytes", archiveDescription=text)["archiveId"] for text in self.descriptions]

    def page(self, **selection):
        job = self.finished(Type="inventory-retrieval", InventoryRetrievalParameters=selection)
        archives = json.loads(self.output(job)["body"].read())["ArchiveList"]
        return [archive["ArchiveId"] for archive in archives], job["InventoryRetrievalParameters"].get("Marker")

    def test_are_returned_as_json(self):
        job = self.finished(Type="inventory-retrieval", Description="all")
        self.assertEqual(job["Action"], "InventoryRetrieval")
        self.assertEqual(job["InventoryRetrievalParameters"], {"Format": "JSON"})
        output = self.output(job)
        self.assertEqual((output["status"], output["contentType"]), (200, "application/json"))
        self.assertNotIn("checksum", output)
        body = output["body"].read()
        self.assertEqual(job["InventorySizeInBytes"], len(body))
        inventory = json.loads(body)
        self.assertEqual(inventory["VaultARN"], job["VaultARN"])
        second = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
        self.assertRegex(inventory["InventoryDate"], second)
        for archive in inventory["ArchiveList"]:
            self.assertRegex(archive.pop("CreationDate"), second)
        self.assertEqual(inventory["ArchiveList"], [
            {"ArchiveId": id, "ArchiveDescription": text, "Size": 5, "SHA256TreeHash": tree_hash(b"bytes")}
            for id, text in zip(self.ids, self.descriptions)
        ])
        part = self.output(job, range="bytes=2-9")
        self.assertEqual((part["status"], part["contentRange"]), (206, f"bytes 2-9/{len(body)}"))
        self.assertEqual(part["body"].read(), body[2:10])

    def test_are_returned_as_csv(self):
        job = self.finished(Type="inventory-retrieval", Format="CSV")
        self.assertEqual(job["InventoryRetrievalParameters"], {"Format": "CSV"})
        output = self.output(job)
        self.assertEqual(output["contentType"], "text/csv")
        text = output["body"].read().decode()
        rows = list(csv.DictReader(io.StringIO(text), doublequote=False, escapechar="\\"))
        self.assertEqual(
            list(rows[0]), ["ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash"]
        )
        self.assertEqual([row["ArchiveId"] for row in rows], self.ids)
        self.assertEqual([row["ArchiveDescription"] for row in rows], self.descriptions)
        self.assertEqual({(row["Size"], row["SHA256TreeHash"]) for row in rows}, {("5", tree_hash(b"bytes"))})

    def test_are_returned_in_pages(self):
        for limit, pages in [("1", 4), ("3", 2), ("4", 1), ("9", 1)]:
            with self.subTest(limit=limit):
                found, marker = self.page(Limit=limit)
                count = 1
                while marker:
                    more, marker = self.page(Limit=limit, Marker=marker)
                    found += more
                    count += 1
                self.assertEqual((found, count), (self.ids, pages))

    def test_are_filtered_by_date(self):
        past, future = "2012-08-20T00:00:00Z", "2999-12-31T23:59:59Z"
        for selection, expected in [
            ({"StartDate": past, "EndDate": future}, self.ids),
            ({"EndDate": past}, []),
            ({"StartDate": future}, []),
        ]:
            with self.subTest(**selection):
                self.assertEqual(self.page(**selection), (expected, None))

    def test_are_rejected_with_invalid_selections(self):
        for wrong in [{"Limit": "0"}, {"Limit": "some"}, {"StartDate": "yesterday"}, {"Marker": "somewhere"}]:
            with self.subTest(**wrong), self.invalid(f"^Invalid .*{next(iter(wrong))}: "):
                self.page(**wrong)

    def test_are_empty_without_archives(self):
        for id in self.ids:
            self.glacier.delete_archive(vaultName=self.vault, archiveId=id)
        self.assertEqual(self.page(), ([], None))
