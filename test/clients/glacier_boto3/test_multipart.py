from support import ACCOUNT, MIB, Area, ramp, tree_hash


class Multipart(Area):
    data = ramp(4 * MIB + 1000)

    def setUp(self):
        super().setUp()
        self.id = self.start()

    def start(self, size=MIB, **options):
        started = self.glacier.initiate_multipart_upload(vaultName=self.vault, partSize=str(size), **options)
        self.assertEqual(
            started["location"], f"/{ACCOUNT}/vaults/{self.vault}/multipart-uploads/{started['uploadId']}"
        )
        return started["uploadId"]

    def part(self, index, body=None, range=None, **options):
        body = self.data[index * MIB:(index + 1) * MIB] if body is None else body
        range = range or f"bytes {index * MIB}-{index * MIB + len(body) - 1}/*"
        stored = self.glacier.upload_multipart_part(
            vaultName=self.vault, uploadId=self.id, range=range, body=body, **options
        )
        self.assertEqual(stored["checksum"], tree_hash(body))
        return {"RangeInBytes": range[6:-2], "SHA256TreeHash": tree_hash(body)}

    def parts(self, **options):
        return self.glacier.list_parts(vaultName=self.vault, uploadId=self.id, **options)

    def complete(self, size=None, checksum=None):
        return self.glacier.complete_multipart_upload(
            vaultName=self.vault,
            uploadId=self.id,
            archiveSize=str(len(self.data) if size is None else size),
            checksum=checksum or tree_hash(self.data),
        )

    def test_accept_parts_out_of_order_and_repeated(self):
        self.id = self.start(archiveDescription="in parts")
        self.part(1, b"x" * MIB)
        self.part(4, b"short")
        sent = {index: self.part(index) for index in [3, 0, 4, 1, 2, 2]}
        listed = self.parts()
        self.assertEqual(listed["Parts"], [sent[index] for index in range(5)])
        self.assertEqual(listed["PartSizeInBytes"], MIB)
        self.assertEqual(listed["ArchiveDescription"], "in parts")
        self.assertEqual(listed["MultipartUploadId"], self.id)
        self.assertTrue(listed["VaultARN"].endswith(f":vaults/{self.vault}"))
        first = self.complete()
        self.assertEqual(first["checksum"], tree_hash(self.data))
        self.assertEqual(first["location"], f"/{ACCOUNT}/vaults/{self.vault}/archives/{first['archiveId']}")
        self.assertEqual(self.complete()["archiveId"], first["archiveId"])
        with self.not_found("^The upload ID was not found: "):
            self.parts()

        job = self.finished(Type="archive-retrieval", ArchiveId=first["archiveId"])
        output = self.output(job)
        self.assertEqual(output["archiveDescription"], "in parts")
        self.assertEqual(output["checksum"], tree_hash(self.data))
        self.assertTrue(output["body"].read() == self.data)

    def test_complete_only_without_gaps(self):
        with self.invalid("^No parts have been uploaded"):
            self.complete()
        for index in [0, 1, 3, 4]:
            self.part(index)
        with self.invalid("gap"):
            self.complete()
        self.part(2, self.data[:10])
        with self.invalid("gap"):
            self.complete()
        self.part(2)
        with self.invalid("^Invalid x-amz-archive-size: "):
            self.complete(size=len(self.data) - 1)
        with self.invalid("^Invalid x-amz-sha256-tree-hash: "):
            self.complete(checksum=tree_hash(self.data[:-1]))
        self.complete()

    def test_reject_invalid_parts(self):
        for text, arguments in [
            ("^Checksum mismatch: ", {"checksum": tree_hash(b"others")}),
            ("^Invalid Content-Range: bytes=0-1048575/", {"range": "bytes=0-1048575/*"}),
            ("^Invalid Content-Range: bytes 9-0/", {"range": "bytes 9-0/*"}),
            ("is incompatible with Content-Length: 1048576$", {"range": "bytes 0-1048576/*"}),
            ("not aligned", {"range": "bytes 1-1048576/*"}),
            ("larger than the part size", {"body": bytes(MIB + 1)}),
            ("^Part number 10001 exceeds the limit of 10000", {"range": f"bytes {10_000 * MIB}-{10_001 * MIB - 1}/*"}),
        ]:
            with self.subTest(text), self.invalid(text):
                self.part(0, **arguments)
        self.assertEqual(self.parts()["Parts"], [])

    def test_reject_invalid_part_sizes(self):
        for size in [MIB, 4096 * MIB]:
            self.start(size)
        for size in [0, MIB - 1, MIB + 1, 3 * MIB, 8192 * MIB]:
            with self.subTest(size=size), self.invalid(f"^Invalid part size: {size}\\."):
                self.start(size)
        with self.missing("^Required parameter missing: x-amz-part-size$"):
            self.glacier.initiate_multipart_upload(vaultName=self.vault)
        with self.missing("^Required parameter missing: "):
            self.glacier.complete_multipart_upload(vaultName=self.vault, uploadId=self.id)

    def test_list_their_parts_in_pages(self):
        sent = [self.part(index) for index in range(5)]
        paginator = self.glacier.get_paginator("list_parts")
        for size, sizes in [(None, [5]), (1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (1000, [5])]:
            with self.subTest(size=size):
                pages = list(paginator.paginate(
                    accountId="-", vaultName=self.vault, uploadId=self.id, PaginationConfig={"PageSize": size}
                ))
                self.assertEqual([len(page["Parts"]) for page in pages], sizes)
                self.assertEqual([part for page in pages for part in page["Parts"]], sent)
        with self.invalid("^Invalid marker: "):
            self.parts(marker="somewhere")

    def test_are_listed_in_pages_and_aborted_twice(self):
        ids = [self.id, *(self.start(2 * MIB, archiveDescription=str(i)) for i in range(4))]
        paginator = self.glacier.get_paginator("list_multipart_uploads")
        for size, sizes in [(None, [5]), (2, [2, 2, 1])]:
            pages = list(paginator.paginate(vaultName=self.vault, PaginationConfig={"PageSize": size}))
            self.assertEqual([len(page["UploadsList"]) for page in pages], sizes)
            uploads = [upload for page in pages for upload in page["UploadsList"]]
            self.assertCountEqual([upload["MultipartUploadId"] for upload in uploads], ids)
        by_id = {upload["MultipartUploadId"]: upload for upload in uploads}
        self.assertNotIn("ArchiveDescription", by_id[ids[0]])
        self.assertEqual(by_id[ids[1]]["ArchiveDescription"], "0")
        self.assertEqual(by_id[ids[1]]["PartSizeInBytes"], 2 * MIB)

        for _ in range(2):
            aborted = self.glacier.abort_multipart_upload(vaultName=self.vault, uploadId=self.id)
            self.assertEqual(aborted["ResponseMetadata"]["HTTPStatusCode"], 204)
        listed = self.glacier.list_multipart_uploads(vaultName=self.vault)["UploadsList"]
        self.assertCountEqual([upload["MultipartUploadId"] for upload in listed], ids[1:])
        for call in [self.parts, self.complete, lambda: self.part(0)]:
            with self.not_found("^The upload ID was not found: "):
                call()
        with self.not_found("^The upload ID was not found: "):
            self.glacier.abort_multipart_upload(vaultName=self.vault, uploadId="A" * 92)

    def test_are_not_aborted_once_completed(self):
        self.part(0, b"bytes")
        self.complete(5, tree_hash(b"bytes"))
        with self.not_found("^The upload ID was not found: "):
            self.glacier.abort_multipart_upload(vaultName=self.vault, uploadId=self.id)
