"""Who and what is talked about: mentions of brands, products and competitors, and their shares.

Terms come from a YAML file: group, then name, then the ways in which people write it::

    brands:
      Shoal: [shoal, "@shoalshop"]
    competitors:
      Reef: [reef shop, "#reef"]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


class TermsError(ValueError):
    """Terms that cannot be read; says where and what to do."""


@dataclass(frozen=True)
class Terms:
    """What is listened for.

    Attributes
    ----------
    names : dict of (group, name) to tuple of str
        The ways in which each name is written, in lower case.
    """

    names: dict[tuple[str, str], tuple[str, ...]]

    @classmethod
    def from_yaml(cls, source: str, where: str = "terms") -> Terms:
        """Read terms, none of which may be wrong; see `read_terms`.

        Raises
        ------
        TermsError
            It is no YAML, not of the form, or one spelling stands for two names.
        """
        terms, errors = read_terms(source, where)
        for error in errors.values():
            raise TermsError(error)
        return terms

    @property
    def kept(self) -> frozenset[str]:
        """Spellings in lower case without ``@``: what masking leaves as it is."""
        return frozenset(term.strip("@#") for terms in self.names.values() for term in terms)


def read_terms(source: str, where: str = "terms") -> tuple[Terms, dict[tuple[str, str], str]]:
    """Read terms; one that is wrong is left out, with the reason.

    Parameters
    ----------
    source : str
        YAML text.
    where : str
        What to call it in messages.

    Returns
    -------
    terms : Terms
    errors : dict of (group, name) to str
        Why the others are left out; the name is empty where a whole group is.

    Raises
    ------
    TermsError
        It is no YAML, or no groups.
    """
    import yaml

    try:
        groups: Any = yaml.safe_load(source) or {}
    except yaml.YAMLError as error:
        raise TermsError(f"{where}: no valid YAML: {error}") from None
    if not isinstance(groups, dict):
        raise TermsError(f"{where}: write groups of names, such as `brands: {{Shoal: [shoal]}}`")
    names: dict[tuple[str, str], tuple[str, ...]] = {}
    errors: dict[tuple[str, str], str] = {}
    owners: dict[str, tuple[str, str]] = {}
    for group, members in groups.items():
        if not isinstance(members, dict):
            errors[str(group), ""] = f"{where}: {group}: write names with their spellings below it"
            continue
        for name, written in members.items():
            key = (str(group), str(name))
            try:
                spellings = _spellings(written, name, f"{where}: {group}.{name}")
                _require_own(spellings, key, owners, where)
            except TermsError as error:
                errors[key] = str(error)
                continue
            names[key] = spellings
            owners |= dict.fromkeys(spellings, key)
    return Terms(names), errors


def _require_own(
    spellings: Sequence[str],
    key: tuple[str, str],
    owners: Mapping[str, tuple[str, str]],
    where: str,
) -> None:
    for spelling in spellings:
        if spelling in owners:
            raise TermsError(
                f"{where}: {spelling!r} stands for {'.'.join(owners[spelling])} and "
                f"{'.'.join(key)}; leave it to one of them"
            )


def _spellings(value: Any, name: Any, where: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else [name] if value is None else value
    if not isinstance(listed, list) or not all(isinstance(each, str | int) for each in listed):
        raise TermsError(f"{where}: write a list of spellings, such as [shoal, '@shoalshop']")
    found = tuple(dict.fromkeys(str(each).strip().lower() for each in listed))
    if not found or not all(found):
        raise TermsError(f"{where}: has no spelling; write at least one")
    return found


def find_mentions(texts: Sequence[str], terms: Terms) -> pd.DataFrame:
    """Find each name in each text, at whole words and in any case.

    Parameters
    ----------
    texts : sequence of str, n texts
    terms : Terms

    Returns
    -------
    mentions : DataFrame
        One row per text and name: ``row`` (position of the text), ``group``, ``name``, ``term``
        (its first spelling there), ``count``.
    """
    columns = ["row", "group", "name", "term", "count"]
    owners = {term: key for key, spellings in terms.names.items() for term in spellings}
    if not owners:
        return pd.DataFrame(columns=columns)
    longest_first = sorted(owners, key=lambda term: (-len(term), term))
    pattern = re.compile(
        "|".join(rf"(?<!\w){re.escape(term)}(?:['’]s)?(?!\w)" for term in longest_first)
    )
    counts: dict[tuple[int, tuple[str, str]], list[Any]] = {}
    for row, text in enumerate(texts):
        for found in pattern.finditer(text.lower()):
            term = found.group()
            term = term if term in owners else term[:-2]
            entry = counts.setdefault((row, owners[term]), [term, 0])
            entry[1] += 1
    rows = [(row, *key, term, count) for (row, key), (term, count) in counts.items()]
    return pd.DataFrame(rows, columns=columns)


def share_of_voice(mentions: pd.DataFrame, groups: Sequence[str] | None = None) -> pd.DataFrame:
    """Share of each name in the mentions of all, by period where there is one.

    Parameters
    ----------
    mentions : DataFrame
        ``group``, ``name`` and, if it is to be by period, ``period``; a text counts once per name.
    groups : sequence of str, optional
        Groups that share the voice; default: all.

    Returns
    -------
    shares : DataFrame
        ``period`` (if any), ``group``, ``name``, ``texts``, ``share`` (adds up to 1 per period).
    """
    counted = mentions if groups is None else mentions[mentions["group"].isin(list(groups))]
    by = [name for name in ("period", "group", "name") if name in counted]
    table = counted.groupby(by, as_index=False).size().rename(columns={"size": "texts"})
    total: Any = (
        table.groupby("period")["texts"].transform("sum")
        if "period" in table
        else table["texts"].sum()
    )
    table["share"] = table["texts"] / np.maximum(total, 1)
    return table
