"""``python -m collector``: collect until told to stop."""

import sys

from collector.configuration import EXIT_CONFIGURATION, NotConfigured
from collector.supervisor import supervise
from orchestration.settings import settings


def main() -> int:
    """Run the supervisor; a fault of the configuration is one line."""
    values = settings()
    try:
        return supervise(values)
    except NotConfigured as problem:
        print(f"collector: {problem}", file=sys.stderr)
    except OSError as problem:
        place = f"{values.collector_host}:{values.collector_port}"
        print(f"collector: cannot listen on {place}: {problem}", file=sys.stderr)
    return EXIT_CONFIGURATION


if __name__ == "__main__":
    sys.exit(main())
