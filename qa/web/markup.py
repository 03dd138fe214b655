"""Text into HTML. Whatever comes from an article or a person is escaped here and nowhere else."""

from __future__ import annotations

import html
import re

# Controls have no place in print; those that turn the direction of writing could make a text look like another one.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def escape(text: str) -> str:
    """Return text for use between tags or inside a quoted attribute; control characters become a visible U+FFFD."""
    return html.escape(_CONTROLS.sub("\ufffd", text), quote=True)


def isolate(text: str) -> str:
    """Return escaped text whose direction of writing cannot affect what stands around it."""
    return f"<bdi>{escape(text)}</bdi>"


def attributes(**values: str | int | bool | None) -> str:
    """Return attributes, each after a space: `data_turn=1` gives ` data-turn="1"`; None and False give nothing."""
    written: list[str] = []
    for name, value in values.items():
        key = name.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {key}")
        elif value is not None and value is not False:
            written.append(f' {key}="{escape(str(value))}"')
    return "".join(written)


def element(tag: str, content: str, **values: str | int | bool | None) -> str:
    """Return an element around content that is HTML already."""
    return f"<{tag}{attributes(**values)}>{content}</{tag}>"
