"""A FastAPI application whose route demands a key of safe-api-keys with a scope."""
