"""The application with the dependency that the package documents."""

from fastapi import Depends, FastAPI
from safe_api_keys import KeyRecord
from safe_api_keys.contrib.fastapi import APIKeyAuth

from safe_keys.keys import manager

auth = APIKeyAuth(manager)
app = FastAPI()
auth.install(app)


@app.get("/orders")
async def orders(key: KeyRecord = Depends(auth.scopes("read:orders"))):  # noqa: B008
    """Answers a client whose key has the scope."""
    return {"orders": []}
