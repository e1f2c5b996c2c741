"""A canary in each word of a dealer, by which a foreign read is known, and what all its rows are, to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from store.pool import Connection

#: Text columns that hold no words of people or cars but a name that the software itself reads; everything else gets the
#: canary.
NOT_WORDS = frozenset(
    {
        "actor",
        "address",
        "answer",
        "answered_by",
        "author",
        "caller",
        "channel",
        "component",
        "country",
        "decided",
        "decided_by",
        "email",
        "from_address",
        "id",
        "key",
        "kind",
        "language",
        "made_by",
        "new",
        "noun",
        "old",
        "opening_hours",
        "origin",
        "outcome",
        "password_hash",
        "phone",
        "profile",
        "provider_id",
        "purpose",
        "reference",
        "region",
        "role",
        "rule",
        "severity",
        "day_limits",
        "parts_shelf",
        "special_days",
        "state",
        "to_address",
        "understood",
        "urgency",
        "use",
        "vin",
        "wall_start",
        "zone",
    }
)


async def tenant_columns(connection: Connection) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Table -> its columns with their types, of every table that has a dealer in each row; partitions go with their
    parent.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for row in await connection.fetch(
        """SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
           JOIN information_schema.columns d ON d.table_name = c.table_name AND d.table_schema = 'public'
             AND d.column_name = 'dealer_id'
           JOIN pg_class k ON k.relname = c.table_name AND k.relkind IN ('r', 'p') AND NOT k.relispartition
           WHERE c.table_schema = 'public' AND c.is_generated = 'NEVER' ORDER BY c.table_name, c.ordinal_position"""
    ):
        found.setdefault(row["table_name"], []).append((row["column_name"], row["data_type"]))
    return found


async def spread(connection: Connection, dealer_id: int, canary: str) -> None:
    """The canary in every text column of this dealer's rows that holds words; what a constraint refuses holds none."""
    for table, columns in (await tenant_columns(connection)).items():
        for column, kind in columns:
            if kind != "text" or column in NOT_WORDS:
                continue
            try:
                async with connection.transaction():
                    await connection.execute(
                        f'UPDATE "{table}" SET "{column}" = coalesce("{column}" || $3, $2) WHERE dealer_id = $1 '
                        f'AND coalesce("{column}", $3) NOT LIKE $4',
                        dealer_id,
                        canary,
                        f" {canary}",
                        f"%{canary}%",
                    )
            except Exception as error:
                if getattr(error, "sqlstate", "") not in ("23514", "23505", "23503", "42501"):
                    raise


async def digest(connection: Connection, dealer_id: int) -> dict[str, str]:
    """What all rows of a dealer are, table by table: compared before and after."""
    return {
        table: await connection.fetchval(
            f'SELECT coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), $2) FROM "{table}" t '
            "WHERE dealer_id = $1",
            dealer_id,
            "nothing",
        )
        for table in await tenant_columns(connection)
    }
