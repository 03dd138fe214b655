"""Every encoding a Chinese newspaper archive may come in is told apart, and what is no text is refused."""

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.decoding import Decoded, decode_text
from index.reading import UnreadableError

SIMPLIFIED = (
    "本报讯（记者张三）城南新桥昨日上午十时正式通车，全长二千三百米。市交通局局长李四在仪式上表示，新桥通车以后，"
    "市民过江的时间将缩短二十分钟，有关部门还将增加三条公交线路。今年以来，全市已经完成道路建设投资十二亿元，"
    "比去年同期增长百分之八；下一步要把群众关心的问题解决好，使经济社会发展的成果由人民共享。"
)
TRADITIONAL = (
    "本報訊（記者張三）城南新橋昨日上午十時正式通車，全長二千三百公尺。市交通局局長李四在儀式上表示，新橋通車以後，"
    "市民過江的時間將縮短二十分鐘，有關部門還將增加三條公車路線。今年以來，全市已經完成道路建設投資十二億元，"
    "比去年同期增長百分之八；下一步要把民眾關心的問題解決好，使經濟社會發展的成果由人民共享。"
)


@given(
    start=st.integers(0, len(SIMPLIFIED) - 20),
    length=st.integers(20, 200),
    encoding=st.sampled_from(["utf-8", "gb18030", "gbk", "utf-16-le", "utf-16-be", "utf-32-le"]),
)
def test_simplified_text_survives_every_encoding_without_a_mark(start, length, encoding):
    text = SIMPLIFIED[start : start + length]
    assert decode_text(text.encode(encoding)).text == text


@given(
    start=st.integers(0, len(TRADITIONAL) - 20),
    length=st.integers(20, 200),
    encoding=st.sampled_from(["utf-8", "cp950", "big5", "gb18030", "utf-16-le", "utf-16-be"]),
)
def test_traditional_text_survives_every_encoding_without_a_mark(start, length, encoding):
    text = TRADITIONAL[start : start + length]
    assert decode_text(text.encode(encoding)).text == text


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1))
def test_any_text_in_utf8_with_a_mark_comes_back_unchanged(text):
    assert decode_text(codecs.BOM_UTF8 + text.encode()).text == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_a_byte_order_mark_decides_and_is_dropped(encoding):
    mark = "\ufeff" if encoding == "gb18030" else ""
    assert decode_text((mark + "今天").encode(encoding)).text == "今天"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("香港政府嘅新措施，市民咗解啲乜嘢。", "big5hkscs"),
        ("Le café était fermé. Voilà déjà l’été à Paris.", "cp1252"),
        ("Правительство Москвы сообщило о новых мерах поддержки населения", "cp1251"),
        ("서울시는 오늘 새로운 계획을 발표했습니다.", "cp949"),
        ("Hello World", "utf-16-le"),
        ("Привет", "utf-8"),
    ],
)
def test_other_encodings(text, encoding):
    assert decode_text(text.encode(encoding)).text == text


def test_line_ends_and_spaces_stay():
    text = "第一行\r\n　　第二行\n\n第三行\r第四行\u2028末\t"
    assert decode_text(text.encode("gb18030")).text == text


def test_chinese_after_a_long_english_start_is_still_recognised():
    text = "All the news that is fit to print. " * 5000 + SIMPLIFIED
    assert decode_text(text.encode("gb18030")).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_scratch_in_a_long_text_is_tolerated_and_counted(encoding):
    data = (SIMPLIFIED * 40).encode(encoding)
    decoded = decode_text(data[:3000] + b"\xff" + data[3000:])
    assert decoded.encoding == encoding
    assert 1 <= decoded.replaced <= 3
    assert decoded.text.endswith(SIMPLIFIED)


@pytest.mark.parametrize("size", [20, 100, 5000, 100_000])
def test_noise_is_refused(size):
    generator = random.Random(size)
    for _ in range(5):
        with pytest.raises(UnreadableError):
            decode_text(generator.randbytes(size) + b"\x00\xff\xfe\xd8")


def test_nul_and_control_characters_are_refused():
    with pytest.raises(UnreadableError, match="NUL"):
        decode_text((SIMPLIFIED + "\0").encode())
    with pytest.raises(UnreadableError, match="control"):
        decode_text((SIMPLIFIED + "\x01" * 20).encode())
    assert "\x01" in decode_text((SIMPLIFIED + "\x01").encode()).text


@pytest.mark.parametrize("declared", ["idna", "punycode", "unicode_escape", "utf-7", "rot13", "base64", "utf-16"])
def test_a_declaration_of_what_is_no_encoding_of_documents_is_not_believed(declared):
    text = "清溪镇昨日举行了新桥的通车仪式。"
    assert decode_text(text.encode("gb18030"), declared) == Decoded(text, "gb18030")


def test_a_declaration_is_believed_only_if_it_decodes():
    assert decode_text("今天".encode("cp950"), "big5").text == "今天"
    assert decode_text(SIMPLIFIED.encode("gb18030"), "utf-8").text == SIMPLIFIED
    assert decode_text(SIMPLIFIED.encode(), "gb2312").text == SIMPLIFIED
    assert decode_text(SIMPLIFIED.encode("gb18030"), "no-such-encoding").text == SIMPLIFIED
    assert decode_text(SIMPLIFIED.encode("gb18030"), "rot13").text == SIMPLIFIED
    assert decode_text(SIMPLIFIED.encode("gb18030"), "utf-16").text == SIMPLIFIED
