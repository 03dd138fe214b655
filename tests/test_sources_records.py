"""CSV and JSONL: one source for each record, broken ones reported one by one."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from index.reading import Limits
from index.record_fields import iso_date
from index.records import Rejection, Source
from index.sources import find_files, read_file


def read(tmp_path: Path, name: str, data: str | bytes, limits: Limits | None = None) -> list[Source | Rejection]:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    (file,) = find_files([tmp_path / name])
    return list(read_file(file, limits or Limits()))


def test_a_record_becomes_a_source_with_title_and_text(tmp_path):
    line = '{"id": 7, "title": "通车", "time": "2023-08-08 10:02", "url": "http://a", "text": "新桥通车。\\n完"}\n'
    (source,) = read(tmp_path, "a.jsonl", line)
    text = "通车\n\n新桥通车。\n完"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert source == Source("a.jsonl#7", text, sha256, "jsonl", "utf-8", "通车", "2023-08-08", url="http://a")


def test_broken_lines_are_named_and_the_rest_is_read(tmp_path):
    lines = [
        '{"text": "一"}',
        '{"text": ',
        "[1]",
        "",
        '{"text": "  "}',
        '{"a": 1}',
        '{"text": "a\\u0000"}',
        '{"text":"末"}',
    ]
    found = read(tmp_path, "a.jsonl", "\r\n".join(lines))
    assert [item.name for item in found] == [
        "a.jsonl#1",
        "a.jsonl#line 2",
        "a.jsonl#line 3",
        "a.jsonl#line 5",
        "a.jsonl#line 6",
        "a.jsonl#line 7",
        "a.jsonl#8",
    ]
    assert "column" in found[1].reason
    assert "'a'" in found[4].reason


def test_equal_ids_and_ids_equal_to_a_row_get_names_of_their_own(tmp_path):
    lines = [{"id": "x", "text": "一"}, {"id": "x", "text": "二"}, {"id": "4", "text": "三"}, {"text": "四"}]
    found = read(tmp_path, "a.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert [item.name for item in found] == ["a.jsonl#x", "a.jsonl#x~2", "a.jsonl#4", "a.jsonl#4~4"]


def test_a_lone_surrogate_and_endless_nesting_do_no_harm(tmp_path):
    first, second, told = read(tmp_path, "a.jsonl", '{"text": "半个\\ud83d字' + "好" * 200 + '"}\n' + "[" * 100_000)
    assert first.text.startswith("半个\ufffd字")
    assert second.name == "a.jsonl#line 2"
    assert told.name == "a.jsonl#undecodable"


def test_half_a_surrogate_pair_in_a_field_name_is_named(tmp_path):
    good, bad = read(tmp_path, "a.jsonl", '{"text": "一"}\n{"\\ud800": 1}\n')
    assert isinstance(good, Source)
    assert "\\ud800" in bad.reason


def test_a_row_that_never_ends_is_refused(tmp_path):
    limits = Limits(record_chars=1000)
    data = 'text,title\n一,二\n"' + 'ab\n","' * 2000
    source, refused = read(tmp_path, "a.csv", data, limits)
    assert source.text == "二\n\n一"
    assert "4,000 characters" in refused.reason


def test_records_with_places_that_could_not_be_decoded_are_told(tmp_path):
    data = ("text\n" + "清溪镇的新桥昨日通车。" * 40).encode() + b"\xff\n" + "柚园村。\n".encode()
    first, second, told = read(tmp_path, "a.csv", data)
    assert "\ufffd" in first.text
    assert "\ufffd" not in second.text
    assert (told.name, told.reason[:5]) == ("a.csv#undecodable", "1 of ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_encodings_of_records(tmp_path, encoding, suffix):
    data = '{"text": "城南新桥昨日正式通车，市民过江时间将缩短。"}\n'.encode(encoding)
    (source,) = read(tmp_path, f"a.jsonl{suffix}", gzip.compress(data) if suffix else data)
    assert source.text == "城南新桥昨日正式通车，市民过江时间将缩短。"


def test_a_csv_with_chinese_columns_and_joined_titles(tmp_path):
    table = '引题,标题,副题,正文,链接,日期,版面,报纸\r\n肩,题,副,"第一段，\n第二""段""",http://a,2022年4月1日,第1版,晚报\r\n'
    (source,) = read(tmp_path, "a.csv", table.encode("gb18030"))
    assert source.name == "a.csv#1"
    assert source.text == '肩 题 副\n\n第一段，\n第二"段"'
    assert (source.headline, source.date, source.section, source.paper) == ("肩 题 副", "2022-04-01", "第1版", "晚报")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    table = f"sep={delimiter}\nid{delimiter}Content\n5{delimiter}正文\n" if delimiter == ";" else None
    (source,) = read(tmp_path, "a.csv", table or f"id{delimiter}Content\n5{delimiter}正文\n")
    assert (source.name, source.text) == ("a.csv#5", "正文")


def test_rows_that_cannot_be_used_are_named(tmp_path):
    found = read(tmp_path, "a.csv", "title,text\n一,\n二,文,多\n\n三,文\n")
    assert [item.name for item in found] == ["a.csv#row 1", "a.csv#row 2", "a.csv#4"]


def test_a_csv_without_a_text_column_is_rejected_with_its_columns(tmp_path):
    (rejection,) = read(tmp_path, "a.csv", "name,price\n一,二\n")
    assert rejection.name == "a.csv"
    assert "'name', 'price'" in rejection.reason
    assert "正文" in rejection.remedy


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", "", "empty"),
        ("a.jsonl", "", "empty"),
        ("a.csv", "title,text\n", "no records"),
        ("a.csv", 'text\n"unclosed' + "x" * 200_000, "longer than"),
        ("a.jsonl.gz", gzip.compress(b"\n" * 3_000_000), "limit"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "1"}')[:-9], "damaged"),
        ("a.jsonl", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0", ""),
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, data, reason):
    found = read(tmp_path, name, data, Limits(records_bytes=1_000_000, record_chars=1000))
    assert found[-1].name == name
    assert isinstance(found[-1], Rejection)
    assert reason in found[-1].reason


def test_records_over_the_limit_are_rejected_and_reading_stops_after_too_many(tmp_path):
    limits = Limits(record_chars=10, bad_records_in_a_row=2)
    lines = ['{"text": "' + "长" * 20 + '"}', '{"text": "短"}', '{"text": "' + "长" * 200 + '"}', "x", '{"text": "末"}']
    found = read(tmp_path, "a.jsonl", "\n".join(lines), limits)
    names = [item.name for item in found]
    assert names == ["a.jsonl#line 1", "a.jsonl#2", "a.jsonl#line 3", "a.jsonl#line 4", "a.jsonl"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2023-08-08", "2023-08-08"),
        ("2023/8/8 10:02:03", "2023-08-08"),
        ("2023年8月8日", "2023-08-08"),
        ("20230808", "2023-08-08"),
        ("20230808100203", "2023-08-08"),
        ("2023-08-08T10:00:00Z", "2023-08-08"),
        ("2023.8.8", "2023-08-08"),
        ("2023-02-30", None),
        ("昨天", None),
        ("1691460000", None),
        (None, None),
    ],
)
def test_dates(text, date):
    assert iso_date(text) == date
