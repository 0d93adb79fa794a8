"""A Django project whose view demands a key of django-tenant-apikeys with a scope."""
