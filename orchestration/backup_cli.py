"""``shoal backup`` and ``shoal restore``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.lake import Lake
from orchestration.settings import settings

errors = Console(stderr=True)


def backup(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where backups lie; SHOAL_BACKUPS, or beside the home, by default."),
    ] = None,
    copy: Annotated[
        bool,
        typer.Option(
            "--copy", help="Copy data files even where a hard link would do: safe from bad blocks."
        ),
    ] = False,
) -> None:
    """Back up the lake, the registry and the pseudonym key; the pipeline goes on meanwhile."""
    from orchestration.backup import BackupFailed, make_backup

    values = settings()
    folder = folder or values.backup_folder
    try:
        path, manifest = make_backup(
            Lake.from_settings(), values, folder, datetime.now(UTC), copy=copy
        )
    except BackupFailed as problem:
        errors.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{path}: {len(manifest.files)} files, {manifest.size / 1e6:,.1f} MB, up to batch "
        f"{manifest.batch_id}"
    )
    for part in manifest.not_covered:
        typer.echo(f"not in it: {part}")
    if "hash_key" in manifest.files:
        typer.echo(
            "It holds the key of the pseudonyms and raw identifiers: keep it as secret as the home"
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, such as the path `shoal backup` said.")],
) -> None:
    """Go back to a backup; the present lake, registry and key are kept aside."""
    from orchestration.backup_files import BackupDamaged
    from orchestration.restore import RestoreRefused, restore_backup

    values = settings()
    try:
        done = restore_backup(Lake.from_settings(), values, folder, datetime.now(UTC))
    except (BackupDamaged, RestoreRefused, OSError) as problem:
        errors.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    manifest = done.manifest
    typer.echo(f"restored {manifest.made_at}, up to batch {manifest.batch_id}, into {values.root}")
    typer.echo(f"what was there before is kept in {done.aside}")
    for part in manifest.not_covered:
        typer.echo(f"not restored: {part}")
    typer.echo(
        "run `make setup`; then files that were taken since and lie in landing are taken again"
    )
