"""When and where: assets, sensors and schedules around ``dbt_project`` and ``ml``."""

import os

# Read by the numeric libraries when they are loaded, so set before any of them. Threads that spin
# while they wait make two processes on two cores ten times slower than one after the other.
for _name, _value in {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "OPENBLAS_NUM_THREADS": "1",
}.items():
    os.environ.setdefault(_name, _value)
