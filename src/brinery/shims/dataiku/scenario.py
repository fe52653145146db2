"""Scenarios are not here; each name says what is."""

from __future__ import annotations

from brinery_shims.unsupported import absent

__getattr__ = absent("dataiku.scenario", "brinery schedule")
