"""Imported once, by the process from which tests fork commands: prepare what each command would prepare again.

The mapped classes, the drivers and the system's certificates are the same in all of them.
"""

import gc

from sqlalchemy import create_engine
from sqlalchemy.orm import configure_mappers

import app  # noqa: F401  # imports all commands
from onboarding.slack.gateway import Gateway

configure_mappers()
for url in ("sqlite://", "postgresql+psycopg://"):
    create_engine(url)
Gateway()
# A collection in a command would copy all of this memory.
gc.freeze()
