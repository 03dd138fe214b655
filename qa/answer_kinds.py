"""What kind of thing a question asks for, and whether a sentence holds one."""

from __future__ import annotations

import re

from index.folding import fold_phrase, fold_text
from qa.figures import figures_of
from qa.question import Question

# What is asked for is one thing, and named.
FACTUAL_KINDS = ("number", "time", "place", "person")
_NUMERALS = "0-9〇零一二两三四五六七八九十百千万亿多余%％"
_DIGIT = re.compile(r"[0-9〇零一二两三四五六七八九十百千万亿]")
_MEASURES = (
    "个名人位家吨元角分米里亩顷户件场次遍回天年月日岁时点秒周台辆艘架座栋幢条只头匹所届期项种类册本盆株棵套份张篇首部集"
    "轮升斤克度级层间楼段门班排股批双对组队支处片块"
)
# 多少游客 asks for a number of any unit; 多少人 for one of people; 几个小时 for one of hours; 多少亿元 for one of yuan.
_ASKED_UNIT = re.compile(
    rf"(?:多少|几)[百千万亿]*(?:个(?=小时|月|星期|工作日|百分点))?(小时|星期|工作日|百分点|[{_MEASURES}](?!间))"
)
# What is asked for by one of these may be told by another: 几点 by 凌晨2时, 多少人 by 200多名.
_ALIKE = ("个名人位口", "点时", "日号", "元块", "户家", "次场遍回趟", "辆台")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d\d(?!\d)")
# 同比增长了多少 asks for a share, and so does a rate by its name.
_ASKED_RATE = re.compile(
    r"(?:同比|环比).{0,8}(?:多少|几)(?!\w?[元人吨辆件户亿万])|(?:占比|比例|比重|率|增幅|降幅|增速)(?:是|为|达|达到|有)?(?:多少|几)"
    r"|what (?:percent|share|proportion)|(?:何|多少)(?:パーセント|%)"
)
_RATE = re.compile(r"[%‰倍成]|百分|分之|个点")
_TIME = re.compile(
    r"[0-9〇一二三四五六七八九十]+\s*[年月日时点号]|日前|近日|[今昨明]天|[今去前明]年|[上本下]月|上午|下午|凌晨|晚上|"
    r"(?:星期|周|礼拜)[一二三四五六日天末]|\d:\d\d|\d{4}[-/.]\d"
)
_PLACE = re.compile(r"[省市县区镇乡村路街厅馆院园楼场站港桥室]")
_REASON = re.compile("因为|由于|因|为了|为|所以|导致|才能|because")
_LISTING = re.compile(r"[、,，]|和|及|与| and ")
_ASKING = re.compile(r"多少|什么|谁|哪[些个位里年天]|^(?:how (?:many|much)|who|what)\b")
_SENTENCE_END = re.compile(r"[。！!；;….][”’」』》）)\"']*$|\d$")


def can_answer(question: Question, text: str) -> bool:
    """Say whether a sentence holds the kind of thing the question asks for; true where one cannot tell."""
    folded = fold_phrase(text)
    if question.kind in ("number", "time"):
        asked = fold_phrase(question.text)
        if question.kind == "number":
            if not _DIGIT.search(folded):
                return False
            if _ASKED_RATE.search(asked) and not _RATE.search(folded):
                return False
        if not all(_has_unit(folded, unit) for unit in _ASKED_UNIT.findall(asked)):
            return False
    marks = {"time": _TIME, "place": _PLACE, "reason": _REASON, "list": _LISTING}
    mark = marks.get(question.kind)
    return mark is None or bool(mark.search(folded))


def _has_unit(folded: str, unit: str) -> bool:
    if unit in "点时" and _CLOCK.search(folded):
        return True
    alike = "".join(alike for alike in _ALIKE if unit in alike)
    return bool(re.search(rf"[{_NUMERALS}]\s*个?(?:{f'[{alike}]' if alike else unit})", folded))


def figures_alike(one: str, other: str) -> bool:
    """Say whether the first figures of two texts can tell the same thing: their units are the same, or told alike."""
    units = [figures[0][1] if (figures := figures_of(text)) else "" for text in (one, other)]
    return units[0] == units[1] or any(units[0] in alike and units[1] in alike for alike in _ALIKE if all(units))


def names_what_is_asked(question: Question, answer: str) -> bool:
    """Say whether an answer tells a number, time, place or person rather than asks for one, as 共投资多少 does."""
    return not (question.kind in FACTUAL_KINDS and _ASKING.search(fold_text(answer, casefold=False)))


def is_whole_sentence(text: str) -> bool:
    """Say whether a text ends as a statement does: headings and questions say nothing."""
    return bool(_SENTENCE_END.search(text))
