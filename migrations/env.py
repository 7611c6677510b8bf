"""Run the migrations on the engine that `onboarding.store.schema` passes."""

from alembic import context

from onboarding.store.schema import METADATA

with context.config.attributes["engine"].connect() as connection:
    is_sqlite = connection.dialect.name == "sqlite"
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=is_sqlite)
    if is_sqlite:
        # SQLite changes a table by copying it. Dropping the old table must not cascade to rows that refer to it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    with context.begin_transaction():
        # Only one of several processes migrates at a time.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
        if not is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7120415)")
        context.run_migrations()
        if is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise RuntimeError(f"The migration leaves rows that refer to nothing, in {broken[0][0]}.")
    connection.commit()
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
