"""Insights are not here; each name says what is."""

from brinery_shims.unsupported import absent

__getattr__ = absent("dataiku.insights", "brinery report")
