"""Web applications are not here; each name says what is."""

from brinery_shims.unsupported import absent

__getattr__ = absent("dataiku.customwebapp", "brinery serve, or brinery up")
