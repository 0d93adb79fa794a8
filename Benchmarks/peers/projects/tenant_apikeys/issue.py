"""Creates the tables and as many keys as the argument says, and prints the keys."""

import os
import sys

import django
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "tenant_apikeys.settings"
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from tenant_apikeys.models import Organization, OrganizationKey  # noqa: E402

tenant = Organization.objects.create(name="default")
for number in range(int(sys.argv[1])):
    print(OrganizationKey.generate_key(name=f"key {number}", tenant=tenant, scopes=["read:orders"])[1])
