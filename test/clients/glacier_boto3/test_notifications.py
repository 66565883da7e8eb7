from support import ACCOUNT, Area


class Notifications(Area):
    config = {
        "SNSTopic": f"arn:aws:sns:us-east-1:{ACCOUNT}:topic",
        "Events": ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"],
    }

    def set(self, **config):
        return self.glacier.set_vault_notifications(vaultName=self.vault, vaultNotificationConfig=config)

    def test_are_set_replaced_and_deleted_twice(self):
        unset = f"^No notification configuration is set for vault: arn:.*/{self.vault}$"
        with self.not_found(unset):
            self.glacier.get_vault_notifications(vaultName=self.vault)
        for config in [self.config, {**self.config, "Events": ["InventoryRetrievalCompleted"]}]:
            self.assertEqual(self.set(**config)["ResponseMetadata"]["HTTPStatusCode"], 204)
            got = self.glacier.get_vault_notifications(vaultName=self.vault)
            self.assertEqual(got["vaultNotificationConfig"], config)
        for _ in range(2):
            deleted = self.glacier.delete_vault_notifications(vaultName=self.vault)
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        with self.not_found(unset):
            self.glacier.get_vault_notifications(vaultName=self.vault)

    def test_are_not_set_with_invalid_configurations(self):
        for text, config in [
            ("^Invalid .*Events", {**self.config, "Events": []}),
            ("^Invalid .*Events", {**self.config, "Events": ["ArchiveRetrievalFailed"]}),
            ("^Invalid .*SNSTopic", {**self.config, "SNSTopic": ""}),
            ("^Invalid .*SNSTopic", {**self.config, "SNSTopic": "topic"}),
        ]:
            with self.subTest(**config), self.invalid(text):
                self.set(**config)
        for name in self.config:
            rest = {key: value for key, value in self.config.items() if key != name}
            with self.subTest(name), self.missing(f"^Required parameter missing: {name}$"):
                self.set(**rest)
        with self.missing("^Required parameter missing: "):
            self.glacier.set_vault_notifications(vaultName=self.vault)
        with self.not_found("^Vault not found for ARN: "):
            self.glacier.set_vault_notifications(vaultName="missing", vaultNotificationConfig=self.config)
