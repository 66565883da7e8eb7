import unittest

from botocore.session import Session

from support import answered, caught, client


class Completeness(unittest.TestCase):
    """What boto3's own model of the service has and no test has touched."""

    def setUp(self):
        self.model = Session().get_service_model("glacier")

    def test_of_operations(self):
        self.assertEqual(set(self.model.operation_names) - answered, set())

    def test_of_modelled_errors(self):
        exceptions = client().exceptions
        kinds = {getattr(exceptions, shape.name) for shape in self.model.error_shapes}
        self.assertGreaterEqual(len(kinds), 8)
        self.assertEqual(kinds - caught, set())
