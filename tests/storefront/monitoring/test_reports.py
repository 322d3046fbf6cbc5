"""Error reports are mailed: what they say of settings and requests holds no secret."""

import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_filter


def report(request: Any = None) -> str:
    """Return an error report as it is mailed."""
    try:
        raise RuntimeError("something broke")
    except RuntimeError:
        return ExceptionReporter(request, *sys.exc_info()).get_traceback_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "rediss://shop:sesame-1@redis:6379/0"),
        ("REDIS_URL", "redis://:sesame-1@redis:6379/0"),
        ("CELERY_BROKER_URL", "redis://:sesame-1@redis:6379/0"),
        ("CACHES", {"default": {"LOCATION": ["redis://:sesame-1@redis:6379/0"]}}),
        ("DATABASE_URL", "postgres://shop:sesame-1@postgres:5432/shop"),
        ("REPLICAS", {"default": {"NAME": "shop", "PASSWORD": "sesame-1"}}),
        ("SOME_DSN", "https://sesame-1@errors.example.com/7"),
        ("UPSTREAM_KEY", "sesame-1"),
        ("FIELD_ENCRYPTION_KEYS", ["sesame-1"]),
        ("SECRET_KEY", "sesame-1" * 8),
        ("METRICS_TOKEN", "sesame-1"),
        ("EMAIL_HOST_PASSWORD", "sesame-1"),
    ],
)
def test_report_when_a_setting_holds_a_secret_then_it_is_hidden(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)

    text = report(RequestFactory().get("/"))

    assert f"{name} = " in text
    assert "sesame-1" not in text


def test_report_when_an_address_holds_credentials_then_the_rest_of_it_is_still_read(settings: Any) -> None:
    settings.REDIS_URL = "redis://:sesame-1@redis:6379/0"

    assert "@redis:6379/0" in report(RequestFactory().get("/"))
    assert str(django_settings.UPSTREAM_URL) in report(RequestFactory().get("/"))


def test_report_of_a_request_hides_what_was_posted_under_a_telling_name() -> None:
    posted = {"key": "sesame-1", "password1": "sesame-1", "action": "add", "link": "https://example.com/a"}

    text = report(RequestFactory().post("/api/v2", posted))

    assert "sesame-1" not in text
    assert "https://example.com/a" in text


def test_reports_are_filtered_by_us() -> None:
    assert type(get_exception_reporter_filter(RequestFactory().get("/"))).__name__ == "ReportFilter"
