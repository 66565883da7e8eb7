import datetime
import json

from support import ACCOUNT, Area, client, deny


OTHER = "210987654321"


class AccessPolicies(Area):
    def set(self, policy):
        return self.glacier.set_vault_access_policy(vaultName=self.vault, policy={"Policy": policy})

    def delete(self):
        return self.glacier.delete_vault_access_policy(vaultName=self.vault)

    def test_are_set_replaced_and_deleted_twice(self):
        with self.not_found(f"^No vault access policy is set for: {self.vault}$"):
            self.glacier.get_vault_access_policy(vaultName=self.vault)
        for policy in [deny("glacier:DeleteArchive"), json.dumps(json.loads(deny("glacier:InitiateJob")), indent=2)]:
            self.assertEqual(self.set(policy)["ResponseMetadata"]["HTTPStatusCode"], 204)
            got = self.glacier.get_vault_access_policy(vaultName=self.vault)
            self.assertEqual(got["policy"], {"Policy": policy})
        for _ in range(2):
            self.assertEqual(self.delete()["ResponseMetadata"]["HTTPStatusCode"], 204)
        with self.not_found("^No vault access policy is set for: "):
            self.glacier.get_vault_access_policy(vaultName=self.vault)

    def test_deny_the_actions_they_list(self):
        archive = self.upload(b"bytes")["archiveId"]
        self.set(deny(["glacier:Delete*", "glacier:DescribeVault"]))
        for call in [
            lambda: self.glacier.delete_archive(vaultName=self.vault, archiveId=archive),
            lambda: self.glacier.delete_vault(vaultName=self.vault),
            lambda: self.glacier.describe_vault(vaultName=self.vault),
            self.delete,
        ]:
            with self.denied(" is not authorized to perform: glacier:D.* on resource: arn:.* explicit deny"):
                call()
        self.upload(b"others")
        self.set(deny("glacier:UploadArchive"))
        self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)

    def test_deny_by_the_tags_of_the_vault(self):
        self.set(deny("glacier:UploadArchive", Condition={"StringEquals": {"glacier:ResourceTag/state": "closed"}}))
        self.upload(b"bytes")
        self.glacier.add_tags_to_vault(vaultName=self.vault, Tags={"state": "closed"})
        with self.denied("glacier:UploadArchive"):
            self.upload(b"bytes")
        self.glacier.add_tags_to_vault(vaultName=self.vault, Tags={"state": "open"})
        self.upload(b"bytes")

    def test_allow_other_accounts(self):
        vault = {"accountId": ACCOUNT, "vaultName": self.vault}
        other = client(key="OTHER")
        with self.not_found(f"^Vault not found for ARN: arn:aws:glacier:us-east-1:{OTHER}:vaults/{self.vault}$"):
            other.describe_vault(vaultName=self.vault)
        allow = deny("glacier:DescribeVault").replace("Deny", "Allow").replace('"*"', json.dumps({"AWS": OTHER}), 1)
        self.set(allow)
        self.assertEqual(other.describe_vault(**vault)["VaultName"], self.vault)
        with self.denied(f"^Access denied for account ID: {ACCOUNT}$"):
            other.upload_archive(**vault, body=b"bytes")
        self.delete()
        with self.denied(f"^Access denied for account ID: {ACCOUNT}$"):
            other.describe_vault(**vault)

    def test_are_rejected_when_invalid(self):
        for policy in ["", "{", "[]", "{}", json.dumps({"Version": "2012-10-17"}), deny("glacier:*") + " " * 20_480]:
            with self.subTest(policy[:40]), self.invalid("^The vault access policy is not valid\\."):
                self.set(policy)
        with self.missing("^Required parameter missing: Policy$"):
            self.glacier.set_vault_access_policy(vaultName=self.vault)
        with self.not_found("^Vault not found for ARN: "):
            self.glacier.set_vault_access_policy(vaultName="missing", policy={"Policy": deny("glacier:*")})


class VaultLocks(Area):
    policy = deny(
        "glacier:DeleteArchive", Condition={"NumericLessThan": {"glacier:ArchiveAgeInDays": "365"}}
    )

    def initiate_lock(self):
        initiated = self.glacier.initiate_vault_lock(vaultName=self.vault, policy={"Policy": self.policy})
        self.assertEqual(initiated["ResponseMetadata"]["HTTPStatusCode"], 201)
        return initiated["lockId"]

    def complete(self, lock):
        completed = self.glacier.complete_vault_lock(vaultName=self.vault, lockId=lock)
        self.assertEqual(completed["ResponseMetadata"]["HTTPStatusCode"], 204)

    def get(self):
        lock = self.glacier.get_vault_lock(vaultName=self.vault)
        del lock["ResponseMetadata"]
        return lock

    def abort(self):
        aborted = self.glacier.abort_vault_lock(vaultName=self.vault)
        self.assertEqual(aborted["ResponseMetadata"]["HTTPStatusCode"], 204)

    def test_are_not_found_before_they_are_initiated(self):
        none = f"^No vault lock policy is set for: {self.vault}$"
        self.abort()
        for call in [self.get, lambda: self.complete("A" * 27)]:
            with self.not_found(none):
                call()
        with self.invalid("^The vault lock policy is not valid\\."):
            self.glacier.initiate_vault_lock(vaultName=self.vault, policy={"Policy": "{"})
        with self.missing("^Required parameter missing: Policy$"):
            self.glacier.initiate_vault_lock(vaultName=self.vault)

    def test_deny_while_in_progress_and_can_be_aborted(self):
        archive = self.upload(b"bytes")["archiveId"]
        first = self.initiate_lock()
        lock = self.get()
        creation, expiration = (
            datetime.datetime.strptime(lock.pop(name), "%Y-%m-%dT%H:%M:%S.%fZ")
            for name in ("CreationDate", "ExpirationDate")
        )
        self.assertEqual(expiration - creation, datetime.timedelta(days=1))
        self.assertEqual(lock, {"Policy": self.policy, "State": "InProgress"})
        with self.denied("^A vault lock is in progress already: arn:"):
            self.initiate_lock()
        with self.invalid("^Invalid lockId: "):
            self.complete("A" * len(first))
        with self.denied("glacier:DeleteArchive"):
            self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
        self.abort()
        self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
        with self.not_found("^No vault lock policy is set for: "):
            self.get()
        self.initiate_lock()
        with self.invalid("^Invalid lockId: "):
            self.complete(first)

    def test_cannot_be_changed_once_locked(self):
        archive = self.upload(b"bytes")["archiveId"]
        lock = self.initiate_lock()
        for _ in range(2):
            self.complete(lock)
        locked = self.get()
        self.assertEqual((locked["Policy"], locked["State"]), (self.policy, "Locked"))
        self.assertNotIn("ExpirationDate", locked)
        for call in [self.initiate_lock, self.abort, lambda: self.complete("A" * len(lock))]:
            with self.denied("^The vault lock policy is locked and cannot be changed: arn:"):
                call()
        # An access policy cannot allow what the lock denies.
        allow = deny("glacier:DeleteArchive").replace("Deny", "Allow")
        self.glacier.set_vault_access_policy(vaultName=self.vault, policy={"Policy": allow})
        with self.denied("glacier:DeleteArchive"):
            self.glacier.delete_archive(vaultName=self.vault, archiveId=archive)
