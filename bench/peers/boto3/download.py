"""Downloads the output of a job to a file by four ranges at once, each checked against its tree hash.

    download FILE WINDOW_SIZE JOB
"""
import io
import os
import sys

from botocore.utils import calculate_tree_hash
from common import combine, glacier, in_threads, vault
from finish import finish

path, window_size = sys.argv[1], int(sys.argv[2])
job = {**vault, "jobId": sys.argv[3]}
described = glacier.describe_job(**job)
size = described["ArchiveSizeInBytes"]
file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
hashes = {}


def fetch(start):
    end = min(start + window_size, size) - 1
    response = glacier.get_job_output(**job, range=f"bytes={start}-{end}")
    window = response["body"].read()
    hashes[start] = calculate_tree_hash(io.BytesIO(window))
    if hashes[start] != response["checksum"]:
        raise ValueError(f"{start} to {end} came with another tree hash")
    os.pwrite(file, window, start)


in_threads(fetch, range(0, size, window_size))
if combine([hashes[start] for start in sorted(hashes)]) != described["SHA256TreeHash"]:
    raise ValueError("The whole has another tree hash")
os.fsync(file)
os.close(file)
finish()
