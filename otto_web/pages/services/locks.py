"""Which sign-ins are refused for a while: one name from one address, or all of one address."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

KNOWN_FOR = timedelta(days=90)  # so long a good sign-in keeps its address open for its name
NOWHERE = "0.0.0.0"  # noqa: S104 - nobody listens on it
IPV6_SITE = 64  # one subscriber has at least so many addresses


def client_address(request: HttpRequest) -> str:
    """Return the address that the failures of a request are counted for."""
    return counted_for(request.META.get("REMOTE_ADDR") or NOWHERE)


def counted_for(address: str) -> str:
    """Return the address as it is counted: of IPv6, the whole site. Raises ValueError.

    A server that listens on IPv6 too sees 10.0.0.7 as ::ffff:10.0.0.7.
    """
    seen = ipaddress.ip_address(address)
    seen = getattr(seen, "ipv4_mapped", None) or seen
    if seen.version == 4:
        return str(seen)
    return str(ipaddress.ip_network((seen, IPV6_SITE), strict=False).network_address)


class SignInLocks(AxesDatabaseHandler):
    """Beside axes' own lock, one for an address that tries many names.

    It leaves alone whoever signed in well from there before: colleagues behind one address.
    """

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        return super().is_locked(request, credentials) or self._is_address_closed(
            request, credentials
        )

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is not None and self._is_address_closed(request, credentials):
            request.axes_locked_out = True

    def _is_address_closed(self, request: Any, credentials: dict[str, Any] | None) -> bool:
        address = request.axes_ip_address
        recent = AccessAttempt.objects.filter(
            ip_address=address, attempt_time__gte=get_cool_off_threshold(request)
        )
        failures = recent.aggregate(total=Sum("failures_since_start"))["total"] or 0
        if failures < settings.OTTO_ADDRESS_FAILURE_LIMIT:
            return False
        good = AccessLog.objects.filter(
            username=(credentials or {}).get("username"),
            ip_address=address,
            attempt_time__gte=timezone.now() - KNOWN_FOR,
        )
        request.is_address_closed = not good.exists()
        return bool(request.is_address_closed)
