"""The tree hash of a file.

    hash FILE
"""
import sys

from botocore.utils import calculate_tree_hash
from finish import finish

with open(sys.argv[1], "rb") as file:
    finish(treeHash=calculate_tree_hash(file))
