"""The key manager: the store for asyncio on PostgreSQL, as the package documents for FastAPI."""

import os

from safe_api_keys import AsyncKeyManager
from safe_api_keys.stores import AsyncSQLAlchemyStore
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

# A pool of a fixed size. SQLAlchemy's default keeps 5 connections, and opens and closes up to 10 more under load, which costs more.
engine = create_async_engine(
    f"postgresql+asyncpg://postgres@/{os.environ['PEER_DATABASE']}?host={os.environ['PEER_DATABASE_HOST']}",
    pool_size=8,
    max_overflow=0,
)
store = AsyncSQLAlchemyStore(async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False))
manager = AsyncKeyManager(store, prefix="acme_live", pepper=os.environ["SAFE_API_KEYS_PEPPER"].encode())
