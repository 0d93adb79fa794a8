"""The view behind the permission class that the package documents."""

from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey


class Orders(APIView):
    """Answers a client that has a key."""

    permission_classes = [HasAPIKey]

    def get(self, request):
        return Response({"orders": []})


urlpatterns = [path("orders", Orders.as_view())]
