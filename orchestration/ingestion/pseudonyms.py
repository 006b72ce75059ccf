"""Keyed hashes of identifiers, computed once per distinct value."""

from orchestration.ingestion.entities import Entity
from orchestration.ingestion.sql import identifier

LENGTH = 20
NORMALISED = {
    "email": "nullif(lower(trim({value})), '')",
    "phone": "nullif(regexp_replace({value}, '[^0-9]', '', 'g'), '')",
}


def keyed_hash(name: str, value: str) -> str:
    """SQL for the pseudonym ``name`` of a text; its named parameter is ``pseudonym_key``.

    The name keeps kinds of identifiers apart: customer 7 is not browser 7. The nested hash is the
    envelope of HMAC: knowing one pseudonym does not help to extend it.
    """
    inner = f"sha256($pseudonym_key || '{name}:' || {value})"
    return f"left(sha256($pseudonym_key || {inner}), {LENGTH})"


def pseudonym_joins(entity: Entity, rows: str) -> tuple[list[str], str]:
    """SQL for an entity's pseudonym columns and for the joins that provide them.

    Parameters
    ----------
    rows
        The relation ``rows`` that the joins extend is also where distinct values come from.
    """
    selected, joins = [], []
    for number, (name, source) in enumerate(entity.pseudonyms.items()):
        value = NORMALISED.get(source, "{value}").format(value=identifier(source))
        selected.append(f"hashed_{number}.pseudonym as {identifier(name)}")
        joins.append(
            f"left join (select source, {keyed_hash(name, 'normal')} as pseudonym from ("
            f"select distinct {identifier(source)} as source, {value} as normal from {rows} "
            f"where {identifier(source)} is not null)) as hashed_{number} "
            f"on hashed_{number}.source = rows.{identifier(source)}"
        )
    return selected, "\n".join(joins)
