import datetime

from support import MIB, Area, client


class Accounts(Area):
    """The settings of an account in a region. Each test uses its own region."""

    def go_to(self, region):
        self.glacier = client(region_name=region)
        self.glacier.create_vault(vaultName=self.vault)

    def set(self, *rules):
        return self.glacier.set_data_retrieval_policy(Policy={"Rules": list(rules)})

    def rules(self):
        return self.glacier.get_data_retrieval_policy()["Policy"]["Rules"]

    def test_set_and_get_the_data_retrieval_policy(self):
        self.go_to("eu-central-1")
        self.assertEqual(self.rules(), [{"Strategy": "None"}])
        for rule in [
            {"Strategy": "FreeTier"},
            {"Strategy": "BytesPerHour", "BytesPerHour": 10_737_418_240},
            {"Strategy": "None"},
        ]:
            self.assertEqual(self.set(rule)["ResponseMetadata"]["HTTPStatusCode"], 204)
            self.assertEqual(self.rules(), [rule])
        none = {"Strategy": "None"}
        for rules in [
            [],
            [none, none],
            [{"Strategy": "Some"}],
            [{"Strategy": "BytesPerHour"}],
            [{"Strategy": "BytesPerHour", "BytesPerHour": 0}],
            [{"Strategy": "FreeTier", "BytesPerHour": 1}],
        ]:
            with self.subTest(rules=rules), self.invalid("^Invalid .*Rules"):
                self.set(*rules)
        with self.missing("^Required parameter missing: Policy$"):
            self.glacier.set_data_retrieval_policy()
        self.assertEqual(self.rules(), [none])

    def test_retrieve_as_much_as_the_data_retrieval_policy_allows(self):
        self.go_to("eu-west-1")
        archive = {"Type": "archive-retrieval", "ArchiveId": self.upload(b"bytes")["archiveId"]}
        self.set({"Strategy": "BytesPerHour", "BytesPerHour": 9})
        self.initiate(**archive)
        with self.rejected("PolicyEnforcedException", 400, "denied by current data retrieval policy"):
            self.initiate(**archive)
        for tier in ["Expedited", "Bulk"]:
            self.initiate(**archive, Tier=tier)
        self.initiate(Type="inventory-retrieval")
        self.set({"Strategy": "BytesPerHour", "BytesPerHour": 10})
        self.initiate(**archive)

    def test_buy_provisioned_capacity_for_large_expedited_retrievals(self):
        self.go_to("ap-northeast-1")
        archive = self.upload(bytes(4 * MIB + 1))["archiveId"]
        expedited = {"Type": "archive-retrieval", "ArchiveId": archive, "Tier": "Expedited"}
        with self.rejected("InsufficientCapacityException", 503, "insufficient capacity"):
            self.initiate(**expedited)
        self.assertEqual(self.glacier.list_provisioned_capacity()["ProvisionedCapacityList"], [])
        bought = [self.glacier.purchase_provisioned_capacity() for _ in range(2)]
        self.assertEqual([each["ResponseMetadata"]["HTTPStatusCode"] for each in bought], [201, 201])
        with self.limited("at most 2 units"):
            self.glacier.purchase_provisioned_capacity()
        units = self.glacier.list_provisioned_capacity()["ProvisionedCapacityList"]
        self.assertEqual([unit["CapacityId"] for unit in units], [each["capacityId"] for each in bought])
        for unit in units:
            start, expiration = (
                datetime.datetime.strptime(unit[name], "%Y-%m-%dT%H:%M:%S.%fZ")
                for name in ("StartDate", "ExpirationDate")
            )
            self.assertLess(datetime.timedelta(days=27), expiration - start)
            self.assertLess(expiration - start, datetime.timedelta(days=32))
        self.initiate(**expedited)
