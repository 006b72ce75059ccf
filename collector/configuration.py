"""What the settings have to say before a collector can start."""

from orchestration.settings import Settings

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h: no use in trying again
KEY_LENGTH = 8


class NotConfigured(RuntimeError):
    """A setting is missing or wrong; the message says which and what to do."""


def write_keys(values: Settings) -> list[str]:
    """Give the write keys.

    Raises
    ------
    NotConfigured
        When there is none, or one that is too short to be a secret.
    """
    keys = _listed(values.collector_keys)
    if not keys:
        raise NotConfigured(
            "SHOAL_COLLECTOR_KEYS is empty: put one or more write keys, with commas between, "
            'into .env or the environment; python -c "import secrets; '
            'print(secrets.token_urlsafe())" makes one'
        )
    if any(len(key) < KEY_LENGTH for key in keys):
        raise NotConfigured(f"SHOAL_COLLECTOR_KEYS: a key has at least {KEY_LENGTH} characters")
    return keys


def origins_of(values: Settings) -> list[str]:
    """Origins of the pages that may read an answer; empty: none."""
    return _listed(values.collector_origins)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
