"""What a database is made of, as lines that can be compared: two databases are the same when their lines are."""

from __future__ import annotations

from typing import Any

_PARTS = {
    "column": """
        SELECT format('%s.%s | %s | %s | %s | %s | %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), CASE
          WHEN a.attnotnull THEN 'NOT NULL' ELSE '' END,
                      coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity, a.attgenerated)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid
          AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0
          AND NOT a.attisdropped""",
    "table": """
        SELECT format('%s %s secured=%s forced=%s %s %s', relname, relkind, relrowsecurity, relforcerowsecurity,
          pg_get_expr(relpartbound, oid), reloptions)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')""",
    "constraint": """
        SELECT format('%s %s %s valid=%s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
          AND contype <> 'n'""",  # NOT NULL stands with the columns; PostgreSQL 18 lists it here too
    "index": "SELECT format('%s %s', indexdef, tablename) FROM pg_indexes WHERE schemaname = 'public'",
    "policy": "SELECT format('%s %s %s %s %s %s %s', tablename, policyname, permissive, roles, cmd, qual, with_check) "
    "FROM pg_policies WHERE schemaname = 'public'",
    "grant": """
        SELECT format('%s %s %s', c.relname, a.grantee::regrole, a.privilege_type)
          FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner AND a.grantee <> 0""",
    "column grant": """
        SELECT format('%s.%s %s %s', c.relname, t.attname, a.grantee::regrole, a.privilege_type)
        FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
          WHERE c.relnamespace = 'public'::regnamespace""",
    "function": """
        SELECT format('%s %s %s %s', p.oid::regprocedure, pg_get_functiondef(p.oid), p.prosecdef,
                      ARRAY(SELECT a.grantee::regrole::text FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner
                        ORDER BY 1))
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
              AND d.deptype = 'e')""",
    "view": "SELECT format('%s %s', viewname, definition) FROM pg_views WHERE schemaname = 'public'",
    "schema grant": """
        SELECT format('%s %s', a.grantee::regrole, a.privilege_type) FROM pg_namespace n, aclexplode(n.nspacl) a
        WHERE n.nspname = 'public' AND a.grantee <> n.nspowner""",
    "extension": "SELECT extname FROM pg_extension",
}
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


async def catalog_of(connection: Any) -> set[str]:
    """Tables, columns, constraints, indexes, policies, rights, functions; nothing that depends on names of owners or
    the order of columns.
    """
    found: set[str] = set()
    for part, query in _PARTS.items():
        found |= {f"{part}: {' '.join(str(row[0]).split())}" for row in await connection.fetch(query)}
    return found


def different(one: set[str], other: set[str]) -> list[str]:
    """Readable: what only one of the two has."""
    return sorted(
        [f"- {line}" for line in one - other] + [f"+ {line}" for line in other - one], key=lambda line: line[2:]
    )


async def rows_of(connection: Any) -> dict[str, list[str]]:
    """Every row of every table, as sorted text with its columns by name."""
    tables = [row["relname"] for row in await connection.fetch(_TABLES)]
    return {
        table: sorted([row[0] for row in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t')])
        for table in tables
    }


async def sequences_of(connection: Any) -> dict[str, int | None]:
    return {row["sequencename"]: row["last_value"] for row in await connection.fetch(_SEQUENCES)}
