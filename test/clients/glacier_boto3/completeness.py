import unittest

from botocore.session import Session

from support import caught, client, succeeded


class Completeness(unittest.TestCase):
    """The operations and errors of boto3's model have all occurred in the other tests."""

    def setUp(self):
        self.model = Session().get_service_model("glacier")

    def test_includes_all_operations(self):
        self.assertEqual(set(self.model.operation_names) - succeeded, set())

    def test_includes_all_modelled_errors(self):
        exceptions = client().exceptions
        kinds = {getattr(exceptions, shape.name) for shape in self.model.error_shapes}
        self.assertGreaterEqual(len(kinds), 8)
        self.assertEqual(kinds - caught, set())
