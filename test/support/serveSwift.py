"""Runs an OpenStack Swift with its API of S3, with all servers in this process and all data in the folder of the first argument.

Prints the port of the API. The access key is `test:tester`, the secret key is `testing`, the region is `eu-west-1`. The process
ends when its standard input ends.
"""
import os
import sys

import eventlet
import eventlet.tpool
import eventlet.wsgi

eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift.common.ring import RingBuilder
from swift.common.storage_policy import reload_storage_policies
from swift.common.utils import NullLogger, set_swift_dir
from swift.common.wsgi import SwiftHttpProtocol, loadapp

folder = sys.argv[1]

PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = CRITICAL

[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo dlo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:cache]
use = egg:swift#memcache

[filter:s3api]
use = egg:swift#s3api
location = eu-west-1
# So that the lists of the tests have several pages, and the parts are small.
max_parts_listing = 2
min_segment_size = 1

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin

[filter:bulk]
use = egg:swift#bulk

[filter:slo]
use = egg:swift#slo

[filter:dlo]
use = egg:swift#dlo
"""

STORAGE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}
mount_check = false
log_level = CRITICAL

[app:main]
use = egg:swift#{name}
"""


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def serve(conf, listener):
    eventlet.spawn(
        eventlet.wsgi.server, listener, loadapp(conf), NullLogger(), protocol=SwiftHttpProtocol, log_output=False
    )


def listen():
    listener = eventlet.listen(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


write("swift.conf", "[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n")
set_swift_dir(folder)
reload_storage_policies()
os.mkdir(os.path.join(folder, "disk"))

for name in ["account", "container", "object"]:
    listener, port = listen()
    ring = RingBuilder(part_power=1, replicas=1, min_part_hours=1)
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1})
    ring.rebalance()
    ring.get_ring().save(os.path.join(folder, name + ".ring.gz"))
    serve(write(name + ".conf", STORAGE.format(folder=folder, name=name)), listener)

listener, port = listen()
serve(write("proxy.conf", PROXY.format(folder=folder)), listener)
print(port, flush=True)
# Waits without blocking the servers.
eventlet.tpool.execute(sys.stdin.read)
