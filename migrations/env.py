"""Runs the migrations on the engine that `onboarding.store.schema` hands over."""

from alembic import context

from onboarding.store.schema import METADATA

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection, target_metadata=METADATA, render_as_batch=connection.dialect.name == "sqlite"
    )
    with context.begin_transaction():
        if connection.dialect.name == "sqlite":
            # Two processes that set up at once take turns.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7120415)")
        context.run_migrations()
    connection.commit()
