"""The settings of the project."""

from django_settings import *  # noqa: F403

INSTALLED_APPS = ["rest_framework", "rest_framework_api_key"]
ROOT_URLCONF = "drf_api_key.api"
