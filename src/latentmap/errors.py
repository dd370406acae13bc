"""The one exception that speaks to the user."""


class LatentmapError(Exception):
    """Something the user can mend.

    The message says what is wrong, in which file and row, and what to do; it is shown without a
    traceback.
    """
