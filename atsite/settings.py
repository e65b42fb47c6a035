"""Django's settings, derived from atsite.core.config: nothing here reads the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from atsite.core.config import BASE_DIR, config
from atsite.core.config.search import ANY_ORIGIN
from atsite.core.errors import ConfigError
from atsite.dashboard.theme import UNFOLD as UNFOLD

SECRET_KEY = config.secret_key
DEBUG = False
ALLOWED_HOSTS = list(config.allowed_hosts) if config.production else ["*"]
USE_TZ = True
TIME_ZONE = "UTC"  # the ClickHouse backend bakes TIME_ZONE into DDL
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "atsite.formats"
USE_I18N = False

INSTALLED_APPS = [
    "atsite",
    "atsite.core.copies",
    "atsite.core.identity",
    "indexer",
    "feeds",
    "search",
    "search.cleanup",
    "labels",
    "apikeys",
    "clickhouse_backend",
    # The theme's templates come before the admin's, and its history pages before simple_history's.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "simple_history",
    "channels",
    "corsheaders",
    "ninja",  # its page /docs, without a third host
    "atsite.dashboard.apps.AtsiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

#: Each service has its own middleware: feed and search requests use no sessions, CSRF or admin.
_API_MIDDLEWARE = ["atsite.core.web.xrpc.ErrorBodies", "atsite.core.web.framing.Framing"]
_SEARCH_MIDDLEWARE = [
    "search.cleanup.web.privacy.Private",
    "corsheaders.middleware.CorsMiddleware",
    *_API_MIDDLEWARE,
]
_ADMIN_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",  # change history says who
]
MIDDLEWARE = {"feedgen": _API_MIDDLEWARE, "search": _SEARCH_MIDDLEWARE}.get(config.service, _ADMIN_MIDDLEWARE)
ROOT_URLCONF = f"atsite.urls.{config.service}" if config.service in ("feedgen", "search") else "atsite.urls.admin"
ASGI_APPLICATION = "atsite.asgi.application"
#: HSTS of subdomains and the browsers' preload list affect hosts that this project does not own.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if MIDDLEWARE is not _ADMIN_MIDDLEWARE:
    # The admin's checks ask for its middleware also where no admin, page, cookie or form is served.
    SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410"]
    SILENCED_SYSTEM_CHECKS += ["security.W001", "security.W002", "security.W003"]
APPEND_SLASH = config.service not in ("feedgen", "search")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = config.data_dir / "static" if config.production else None  # else whitenoise asks the finders
WHITENOISE_USE_FINDERS = not config.production
#: Reverting would save an old version over a later change of the row.
SIMPLE_HISTORY_REVERT_DISABLED = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_REDIRECT_URL = "/admin/"  # after a login without `next`
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]


def _relational() -> dict[str, Any]:
    """`default`: PostgreSQL by DATABASE_URL, else SQLite set up for several writing processes."""
    if not config.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": config.sqlite_path,
            "OPTIONS": {
                # IMMEDIATE: a transaction takes its write lock at BEGIN, so it waits there instead of failing midway.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    parts = urlsplit(config.database_url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ConfigError("DATABASE_URL: expected postgresql://user:password@host:port/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        # A reader waits for the decision that is read here, so an unavailable server must be noticed soon.
        "OPTIONS": {"connect_timeout": 3},
    }


def _clickhouse() -> dict[str, Any]:
    """`clickhouse`: what the admin reads through the ORM; every other read and all inserts go through the door."""
    host, _, port = (config.clickhouse_address or "127.0.0.1:9000").rpartition(":")
    return {
        "ENGINE": "clickhouse_backend.backend",
        "NAME": config.clickhouse_database,
        "HOST": host,
        "PORT": int(port),
        "USER": config.clickhouse_username,
        "PASSWORD": config.clickhouse_password,
        "OPTIONS": {"settings": {"mutations_sync": 1, "max_execution_time": 30}},
        "TEST": {"NAME": config.clickhouse_database, "fake_transaction": True},
    }


DATABASES: dict[str, Any] = {"default": _relational(), "clickhouse": _clickhouse()}
DATABASE_ROUTERS = ["atsite.core.routers.StoreRouter"]

#: For values that may be lost at any time and are the same in every process: the totals of /stats.
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": config.redis_url or "redis://unknown",  # the connection factory knows better
        "KEY_PREFIX": "atsite",
        "OPTIONS": {
            "CONNECTION_FACTORY": "atsite.core.kv.django_cache.SharedClient",
            # Not pickle: reading a pickle runs any code that its writer wants.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
        },
    }
}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = config.production
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if config.production:  # browsers take a cookie of this name over https only, from this very host, for all of its paths
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
if config.service == "search":  # the page of clean-ups; nothing else of this service has sessions and forms
    _prefix = "__Host-" if config.production else ""
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}cleanup", f"{_prefix}cleanup_csrf"
    SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
    CSRF_COOKIE_HTTPONLY = True
    SESSION_COOKIE_AGE = 30 * 60
    CSRF_FAILURE_VIEW = "search.cleanup.web.page.frame.form_expired"
#: Which pages of other sites may read what the search service answers. Cookies open nothing there. Clean-ups are left
#: out: they are for programs and for their own page.
CORS_ALLOW_ALL_ORIGINS = ANY_ORIGIN in config.search.cors_origins
CORS_ALLOWED_ORIGINS = [origin for origin in config.search.cors_origins if origin != ANY_ORIGIN]
CORS_URLS_REGEX = r"^/((xrpc|actors|search|stats|redir|list|openapi\.json)(/|$)|repo/(?!cleanup(/|$)))"
CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS"]
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "x-api-key"]
CORS_EXPOSE_HEADERS = ["Retry-After"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# TLS ends at the reverse proxy, which sets this header; a health check comes without it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if config.production else None
SECURE_SSL_REDIRECT = config.production
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 86_400 if config.production else 0
#: What the pages may load, of the admin only (docs/decisions/0040-content-security-policy.md).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-eval'"],  # the theme's Alpine makes functions of its attributes
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],  # and writes style attributes
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
