"""What a batch did, per file and in all."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileReport:
    """One file of a batch, as the ledger records it."""

    file: str
    entity: str
    file_hash: str
    partition_key: str
    bytes: int
    modified_ns: int
    format: str | None
    received: int
    accepted: int
    duplicates: int
    rejected: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BatchReport:
    """One call of ``ingest_batch``.

    Attributes
    ----------
    batch_id
        None when nothing was left to do: then nothing was written.
    skipped
        Files whose content the ledger has already.
    left
        Files left for later, with the reason.
    """

    batch_id: int | None
    files: tuple[FileReport, ...] = ()
    skipped: tuple[str, ...] = ()
    left: dict[str, str] = field(default_factory=dict)

    @property
    def received(self) -> int:
        return sum(file.received for file in self.files)

    @property
    def accepted(self) -> int:
        return sum(file.accepted for file in self.files)

    @property
    def duplicates(self) -> int:
        return sum(file.duplicates for file in self.files)

    @property
    def rejected(self) -> int:
        return sum(file.rejected for file in self.files)

    def and_then(self, later: "BatchReport") -> "BatchReport":
        """What two batches did together, under the number of the last one that took anything."""
        return BatchReport(
            later.batch_id or self.batch_id,
            (*self.files, *later.files),
            (*self.skipped, *later.skipped),
            {**self.left, **later.left},
        )

    @property
    def accepted_by_entity(self) -> dict[str, int]:
        """Accepted rows per entity, for those that have any."""
        counts: dict[str, int] = {}
        for file in self.files:
            if file.accepted:
                counts[file.entity] = counts.get(file.entity, 0) + file.accepted
        return counts
