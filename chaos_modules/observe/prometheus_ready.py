"""Whether the Prometheus of the configuration answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException, InvalidURL

from ..model.check import Check, passed, skipped, warning

TIMEOUT_SECONDS = 5.0
_SETTING = "correct performance_monitoring.prometheus_url and its token, or leave the URL empty"


def prometheus_check(url: str, token: str) -> Check:
    """One request. No verdict of this version depends on it, so that silence is a warning. Neither URL nor token is told: both may hold a secret."""
    if not url:
        return skipped("prometheus", "no performance_monitoring.prometheus_url", "set it to have it looked at")
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError(url)
        request = urllib.request.Request(f"{url.rstrip('/')}/-/ready", headers={"Authorization": f"Bearer {token}"} if token else {})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return passed("prometheus", "Prometheus answers")
    except urllib.error.HTTPError as error:
        error.close()
        return warning("prometheus", f"Prometheus answers {error.code} {error.reason}", _SETTING)
    except (ValueError, InvalidURL):  # whose text may quote what is secret
        return warning("prometheus", "the URL of Prometheus is none, or its token cannot be sent", _SETTING)
    except (OSError, HTTPException) as error:
        return warning("prometheus", f"Prometheus does not answer: {error}", _SETTING)
