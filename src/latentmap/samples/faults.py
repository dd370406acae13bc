"""Why something is set aside."""

from __future__ import annotations


class FaultError(Exception):
    """Why a sample, or its picture, is set aside.

    Attributes:
        code: what kind of fault it is, one word for programs.
        reason: what is wrong.
        remedy: what the owner of the data can do.
    """

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.remedy = remedy
