"""Uploads many small archives, four in flight.

    small COUNT SIZE
"""
import sys

from common import glacier, in_threads, vault
from finish import finish

count, size = int(sys.argv[1]), int(sys.argv[2])
body = (b"glacier" * (size // 7 + 1))[:size]
in_threads(lambda _: glacier.upload_archive(**vault, body=body), range(count))
finish()
