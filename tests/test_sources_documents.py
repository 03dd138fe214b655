"""Text, Markdown, HTML and PDF files become one source each, or a rejection that says what to do."""

import gzip
import hashlib
from pathlib import Path

import pytest

from index.reading import Limits
from index.records import Rejection, Source
from index.sources import find_files, read_file

EPAPER = """<html><head><title>城南新桥通车-某某日报</title></head><body>
<div class="nav"><a href="1">首页</a> <a href="2">上一版</a></div>
<h3>本市交通再提速</h3><h1>城南新桥通车</h1>
<p class="sec">本报记者 张三 《某某日报》（2023年08月08日 第 01 版）</p>
<div id="ozoom"><!--enpproperty <articleid>1</articleid><date>2023-08-08 00:00:00.0</date>
<title><p>城南新桥通车</p></title><subtitle></subtitle><introtitle>本市交通再提速</introtitle>
<nodename>01版：要闻</nodename>/enpproperty--><!--enpcontent--><founder-content><P>　　本报讯 城南新桥昨日通车。</P>
<P>　　市民过江时间将缩短二十分钟。</P></founder-content><!--/enpcontent--></div>
<div>版权所有，未经授权不得转载。</div></body></html>"""


def read(path: Path, limits: Limits | None = None) -> list[Source | Rejection]:
    (file,) = find_files([path])
    return list(read_file(file, limits or Limits()))


def read_bytes(tmp_path: Path, name: str, data: bytes, limits: Limits | None = None) -> list[Source | Rejection]:
    (tmp_path / name).write_bytes(data)
    return read(tmp_path / name, limits)


def pdf(content: bytes, info: bytes = b"", pages: int = 1, rotate: int = 0) -> bytes:
    """A minimal PDF whose pages all draw `content`."""
    kids = b" ".join(b"%d 0 R" % (5 + page) for page in range(pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 600]/Contents 3 0 R/Resources<</Font<</F1 4 0 R>>>>"
    page += b"/Rotate %d>>" % rotate
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % pages,
        b"<</Length %d>>\nstream\n" % len(content) + content + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *[page] * pages,
        b"<<" + info + b">>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>" % (len(objects) + 1, len(objects))
    start = b"\nstartxref\n%d\n%%%%EOF" % len(data)
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer + start


TEXT_PAGE = b"BT /F1 12 Tf 20 500 Td (The new bridge opened.) Tj ET"


def test_a_text_is_exactly_what_was_decoded(tmp_path):
    text = "标题\r\n\r\n　　正文。\n"
    data = b"\xef\xbb\xbf" + text.encode()
    (source,) = read_bytes(tmp_path, "1.txt", data)
    assert source == Source("1.txt", text, hashlib.sha256(data).hexdigest(), "text", "utf-8")


def test_gzipped_text_is_unpacked_and_its_hash_is_that_of_the_file(tmp_path):
    data = gzip.compress("今天".encode("gb18030"))
    (source,) = read_bytes(tmp_path, "1.md.gz", data)
    assert (source.text, source.media_type, source.encoding) == ("今天", "markdown", "gb18030")
    assert source.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("1.txt", b"", "empty"),
        ("1.txt", " \r\n\u3000".encode(), "white space"),
        ("1.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\6\0\0\0\\r\xa8f" * 9, ""),
        ("1.txt", b"x" * 2001, "limit"),
        ("1.txt.gz", gzip.compress(b"x" * 1_000_000), "limit"),
        ("1.txt.gz", gzip.compress(b"x" * 1000)[:-9], "damaged"),
        ("1.txt.gz", b"no gzip", "damaged"),
        ("1.html", b"<html><script>var x = 1;</script></html>", "no article"),
        ("1.html", ("<div>" * 3000 + "深").encode()[:1900] + b"<div>", "deep"),
        ("1.pdf", b"%PDF-1.4 nothing follows", "damaged"),
        ("1.pdf", b"", "empty"),
        ("1.pdf", pdf(b""), "no text"),
    ],
)
def test_what_cannot_be_read_is_rejected_by_name_reason_and_remedy(tmp_path, name, data, reason):
    (rejection,) = read_bytes(tmp_path, name, data, Limits(text_bytes=2000))
    assert isinstance(rejection, Rejection)
    assert rejection.name == name
    assert reason in rejection.reason
    assert rejection.remedy


def test_a_file_that_vanishes_after_it_was_found_is_rejected(tmp_path):
    (tmp_path / "1.txt").write_text("正文", encoding="utf-8")
    (file,) = find_files([tmp_path])
    (tmp_path / "1.txt").unlink()
    (rejection,) = read_file(file)
    assert "gone" in rejection.reason


