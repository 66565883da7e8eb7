"""Uploads a file in parts, four in flight. botocore hashes the parts; their tree hashes, which the service repeats,
make that of the whole.

    upload FILE PART_SIZE
"""
import os
import sys

from common import combine, glacier, in_threads, vault
from finish import finish

path, part_size = sys.argv[1], int(sys.argv[2])
file = os.open(path, os.O_RDONLY)
size = os.fstat(file).st_size
upload = {**vault, "uploadId": glacier.initiate_multipart_upload(**vault, partSize=str(part_size))["uploadId"]}
hashes = {}


def send(start):
    part = os.pread(file, part_size, start)
    response = glacier.upload_multipart_part(**upload, range=f"bytes {start}-{start + len(part) - 1}/*", body=part)
    hashes[start] = response["checksum"]


in_threads(send, range(0, size, part_size))
tree_hash = combine([hashes[start] for start in sorted(hashes)])
glacier.complete_multipart_upload(**upload, checksum=tree_hash, archiveSize=str(size))
finish(treeHash=tree_hash)
