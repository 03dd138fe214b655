"""Text out of PDF files with PDFium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium

from index.reading import Limits, UnreadableError

_OCR_REMEDY = "recognise its text first, for example with: ocrmypdf -l chi_sim input.pdf output.pdf"
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
_MIN_CHARS_PER_PAGE = 4  # a scan may carry page numbers
_MAX_GARBLED_SHARE = 0.3

# PDFium marks a hyphen at a line end with one of these; without it the word is whole again.
_LINE_END_HYPHEN = re.compile("[\ufffe\x02](?:\r?\n)?")
_GARBLED = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")
# Titles that programs fill in by themselves.
_MACHINE_TITLE = re.compile(
    r"^\s*(?:microsoft (?:word|powerpoint|excel)\b|untitled|无标题|未命名|文档\s*\d*$|document\s*\d*$|slide\s*\d+$)"
    r"|\.(?:docx?|wps|pdf|indd|qxd|fit|fbd|pptx?|xlsx?|tmp|ps|eps)\s*$|^[\x00-\x20\W\d_]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PdfText:
    """The text of a PDF: its pages joined by blank lines, the title it states, and why pages are missing, by number."""

    text: str
    title: str | None
    missing_pages: tuple[tuple[int, str], ...] = ()


def extract_pdf(data: bytes, limits: Limits) -> PdfText:
    """Read the text of a PDF, at most `limits.pdf_pages` pages of it. PDFium must not be entered by two threads.

    Raises:
        UnreadableError: it is damaged, protected by a password, or holds no text (a scan), or only garbled text.
    """
    document = _open(data)
    try:
        count = len(document)
        read = dict(_pages(document, min(count, limits.pdf_pages)))
        title = _title(document)
    except pdfium.PdfiumError as error:
        raise _damaged(error) from error
    finally:
        document.close()
    texts = {number: text for number, text in read.items() if text is not None}
    missing = [(number, "the page is damaged") for number, text in read.items() if text is None]
    if count > len(read):
        missing.append((len(read) + 1, f"the file has {count:,} pages, the limit is {limits.pdf_pages:,}"))
    text = "\n\n".join(page for number in sorted(texts) if (page := _clean(texts[number])))
    _check(text, len(texts))
    sensible = title and not _MACHINE_TITLE.search(title) and not _GARBLED.search(title)
    return PdfText(text, title if sensible else None, tuple(missing))


def _open(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR:
            raise UnreadableError(
                "it is protected by a password", "save it without one, for example with: qpdf --decrypt"
            ) from error
        raise _damaged(error) from error


def _title(document: pdfium.PdfDocument) -> str:
    try:
        return str(document.get_metadata_value("Title")).strip()
    except (pdfium.PdfiumError, UnicodeError):  # one that is no valid UTF-16; the text may be fine
        return ""


def _pages(document: pdfium.PdfDocument, count: int) -> Iterator[tuple[int, str | None]]:
    for index in range(count):
        try:
            page = document[index]
            text_page = page.get_textpage()
            text = str(text_page.get_text_range())  # not by its bounds, which lose rotated pages
            text_page.close()
            page.close()
        except pdfium.PdfiumError:  # noqa: PERF203 (one bad page must not lose the others)
            yield index + 1, None
        else:
            yield index + 1, text


def _clean(page: str) -> str:
    page = _LINE_END_HYPHEN.sub("", page).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return page.strip("\n")


def _check(text: str, pages: int) -> None:
    written = len("".join(text.split()))
    if written < _MIN_CHARS_PER_PAGE * max(pages, 1):
        raise UnreadableError(f"its {pages:,} pages hold no text, as in a scan", _OCR_REMEDY)
    garbled = len(_GARBLED.findall(text))
    if garbled > written * _MAX_GARBLED_SHARE:
        raise UnreadableError(
            f"{garbled:,} of its {written:,} characters have no meaning, because its fonts do not say what they show",
            _OCR_REMEDY,
        )


def _damaged(error: pdfium.PdfiumError) -> UnreadableError:
    return UnreadableError(f"it is damaged or no PDF: {error}", "open it in a PDF viewer and save it anew")
