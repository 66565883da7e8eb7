"""Deletes many archives, 16 in flight.

    delete COUNT
"""
import sys

from common import glacier, in_threads, vault
from finish import finish

count = int(sys.argv[1])
in_threads(lambda index: glacier.delete_archive(**vault, archiveId=str(index).rjust(138, "A")), range(count), 16)
finish()
