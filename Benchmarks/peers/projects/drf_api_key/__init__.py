"""A Django project whose view demands a key of djangorestframework-api-key."""
