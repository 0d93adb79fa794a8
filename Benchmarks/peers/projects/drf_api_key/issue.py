"""Creates the tables and as many keys as the argument says, and prints the keys."""

import os
import sys

import django
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "drf_api_key.settings"
django.setup()
call_command("migrate", verbosity=0)

from rest_framework_api_key.models import APIKey  # noqa: E402

for number in range(int(sys.argv[1])):
    print(APIKey.objects.create_key(name=f"key {number}")[1])
