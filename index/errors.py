"""The error hierarchy of Wenbao. Every message says what was found, what was expected and what to do."""

from __future__ import annotations


class WenbaoError(Exception):
    """Base of all errors meant for a person; the command line and the page show the message without a traceback."""


class InputError(WenbaoError):
    """What the user gave (a file, a question, an option) cannot be used. HTTP 400."""


class NotFoundError(WenbaoError):
    """The article, source or archive that was asked for does not exist. HTTP 404."""


class ArchiveError(WenbaoError):
    """The archive on disk is missing, damaged, or of another format or encoder. HTTP 503."""


class EncoderError(WenbaoError):
    """The embedding model cannot be found, verified or loaded. HTTP 503."""
