"""Work that others would wait for; here it is done when it is returned."""

from __future__ import annotations

from typing import Any


class DSSFuture:
    """Work that is done.

    Args:
        client: of the workspace.
        job_id: of the work.
        state: its result.
        result_wrapper: of the result.
    """

    def __init__(
        self,
        client: Any,
        job_id: str,
        state: Any = None,
        result_wrapper: Any = lambda result: result,
    ) -> None:
        self.client = client
        self.job_id = job_id
        self.state = state
        self.result_wrapper = result_wrapper

    def wait_for_result(self) -> Any:
        """Return the result, at once."""
        return self.get_result()

    def get_result(self) -> Any:
        """Return the result."""
        return self.result_wrapper(self.state)

    def has_result(self) -> bool:
        """Return that there is one."""
        return True

    def get_state(self) -> Any:
        """Return the state."""
        return {"hasResult": True, "alive": False, "result": self.state}

    def peek_state(self) -> Any:
        """Return the state."""
        return self.get_state()

    def abort(self) -> None:
        """Do nothing: it is done."""
