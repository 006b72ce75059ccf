"""The tables that hold features, as the feature catalogue shows them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One table with features.

    Attributes
    ----------
    title : str
    rows : str
        What its rows are, in the plural.
    table : str
        Of the schema marts, and the dbt model with the words.
    instant : str
        Column with the instant that the features are of.
    """

    title: str
    rows: str
    table: str
    instant: str = "as_of"

    @property
    def model(self) -> str:
        """The dbt model, as the manifest names it."""
        return f"model.shoal.{self.table}"


SOURCES = (
    Source("Customers", "customers", "customer_features"),
    Source("Messages", "messages of the past", "message_feature_history", "sent_at"),
    Source("Customers when a message is sent", "customers and days", "message_customer_history"),
    Source("Sessions", "instants of past sessions", "session_feature_history", "observed_at"),
    Source("Categories", "customers and categories at past instants", "category_feature_history"),
)
