"""When and where: assets, sensors and schedules around ``dbt_project`` and ``ml``."""

import os

# Read by the numeric libraries when they are loaded, so set before any of them. Threads that spin
# while they wait make two processes on two cores ten times slower than one after the other. The
# last one is read when a process starts, so by those that Dagster starts from here: a live worker's
# millions of small allocations cost more with every batch while few of them are kept for reuse.
for _name, _value in {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=5000",
}.items():
    os.environ.setdefault(_name, _value)
