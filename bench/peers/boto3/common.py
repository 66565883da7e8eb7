"""What the programs share: a client, threads, and the tree hash of parts."""
import hashlib
import os
import threading

import boto3
from botocore.config import Config

# At most 16 connections are in use at once.
glacier = boto3.client(
    "glacier", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(max_pool_connections=16)
)
vault = {"accountId": "-", "vaultName": "bench"}


def in_threads(work, items, count=4):
    """Threads that take the next item when they are done with one; the first failure is raised."""
    items, lock, failures = iter(items), threading.Lock(), []

    def worker():
        while not failures:
            with lock:
                item = next(items, None)
            if item is None:
                return
            try:
                work(item)
            except BaseException as failure:
                failures.append(failure)

    threads = [threading.Thread(target=worker) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def combine(hashes):
    nodes = [bytes.fromhex(node) for node in hashes]
    while len(nodes) > 1:
        nodes = [
            hashlib.sha256(nodes[i] + nodes[i + 1]).digest() if i + 1 < len(nodes) else nodes[i]
            for i in range(0, len(nodes), 2)
        ]
    return nodes[0].hex()
