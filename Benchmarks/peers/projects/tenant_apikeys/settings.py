"""The settings of the project."""

from django_settings import *  # noqa: F403

INSTALLED_APPS = ["rest_framework", "django_tenant_apikeys", "tenant_apikeys"]
ROOT_URLCONF = "tenant_apikeys.api"
TENANT_API_KEY_MODEL = "tenant_apikeys.OrganizationKey"
