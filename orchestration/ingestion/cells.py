"""SQL for one canonical column of a file: its conversion, and what can be wrong with it."""

from dataclasses import dataclass

from orchestration.ingestion.conversion import converted, is_textual, text_of
from orchestration.ingestion.entities import Column
from orchestration.ingestion.sql import identifier, literal

SHOWN_CHARACTERS = 80
NOUNS = {
    "timestamp": "a timestamp",
    "date": "a date",
    "double": "a number",
    "bigint": "a whole number",
    "boolean": "true or false",
}
RETURNS = {"quantity": "; a return is an order with status returned"}
EARLIEST = {"timestamp": "1970-01-01", "date": "1900-01-01"}


@dataclass(frozen=True)
class Cell:
    """One column of a file, seen as a canonical column.

    Attributes
    ----------
    type
        DuckDB type that the file gives it.
    """

    column: Column
    type: str

    @property
    def raw(self) -> str:
        return identifier(f"_raw_{self.column.name}")

    @property
    def typed(self) -> str:
        return identifier(f"_typed_{self.column.name}")

    @property
    def textual(self) -> bool:
        """Whether the conversion goes through text, so that it is worth computing once."""
        return is_textual(self.column, self.type)

    @property
    def text(self) -> str:
        if self.textual:
            return identifier(f"_text_{self.column.name}")
        return text_of(self.raw, self.type)

    @property
    def given(self) -> str:
        """What is null where the file has no value."""
        return self.text if self.textual else self.raw

    def trimming(self) -> str:
        return f"{text_of(self.raw, self.type)} as {self.text}"

    def conversion(self) -> str:
        return f"{converted(self.column, self.raw, self.text, self.type)} as {self.typed}"

    def is_bad(self) -> str:
        """SQL that is true where the value cannot be taken, and never null."""
        conditions = " or ".join(f"({condition})" for condition, _ in self._problems())
        return f"coalesce({conditions}, false)" if conditions else "false"

    def reason(self) -> str:
        """SQL for what is wrong, null where nothing is."""
        prefix = literal(f"{self.column.name}: ")
        cases = " ".join(
            f"when {condition} then {prefix} || {message}"
            for condition, message in self._problems()
        )
        return f"case {cases} end" if cases else "cast(null as varchar)"

    def _problems(self) -> list[tuple[str, str]]:
        """Conditions with SQL for their messages; the first that holds is the reason."""
        column, shown = self.column, self._shown
        problems = []
        if column.required:
            problems.append((f"{self.given} is null", "'missing'"))
        if column.type in NOUNS:
            unlike = literal(f'" is not {NOUNS[column.type]}')
            failed = f"{self.typed} is null and {self.given} is not null"
            problems.append((failed, f"'\"' || {shown} || {unlike}"))
        else:
            problems.append((f"contains({self.text}, chr(0))", "'has a NUL character'"))
        if column.max_length is not None:
            most = column.max_length
            long = f"strlen({self.text}) > {most} and length({self.text}) > {most}"
            problems.append((long, f"length({self.text}) || ' characters, at most {most}'"))
        if column.type == "json":
            problems.append((f"not json_valid({self.text})", f"'malformed JSON ' || {shown}"))
        if column.type == "double":
            infinite = f"not isfinite({self.typed})"
            problems.append((infinite, f"{shown} || ' is not a finite number'"))
        if column.non_negative:
            hint = literal(f" is negative{RETURNS.get(column.name, '')}")
            problems.append((f"{self.typed} < 0", f"{shown} || {hint}"))
        if column.values:
            allowed = ", ".join(literal(value) for value in column.values)
            unlike = literal(f'" is none of {", ".join(column.values)}')
            problems.append((f"{self.typed} not in ({allowed})", f"'\"' || {shown} || {unlike}"))
        if column.type in EARLIEST:
            problems.append(self._outside_time())
        return problems

    def _outside_time(self) -> tuple[str, str]:
        kind = self.column.type
        earliest = EARLIEST[kind]
        bound, latest = "$latest", "one day after arrival"
        if kind == "date":
            bound, latest = "cast($arrival as date)", "arrival"
        condition = f"{self.typed} not between {kind} '{earliest}' and {bound}"
        return condition, f"{self._shown} || ' is not between {earliest} and {latest}'"

    @property
    def _shown(self) -> str:
        """The value as messages quote it: not endlessly."""
        return (
            f"case when length({self.text}) > {SHOWN_CHARACTERS} "
            f"then left({self.text}, {SHOWN_CHARACTERS}) || '…' else {self.text} end"
        )