def test_a_scratch_is_reported_beside_the_text(tmp_path):
    source, rejection = read_bytes(tmp_path, "1.txt", "今天新闻".encode() * 500 + b"\xff" + "完".encode())
    assert source.text.endswith("\ufffd完")
    assert rejection.name == "1.txt#undecodable"


def test_a_digital_newspaper_page_gives_its_article_and_metadata(tmp_path):
    (source,) = read_bytes(tmp_path, "1.html", EPAPER.encode("gb18030"))
    assert source.text == ("本市交通再提速 城南新桥通车\n\n本报讯 城南新桥昨日通车。\n\n市民过江时间将缩短二十分钟。")
    assert (source.headline, source.date) == ("本市交通再提速 城南新桥通车", "2023-08-08")
    assert (source.paper, source.section) == ("某某日报", "01版：要闻")


def test_an_ordinary_page_gives_headline_and_paragraphs_without_menus(tmp_path):
    paragraphs = [f"第{number}段，本市今日举行会议，讨论了第{number}项议题，代表们踊跃发言。" for number in range(9)]
    page = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    markup = (
        '<html><head><meta charset="big5"><meta property="og:site_name" content="城南晚报">'
        '<meta property="article:published_time" content="2023-08-08T10:00:00+08:00">'
        '<link rel="canonical" href="https://example.org/a/1.html"><title>会议召开_城南晚报</title></head><body>'
        f'<ul><li><a href="/">首页</a></li></ul><article><h1>会议召开</h1>{page}</article></body></html>'
    )
    (source,) = read_bytes(tmp_path, "1.htm", markup.encode())
    assert source.text == "\n\n".join(["会议召开", *paragraphs])
    assert (source.headline, source.date, source.paper) == ("会议召开", "2023-08-08", "城南晚报")
    assert source.url == "https://example.org/a/1.html"


def test_a_short_page_falls_back_to_plain_extraction(tmp_path):
    markup = "<html><body><h1>简讯</h1><div>城南新桥<b>昨日</b>通车。<br>全长二千米。</div></body></html>"
    (source,) = read_bytes(tmp_path, "1.html", markup.encode())
    assert source.text == "简讯\n\n城南新桥昨日通车。\n全长二千米。"


def test_the_declared_charset_of_a_page_is_honoured(tmp_path):
    markup = '<html><head><meta charset="big5"></head><body><p>今天</p></body></html>'
    (source,) = read_bytes(tmp_path, "1.html", markup.encode("cp950"))
    assert (source.text, source.encoding) == ("今天", "cp950")


def test_the_pages_of_a_pdf_are_joined_and_a_machine_title_is_not_believed(tmp_path):
    (source,) = read_bytes(tmp_path, "1.pdf", pdf(TEXT_PAGE, b"/Title(Microsoft Word - 1.doc)", pages=2))
    assert source.text == "The new bridge opened.\n\nThe new bridge opened."
    assert (source.media_type, source.headline, source.date, source.encoding) == ("pdf", None, None, None)
    (source,) = read_bytes(tmp_path, "2.pdf", pdf(TEXT_PAGE, b"/Title(Bridge opens)"))
    assert source.headline == "Bridge opens"


def test_a_title_cut_inside_a_character_loses_no_page(tmp_path):
    (source,) = read_bytes(tmp_path, "a.pdf", pdf(TEXT_PAGE, b"/Title<FEFF4E2DD83D>"))
    assert source.text == "The new bridge opened."
    assert source.headline is None


def test_pages_over_the_limit_are_reported(tmp_path):
    source, rejection = read_bytes(tmp_path, "1.pdf", pdf(TEXT_PAGE, pages=3), Limits(pdf_pages=1))
    assert source.text == "The new bridge opened."
    assert rejection.name == "1.pdf#page 2"


def test_a_rotated_page_is_read(tmp_path):
    (source,) = read_bytes(tmp_path, "1.pdf", pdf(TEXT_PAGE, rotate=90))
    assert source.text == "The new bridge opened."


def test_a_pdf_that_unpacks_to_too_much_is_refused_and_the_next_one_read(tmp_path):
    (refused,) = read_bytes(tmp_path, "bomb.pdf", pdf(b"q " * 5_000_000), Limits(pdf_memory=300 * 2**20))
    assert "memory" in refused.reason
    (source,) = read_bytes(tmp_path, "1.pdf", pdf(TEXT_PAGE))
    assert "bridge" in source.text


def test_a_pdf_that_takes_too_long_is_refused(tmp_path):
    (refused,) = read_bytes(tmp_path, "slow.pdf", pdf(b"q " * 20_000_000), Limits(pdf_seconds=0.3))
    assert "more than 0 s" in refused.reason
