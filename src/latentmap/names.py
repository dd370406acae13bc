"""Names that files and folders of a run are called by: what the rules' wildcards can make."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

LONGEST = 200
"""Bytes of a name: with what its files add, a file system takes no more than 255."""

TAKEN = re.compile(r"figures|.*\.(csv|html|js|json|parquet)", re.IGNORECASE)
"""Names that a folder of results has for files, and for the folder of its figures."""


class _Form(NamedTuple):
    """What a name may look like.

    Attributes:
        pattern: regular expression of the whole name.
        words: the same, as a user is told.
    """

    pattern: str
    words: str

    def check(self, name: str) -> str:
        """Return the name; one that is not given is the business of who asks for it.

        Raises:
            ValueError: it has another form, or cannot be the name of a file.
        """
        if name and not re.fullmatch(self.pattern, name):
            raise ValueError(f"{name!r} cannot be a name here, which {self.words}")
        if len(name.encode()) > LONGEST:
            raise ValueError(f"'{name[:20]}…' is too long: names have up to {LONGEST} bytes")
        return name


FOLDER = _Form(
    "[A-Za-z0-9][A-Za-z0-9._-]*",
    "is made of letters A to Z, digits, '.', '_' and '-', and begins with a letter or digit",
)
MAP = _Form(r"\w+", "is made of letters, digits and '_'")
SOURCE = _Form(
    r"\w[\w .-]*",
    "is made of letters, digits, spaces, '.', '_' and '-', and begins with a letter or digit",
)


def _schema(form: _Form) -> dict[str, str | float]:
    return {"pattern": f"^({form.pattern})?$"}


FolderName = Annotated[str, AfterValidator(FOLDER.check), Field(json_schema_extra=_schema(FOLDER))]
"""Name of a run or an encoder, whose results are in a folder of this name."""

MapName = Annotated[str, AfterValidator(MAP.check), Field(min_length=1)]
"""Name of a map."""

SourceName = Annotated[str, AfterValidator(SOURCE.check), Field(json_schema_extra=_schema(SOURCE))]
"""Name of a source, which its download is called by."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} has characters that cannot be shown")
    return text


Title = Annotated[str, AfterValidator(_printable)]
"""A name that is only shown."""


def check_together(names: Iterable[str]) -> None:
    """Refuse names that cannot stand side by side in one folder, whatever the file system.

    Raises:
        ValueError: two are the same, or differ in case or Unicode form only.
    """
    names = list(names)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"several are called '{twice[0]}'; give each a name of its own")
    seen: dict[str, str] = {}
    for name in names:
        comparable = unicodedata.normalize("NFC", name).casefold()
        first = seen.setdefault(comparable, name)
        if first != name:
            raise ValueError(
                f"'{first}' and '{name}' differ in case or accents only, which not every file "
                "system tells apart; rename one"
            )


def check_free(name: str) -> None:
    """Refuse a name that results have for something else.

    Raises:
        ValueError: it is taken.
    """
    if TAKEN.fullmatch(name):
        raise ValueError(f"'{name}' may be the name of a file of the results; choose another")
