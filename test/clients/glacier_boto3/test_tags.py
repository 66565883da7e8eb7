from support import Area


class Tags(Area):
    def add(self, **tags):
        return self.glacier.add_tags_to_vault(vaultName=self.vault, Tags=tags)

    def remove(self, *keys):
        return self.glacier.remove_tags_from_vault(vaultName=self.vault, TagKeys=list(keys))

    def tags(self):
        return self.glacier.list_tags_for_vault(vaultName=self.vault)["Tags"]

    def test_are_added_replaced_and_removed(self):
        self.assertEqual(self.tags(), {})
        added = self.add(color="red", Color="blue", **{"\u00fc _./=+-@": ""})
        self.assertEqual(added["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.add(color="green")
        self.assertEqual(self.tags(), {"color": "green", "Color": "blue", "\u00fc _./=+-@": ""})
        for _ in range(2):
            removed = self.remove("Color", "unknown")
            self.assertEqual(removed["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.assertEqual(self.tags(), {"color": "green", "\u00fc _./=+-@": ""})

    def test_are_at_most_50_on_a_vault(self):
        for ten in range(5):
            self.add(**{f"key-{ten}{number}": "value" for number in range(10)})
        with self.limited("at most 50 tags"):
            self.add(another="value")
        self.assertEqual(len(self.tags()), 50)
        self.add(**{"key-00": "other"})
        self.remove("key-01")
        self.add(another="value")

    def test_are_rejected_when_invalid(self):
        for tags in [{}, {str(i): "" for i in range(11)}, {"aws:key": ""}, {"k" * 129: ""}, {"key": "v" * 256},
                     {"key!": ""}, {"": "value"}]:
            with self.subTest(tags=tags), self.invalid("^Invalid .*Tags"):
                self.add(**tags)
        for keys in [[], [str(i) for i in range(11)], ["aws:key"]]:
            with self.subTest(keys=keys), self.invalid("^Invalid .*TagKeys"):
                self.remove(*keys)
        for call, name in [
            (self.glacier.add_tags_to_vault, "Tags"),
            (self.glacier.remove_tags_from_vault, "TagKeys"),
        ]:
            with self.missing(f"^Required parameter missing: {name}$"):
                call(vaultName=self.vault)
        self.assertEqual(self.tags(), {})
