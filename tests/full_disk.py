"""A disk that is full in one place, as far as each database can be made to say so."""

from sqlalchemy import text

from tests.browser_client import Site


def where(site: Site, change: str, condition: str = "") -> None:
    """`change` is such as `INSERT ON installations`; `condition` speaks of `NEW`."""
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
