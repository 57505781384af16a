"""Pages fetched from web addresses: the order, and each page with what became of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from datasets_app.corpus.web.errors import REASONS
from datasets_app.models.blob import Blob
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.upload import Upload
from otto_web.lib.work.rows import Retry, Work

MOST_PAGES, MOST_DEPTH = 2_000, 20


class WebFetch(Work):
    """Addresses that somebody named, and with `follows` the pages of their sites behind them.

    What is kept becomes an upload at the end: an archive with a file for each page.
    """

    job = "datasets.fetch_pages"
    retry = Retry(
        message="Fetching was interrupted several times. Try again: it goes on where it was.",
        after_faults=True,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    addresses = ArrayField(models.TextField())
    follows = models.BooleanField(default=False, help_text="also what the pages lead to")
    most_pages = models.PositiveIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(MOST_PAGES)]
    )
    most_depth = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(MOST_DEPTH)]
    )
    pause_seconds = models.FloatField(default=1.0, help_text="between two pages of a host")
    page_seconds = models.FloatField(default=30.0, help_text="that one page may take")
    reads_lists = models.BooleanField(
        default=False, help_text="follows what a site's sitemap.xml names, too"
    )
    is_unchecked = models.BooleanField(
        default=False, help_text="an admin said not to check certificates"
    )
    shortest = models.PositiveIntegerField(default=50, help_text="letters that a page has to say")
    dataset_choice = models.CharField(max_length=200, default="", help_text="as uploads take it")
    is_stopped = models.BooleanField(default=False, help_text="a person wants no more pages")
    n_unlisted = models.PositiveIntegerField(default=0, help_text="links beyond what is listed")
    upload = models.OneToOneField(
        Upload, null=True, on_delete=models.SET_NULL, related_name="web_fetch"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        more = len(self.addresses) - 1
        first = self.addresses[0].partition("://")[2]
        return f"{first} and {more:,} more" if more else first


class WebAuthority(models.Model):
    """Certificates of an authority that an admin trusts besides the usual ones."""

    name = models.CharField(max_length=300)
    pem = models.TextField()
    sha256 = models.CharField(max_length=64, unique=True)
    ends = models.CharField(max_length=60, help_text="when the first of them does")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)
    objects = CuratorsQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class PageState(models.TextChoices):
    QUEUED = "queued"
    KEPT = "kept"
    LEFT_OUT = "left_out", "left out"


class WebPage(models.Model):
    """One address of a fetch: its bytes until they are an upload's, or why there are none."""

    fetch = models.ForeignKey(WebFetch, on_delete=models.CASCADE, related_name="pages")
    address = models.TextField()
    host = models.CharField(max_length=300)
    depth = models.PositiveSmallIntegerField(default=0)
    is_list = models.BooleanField(default=False, help_text="a sitemap, which only names pages")
    found_on = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=PageState, default=PageState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=30, default="")
    note = models.TextField(default="")
    status = models.PositiveSmallIntegerField(default=0, help_text="of the server's answer")
    final_address = models.TextField(default="", help_text="behind redirects")
    title = models.CharField(max_length=300, default="")
    size = models.PositiveBigIntegerField(default=0)
    letters = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=64, default="", help_text="of what it says")
    twin = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="web_pages")
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fetch", "address"], name="webpage_once"),
            models.CheckConstraint(
                name="webpage_state_known", condition=Q(state__in=PageState.values)
            ),
        ]
        indexes = [
            # the next page of a fetch
            models.Index(
                fields=["fetch", "tries", "depth", "id"],
                name="webpage_by_turn",
                condition=Q(state="queued"),
            ),
            # whether the same was said before
            models.Index(fields=["fetch", "key"], name="webpage_by_key", condition=~Q(key="")),
            # when a host was last asked, by whomever
            models.Index(fields=["host", "asked_at"], name="webpage_by_host"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def sentence(self) -> str:
        """Return why it is left out, for a person."""
        return self.note or REASONS.get(self.reason, "")


class WebRobots(models.Model):
    """What a host asks of machines, kept so that each turn of a fetch need not ask again."""

    fetch = models.ForeignKey(WebFetch, on_delete=models.CASCADE, related_name="robots")
    host = models.CharField(max_length=300)
    text = models.TextField(default="", help_text="of its robots.txt; empty where it has none")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fetch", "host"], name="webrobots_once")]

    def __str__(self) -> str:
        return self.host
