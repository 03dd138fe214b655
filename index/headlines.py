"""Headlines: which lines of a page are titles, bylines, captions and running text.

Every line gets its kind from its own words and its neighbours. Whether a title opens an article is weighed elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import Enum

from index.bylines import (
    LATIN_BYLINE,
    is_bare_date,
    is_byline,
    is_caption,
    is_column_name,
    is_lead,
    is_notice_title,
    is_rubric,
    is_signature,
    signature_at_end,
    turns_in,
    turns_out,
)
from index.furniture import names_staff
from index.lines import Line, begins_inside, begins_item, ends_sentence, is_cjk_text, is_table_row, open_pairs
from index.tokens import dictionary_words

LONGEST_TITLE = 60
LONGEST_LATIN_TITLE = 110
LONGEST_SIGNER = 24
FAR_RIGHT = 5
SHORTEST_ITEM = 14


class Kind(Enum):
    """What a line of text is."""

    TITLE = "title"
    BYLINE = "byline"
    SIGNATURE = "signature"
    CAPTION = "caption"
    TURN = "turn"
    DIVIDER = "divider"
    BODY = "body"


_SPEECH = re.compile(r"^.{1,14}(?:强调|表示|说|指出|认为|介绍|坦言|要求|称|透露|告诉记者)[,，:：]")
_TURN_OF_TALK = re.compile(r"^(?:记者|記者|问|問|答|主持人|Q|A|嘉宾|编辑|读者)\d?\s*[:：]")
_ENTRY = re.compile(r"[:：]\s*[\d+（(-]|\d{3,4}[-—]\d{6,8}|\d{7,}|@|https?:|www\.|^[^\u3400-\u9fffA-Za-z]*$")
_NO_TITLE_END = "，,、；;：:。—-－的和与及或对在为是将把被从向于由使让给各每该其并而因但且即"
_WORD_END = re.compile(
    r"(?:应对|應對|绝对|相对|配对|参与|行为|作为|成为|目的|标的|总和|共和|平和|服从|方向|走向|意向|动向|导向|志向|取向|自由|理由|由来|大使|天使|行使|"
    r"转让|礼让|可以|得以|予以|难以|普及|触及|大将|名将|上将|中将|少将|所在|存在|实在|现在|好的|于是|但是|不是|就是|都是|终于|关于|属于|等于)$"
)
_DIVIDER = re.compile(r"(?:[一二三四五六七八九十]{1,3}|\d{1,2}|[*＊★☆●○◆◇■□·…—~～=\-_]{1,40})$")
_CREDIT = re.compile(r"^.{2,16}(?:摄|攝|摄影|供图|图)$")
_NAMES_ONLY = re.compile(
    r"(?:[\u3400-\u9fff]{1,4}(?:[（(].{1,4}[)）])?[\s、，,]+){3,}[\u3400-\u9fff]{1,4}(?:[（(].{1,4}[)）])?$|(?:[\u3400-\u9fff]{1,3}[\s、]+){2,}[\u3400-\u9fff]{1,3}$"
)
_SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董潘袁蔡蒋蔣余于杜叶葉程魏苏蘇吕呂丁任"
    "卢盧姚沈钟鐘姜崔谭譚陆陸范汪廖石金韦韋贾賈夏付方邹鄒熊白孟秦邱侯江尹薛闫阎雷龙龍史陶贺賀毛郝顾顧龚龔邵覃武钱錢戴严嚴莫孔汤湯柳"
)
_LABEL = re.compile(r"【[\u4e00-\u9fff]{2,6}】$")
_MEASURE = "天个個名人年月日次时時点點分秒万萬亿億元块％%度级級岁歲家户戶处處条條项項位米里吨斤公平余餘多千百"
SPACED = re.compile(r"[\u4e00-\u9fff”’」》!！?？\d]\s+[“‘「《]?[\u4e00-\u9fff\d]")


def crosses_word(before: str, after: str) -> bool:
    """Say whether a word of the dictionary lies across the end of one line and the start of the next."""
    if not before or not after or not ("\u3400" <= before[-1] <= "\u9fff") or not ("\u3400" <= after[0] <= "\u9fff"):
        return False
    left = re.split(r"[^\u3400-\u9fff]", before[-8:])[-1]
    right = re.split(r"[^\u3400-\u9fff]", after[:8])[0]
    position = 0
    for word in dictionary_words(left + right):
        if position < len(left) < position + len(word):
            return True
        position += len(word)
    return False


def wrap_width(lines: Sequence[Line]) -> int | None:
    """Return the width at which a text was hard-wrapped, or nothing where it was not."""
    lengths = Counter(len(line.text) for line in lines if not ends_sentence(line.text))
    if len(lines) < 8 or not lengths:
        return None
    if is_cjk_text("".join(line.text for line in lines[:40])):
        width, _ = max(lengths.items(), key=lambda item: (item[1], item[0]))
        near = sum(count for length, count in lengths.items() if abs(length - width) <= 1)
        return width if near >= 6 and near * 3 >= len(lines) and width >= 10 else None
    longest = sorted(len(line.text) for line in lines)[int(len(lines) * 0.9)]
    near = sum(longest - 16 <= len(line.text) <= longest for line in lines)
    return longest if near * 2 >= len(lines) and 40 <= longest <= 120 else None


def _latin_title(line: Line, following: Line | None, width: int | None) -> bool:
    """Say whether a line of a Western text reads as a title: alone between blank lines, or most words capitalised."""
    text = line.text
    if len(text) > LONGEST_LATIN_TITLE or text[-1] in ".,;:" or (not text[0].isupper() and not text[0].isdigit()):
        return False
    words = [word for word in text.split() if word[0].isalpha()]
    if sum(map(len, words)) < 4 or _ENTRY.search(text):
        return False
    capitals = sum(word[0].isupper() for word in words if len(word) > 3) / max(1, sum(len(w) > 3 for w in words))
    marked = following is not None and bool(LATIN_BYLINE.match(following.text))
    alone = (line.blanks > 0 or line.number == 0) and (following is None or following.blanks > 0)
    apart = marked or alone
    if width is not None and not apart:
        return False
    return (apart and (capitals >= 0.6 or len(text) <= 60)) or (capitals >= 0.8 and len(words) >= 3 and line.blanks > 0)


def _ends_unfinished(text: str) -> bool:
    """Say whether a line ends with a mark or a word that something must follow."""
    return text[-1] in _NO_TITLE_END and not _WORD_END.search(text)


def is_title(line: Line, previous: Line | None, following: Line | None, width: int | None) -> bool:
    """Say whether a line can be a title (headline, kicker, subhead or crosshead) in its place."""
    text = line.text
    marked = following is not None and (is_byline(following.text) or is_lead(following.text))
    if not is_cjk_text(text):
        return _latin_title(line, following, width)
    bare = len(line.compact)
    if (
        marked
        and 4 <= bare <= LONGEST_TITLE
        and text[-1] not in "，,、；;。"
        and "。" not in text
        and not begins_inside(text)
    ):
        # a byline or a lead follows: what stands above it is its headline, however it ends
        return previous is None or ends_sentence(previous.text) or not crosses_word(previous.text, text)
    if is_table_row(text) or (following is not None and is_table_row(following.text) and SPACED.search(text)):
        return False
    if _ENTRY.search(text) or _NAMES_ONLY.match(text):
        return False
    if not 2 <= bare <= LONGEST_TITLE or _ends_unfinished(text) or "。" in text or open_pairs(text) != 0:
        return False
    if begins_inside(text) or _TURN_OF_TALK.match(text):
        return False
    if text.endswith(("；", ";", "……", "…")) or len(re.findall(r"[，,；;]", text)) > 4:
        return False
    if re.search(r"[！？!?]", text[:-1]) and ends_sentence(text) and bare > 30:
        return False
    quoted = text[0] in "“「" and not (text[-1] in "”」" and previous is None and line.blanks > 0)
    if ends_sentence(text) and (bare > 32 or quoted):
        return False
    if _SPEECH.match(text) or (width is not None and abs(len(text) - width) <= 2 and line.blanks == 0):
        return False
    if width is not None and 0 < line.indent <= 4 and abs(len(text) + line.indent - width) <= 2:
        # the first line of a wrapped paragraph
        return False
    if following is not None:
        head = following.text
        if head[0] in "，,、。；;：:！？!?”’」』）)】》的了着们" and not head.startswith(("的", "了")):
            return False
        if text[-1].isdigit() and head[0] in _MEASURE:
            return False
        if not SPACED.search(text) and not ends_sentence(text) and crosses_word(text, head):
            return False
    if previous is not None and not ends_sentence(previous.text) and not SPACED.search(text):
        return not crosses_word(previous.text, text)
    return True


def classify(lines: Sequence[Line]) -> list[Kind]:
    """Return the kind of each of the lines of text of a page, in order."""
    kinds: list[Kind] = []
    width = wrap_width(lines)
    for index, line in enumerate(lines):
        previous = lines[index - 1] if index else None
        following = lines[index + 1] if index + 1 < len(lines) else None
        text = line.text
        if line.level or is_column_name(text) or _titles_notice(previous, line, following):
            kinds.append(Kind.TITLE)
        elif _closes(lines, index):
            kinds.append(Kind.SIGNATURE)
        elif _DIVIDER.match(text):
            kinds.append(Kind.DIVIDER)
        elif kinds and kinds[-1] is Kind.CAPTION and line.blanks == 0 and _CREDIT.search(text):
            kinds.append(Kind.CAPTION)
        elif (kinds and kinds[-1] is Kind.TITLE and is_column_name(lines[index - 1].text)) and len(text) > 30:
            # a column may consist of captions alone
            kinds.append(Kind.BODY)
        elif _is_listed(lines, index):
            kinds.append(Kind.BODY)
        elif is_signature(text) and index > 0 and not (_LABEL.match(text) and line.blanks > 0 and following):
            kinds.append(Kind.SIGNATURE)
        elif kinds and kinds[-1] is Kind.TITLE and following and _is_author(line, following):
            kinds.append(Kind.BYLINE)
        elif is_rubric(text) and not (
            kinds and kinds[-1] is Kind.TITLE and following and not is_title(following, line, None, width)
        ):
            # two or three characters behind a mark are a name below a headline, a label above one
            kinds.append(Kind.TITLE)
        elif is_byline(text):
            kinds.append(Kind.BYLINE)
        elif names_staff(text):
            kinds.append(Kind.SIGNATURE)
        elif (turns_in(text) and len(text) <= 16) or (turns_out(text) and len(text) <= 16):
            kinds.append(Kind.TURN)
        elif is_lead(text):
            kinds.append(Kind.BODY)
        elif is_caption(text) or _stands_apart(lines, index, under_title=bool(kinds) and kinds[-1] is Kind.TITLE):
            kinds.append(Kind.CAPTION)
        elif is_title(line, previous if previous and kinds[index - 1] is Kind.BODY else None, following, width):
            kinds.append(Kind.TITLE)
        else:
            kinds.append(Kind.BODY)
    return kinds


def _stands_apart(lines: Sequence[Line], index: int, under_title: bool) -> bool:
    """Say whether a line is a short sentence set apart from the text: a caption with no mark of its own."""
    line = lines[index]
    if index == 0 or not ends_sentence(line.text) or len(line.text) > 60 or line.text[0] in "“「":
        return False
    if line.text.count("。") + line.text.count("！") > 1:
        return False
    gaps = sorted(other.blanks for other in lines[1:])
    usual = gaps[len(gaps) // 2] if gaps else 0
    if line.blanks >= usual + 2:
        return True
    following = lines[index + 1] if index + 1 < len(lines) else None
    # right under a headline, with the text beginning after a gap
    return (
        under_title
        and following is not None
        and (ends_sentence(following.text) or len(following.text) > LONGEST_TITLE)
        and line.blanks == 0
        and following.blanks > 0
        and usual > 0
        and len(line.text) <= 45
    )


def _titles_notice(previous: Line | None, line: Line, following: Line | None) -> bool:
    """Say whether a line is the title of a notice in its place: above a text, and not inside a sentence."""
    if following is None or not is_notice_title(line.text) or begins_inside(line.text):
        return False
    return previous is None or ends_sentence(previous.text) or line.blanks > 0 or is_bare_date(previous.text)


def _closes(lines: Sequence[Line], index: int) -> bool:
    """Say whether a line closes a notice or a letter: who signs it, at the far right or above a date, and the date."""
    line = lines[index]
    if index == 0 or len(line.text) > LONGEST_SIGNER or ends_sentence(line.text):
        return False
    previous = lines[index - 1]
    if line.indent >= FAR_RIGHT and previous.indent < FAR_RIGHT and ends_sentence(previous.text):
        return True
    following = lines[index + 1] if index + 1 < len(lines) else None
    if is_bare_date(line.text):
        # below a headline a text follows the date, at the end another headline
        ended = index > 1 and ends_sentence(lines[index - 2].text) and not ends_sentence(previous.text)
        return (ended and not _tells(following)) or ends_sentence(previous.text)
    dated = following is not None and is_bare_date(following.text) and following.blanks == 0
    return dated and ends_sentence(previous.text) and not _tells(lines[index + 2] if index + 2 < len(lines) else None)


def _tells(line: Line | None) -> bool:
    """Say whether a line is running text or a byline, so that what stands above it is a headline."""
    return line is not None and (ends_sentence(line.text) or is_byline(line.text) or len(line.text) > LONGEST_TITLE)


def _is_item(text: str) -> bool:
    """Say whether a line is an item of a list that tells something."""
    told = ends_sentence(text) or bool(signature_at_end(text))
    return begins_item(text) and told and len(text) >= SHORTEST_ITEM


def _is_author(line: Line, following: Line) -> bool:
    """Say whether a line below a headline is the bare name of who wrote the text that follows."""
    name = line.compact
    if name[0] in "□◎○●■◆" and _is_name(name[1:]):
        return True
    return _is_name(name) and ends_sentence(following.text) and len(list(dictionary_words(name))) > 1


def _is_name(name: str) -> bool:
    """Say whether a text has the shape of a person's name: a common surname and one or two characters."""
    if not 2 <= len(name) <= 3 or name[0] not in _SURNAMES:
        return False
    return all("\u4e00" <= character <= "\u9fff" for character in name)


def _is_listed(lines: Sequence[Line], index: int) -> bool:
    """Say whether a line is a sentence of a list whose items all begin with the same mark."""
    line = lines[index]
    if not _is_item(line.text):
        return False
    return any(
        other.text[0] == line.text[0] and _is_item(other.text)
        for other in (*lines[max(0, index - 1) : index], *lines[index + 1 : index + 2])
    )
