"""Queries on connections are not here; each name says what is."""

from __future__ import annotations

from brinery_shims.unsupported import absent

__getattr__ = absent("dataiku.core.sql", "SQLAlchemy, or brinery dataset create NAME --table TABLE")
