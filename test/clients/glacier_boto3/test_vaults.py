import datetime
import threading

from botocore.exceptions import WaiterError

from support import ACCOUNT, SLOW, Area, client


class Vaults(Area):
    def test_can_be_created_and_deleted_twice(self):
        created = self.glacier.create_vault(accountId=ACCOUNT, vaultName=self.vault)
        self.assertEqual(created["location"], f"/{ACCOUNT}/vaults/{self.vault}")
        self.assertEqual(created["ResponseMetadata"]["HTTPStatusCode"], 201)
        described = self.glacier.describe_vault(vaultName=self.vault)
        del described["ResponseMetadata"]
        creation = datetime.datetime.strptime(described.pop("CreationDate"), "%Y-%m-%dT%H:%M:%S.%fZ")
        self.assertLess(abs(datetime.datetime.utcnow() - creation), datetime.timedelta(minutes=1))
        self.assertEqual(described, {
            "VaultName": self.vault,
            "VaultARN": f"arn:aws:glacier:us-east-1:{ACCOUNT}:vaults/{self.vault}",
            "NumberOfArchives": 0,
            "SizeInBytes": 0,
        })
        for _ in range(2):
            deleted = self.glacier.delete_vault(vaultName=self.vault)
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        with self.not_found("^Vault not found for ARN: "):
            self.glacier.describe_vault(vaultName=self.vault)

    def test_have_the_counts_of_their_last_inventory(self):
        for _ in range(2):
            archive = self.upload(b"bytes")["archiveId"]
        described = self.glacier.describe_vault(vaultName=self.vault)
        self.assertEqual(described["NumberOfArchives"], 2)
        self.assertGreaterEqual(described["SizeInBytes"], 10)
        self.assertRegex(described["LastInventoryDate"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
        self.assertEqual(self.glacier.describe_vault(vaultName=self.vault)["NumberOfArchives"], 1)

    def test_are_not_deleted_with_archives_or_before_the_next_inventory(self):
        self.upload(b"bytes")
        with self.invalid("^Vault not empty or recently written to: arn:"):
            self.glacier.delete_vault(vaultName=self.vault)
        slow = client(SLOW)
        slow.create_vault(vaultName=self.vault)
        archive = self.upload(b"bytes", slow)["archiveId"]
        slow.delete_archive(vaultName=self.vault, archiveId=archive)
        described = slow.describe_vault(vaultName=self.vault)
        self.assertNotIn("LastInventoryDate", described)
        with self.invalid("^Vault not empty or recently written to: arn:"):
            slow.delete_vault(vaultName=self.vault)

    def test_are_listed_in_pages_of_any_size(self):
        # No other test has vaults in this region.
        glacier = client(region_name="eu-west-3")
        names = [f"page-{number:02}" for number in range(13)]
        for name in reversed(names):
            glacier.create_vault(vaultName=name)
        paginator = glacier.get_paginator("list_vaults")
        for size, sizes in [(None, [10, 3]), (1, [1] * 13), (5, [5, 5, 3]), (10, [10, 3]), (1000, [10, 3])]:
            with self.subTest(size=size):
                pages = list(paginator.paginate(PaginationConfig={"PageSize": size}))
                self.assertEqual([len(page["VaultList"]) for page in pages], sizes)
                self.assertEqual([vault["VaultName"] for page in pages for vault in page["VaultList"]], names)
        some = paginator.paginate(PaginationConfig={"PageSize": 4, "MaxItems": 6}).build_full_result()
        self.assertEqual([vault["VaultName"] for vault in some["VaultList"]], names[:6])
        rest = paginator.paginate(PaginationConfig={"StartingToken": some["NextToken"]}).build_full_result()
        self.assertEqual([vault["VaultName"] for vault in rest["VaultList"]], names[6:])

        first = glacier.list_vaults(limit="2")
        self.assertEqual(first["Marker"], first["VaultList"][1]["VaultARN"])
        second = glacier.list_vaults(limit="2", marker=first["Marker"])
        self.assertEqual([vault["VaultName"] for vault in second["VaultList"]], names[2:4])
        for wrong in [{"limit": "0"}, {"limit": "-1"}, {"limit": "some"}, {"marker": "somewhere"}]:
            with self.subTest(**wrong), self.invalid("^Invalid (limit|marker): "):
                glacier.list_vaults(**wrong)

    def test_belong_to_one_region(self):
        elsewhere = client(region_name="ap-south-1")
        with self.not_found("^Vault not found for ARN: arn:aws:glacier:ap-south-1:"):
            elsewhere.describe_vault(vaultName=self.vault)

    def test_can_be_waited_for(self):
        often = {"Delay": 0.05, "MaxAttempts": 200}
        exists, gone = (self.glacier.get_waiter(f"vault_{state}") for state in ("exists", "not_exists"))
        for waiter, change in [(gone, self.glacier.delete_vault), (exists, self.glacier.create_vault)]:
            timer = threading.Timer(0.2, change, kwargs={"vaultName": self.vault})
            timer.start()
            waiter.wait(vaultName=self.vault, WaiterConfig=often)
            timer.join()
        exists.wait(vaultName=self.vault, WaiterConfig={"MaxAttempts": 1})
        with self.assertRaises(WaiterError):
            gone.wait(vaultName=self.vault, WaiterConfig={"Delay": 0.01, "MaxAttempts": 3})

    def test_are_not_created_with_invalid_names(self):
        for name in ["a b", "a!b", "ü", "x" * 256]:
            with self.subTest(name=name), self.invalid("^Invalid vaultName: "):
                self.glacier.create_vault(vaultName=name)
        for name in ["x" * 255, "a.b-c_D"]:
            self.glacier.create_vault(vaultName=name)
            self.assertEqual(self.glacier.describe_vault(vaultName=name)["VaultName"], name)
