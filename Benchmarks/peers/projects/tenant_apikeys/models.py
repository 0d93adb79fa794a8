"""The tenant, and the model of keys that the package asks for."""

from django.db import models
from django_tenant_apikeys.models import AbstractTenantAPIKey


class Organization(models.Model):
    """A tenant."""

    name = models.CharField(max_length=100)


class OrganizationKey(AbstractTenantAPIKey):
    """A key of a tenant."""

    tenant = models.ForeignKey(Organization, related_name="api_keys", on_delete=models.CASCADE)
