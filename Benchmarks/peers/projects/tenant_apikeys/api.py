"""The view behind the authentication and the permission class that the package documents."""

from django.urls import path
from django_tenant_apikeys.authentication import TenantAPIKeyAuthentication
from django_tenant_apikeys.permissions import HasAPIKeyScope
from rest_framework.response import Response
from rest_framework.views import APIView


class Orders(APIView):
    """Answers a client whose key has the scope."""

    authentication_classes = [TenantAPIKeyAuthentication]
    permission_classes = [HasAPIKeyScope]
    required_scopes = ["read:orders"]

    def get(self, request):
        return Response({"orders": []})


urlpatterns = [path("orders", Orders.as_view())]
