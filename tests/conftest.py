"""What every test shares: the threading settings of the product."""

import orchestration  # noqa: F401  (sets the environment of the numeric libraries)
