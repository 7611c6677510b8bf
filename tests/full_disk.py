"""A disk that is full for one statement, as far as each database can simulate it."""

from sqlalchemy import text

from tests.browser_client import Site


def where(site: Site, change: str, condition: str = "") -> None:
    """`change` is for example `INSERT ON installations`; `condition` refers to `NEW`."""
    when, database = f" WHEN ({condition})" if condition else "", site.runtime.database
    # An id is no JSON: SQLite says so when the trigger fires, and by the kind of error that a full disk is.
    sqlite = [f"CREATE TRIGGER full_disk BEFORE {change}{when} BEGIN SELECT json(NEW.id); END"]
    full = "BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END"
    postgresql = [
        f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ {full} $$",
        f"CREATE TRIGGER full_disk BEFORE {change} FOR EACH ROW{when} EXECUTE FUNCTION no_room()",
    ]
    with database.transaction() as session:
        for statement in sqlite if database.is_sqlite else postgresql:
            session.execute(text(statement))


def ends(site: Site, table: str) -> None:
    """Free the disk for the statements on `table`."""
    database = site.runtime.database
    with database.transaction() as session:
        session.execute(text("DROP TRIGGER full_disk" if database.is_sqlite else f"DROP TRIGGER full_disk ON {table}"))
