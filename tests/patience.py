"""Requests that are answered in the end: the machine has other work, and httpx waits for 5 s."""

from __future__ import annotations

from functools import partial

import httpx

WAIT_S = 240.0

get = partial(httpx.get, timeout=WAIT_S)
put = partial(httpx.put, timeout=WAIT_S)
post = partial(httpx.post, timeout=WAIT_S)
client = partial(httpx.Client, timeout=WAIT_S)
