"""Bylines, leads, signatures, captions and page turns: the set phrases around a newspaper article.

The patterns name roles and kinds of paper, never a person, a place or a paper.
"""

from __future__ import annotations

import re

LONGEST_BYLINE = 60
LONGEST_META = 100
LONGEST_SIGNATURE = 40
LONGEST_CAPTION = 90

_HAN = r"[\u3400-\u9fff\u00b7·]"
_PAPER = (
    rf"{_HAN}{{0,8}}?(?:日报|晚报|早报|晨报|时报|商报|快报|都市报|周报|导报|青年报|日報|晚報|時報|報|报|新闻网|新聞網|网|網|通讯社|社|"
    r"电视台|電視台|广播|台|客户端|融媒)"
)
_MARKS = r"[■□●○◎▲△★☆◆◇▪⊙◤◢►▶※]"

# "本报讯", "江城日报讯", "（新华社记者…）", "新华社某地7月1日电", 【本報訊】, 〔記者王某／台北報導〕, 中新网3月4日电
_LEAD = re.compile(
    rf"(?:{_MARKS}\s*)?[【\[〔(（]?\s*(?:"
    rf"(?:本[报刊网台社報]|{_HAN}{{1,10}}?(?:报|報|网|網|社|台|刊|融媒体?))\s*(?:综合|综|专|特|独家)?\s*(?:讯|訊)"
    rf"|(?:据|據)?\s*(?:综合)?\s*(?:新华社|新華社|中新社|中新网|新华网|人民网|央视网|中央社|法新社|路透社|美联社|{_HAN}{{2,6}}(?:社|网|網)|{_HAN}{{2,6}}[日晚早晨时](?:报|報)(?=.{{0,10}}日[电電])){_HAN}{{0,12}}"
    rf"(?:\s*\d{{0,4}}\s*年?\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*日)?\s*(?:专|综合|外)?(?:电|電|消息|讯|訊)(?!视|影|力|网|话|动|子|商|台|器|信|机)"
    rf"|(?:本[报报報刊网台]|{_HAN}{{2,8}}?(?:报|報|网|台))?(?:特派|實習|实习|见习|見習|首席)?(?:记者|記者)\s*{_HAN}{{2,4}}\s*[/／]\s*{_HAN}{{1,8}}?\s*(?:专访|专題|综合|綜合|连线|連線)?(?:报道|報導|報道)"
    rf"|[【\[〔(（](?:本[报報刊])?(?:特派|實習|实习|见习|見習|首席)?(?:记者|記者){_HAN}{{2,4}}(?:综合|綜合)?(?:报道|報導|報道)[】\]〕)）]"
    rf"|{_HAN}{{2,10}}(?:消息|快讯|快訊)[（(][^（()）]{{1,30}}[)）]"
    rf")"
)
_LATIN_LEAD = re.compile(
    r"[A-Z][A-Z .,'’-]{2,30}(?:,\s*[A-Z][a-z]{2,8}\.?\s*\d{1,2})?\s*(?:\([A-Z][A-Za-z ]{1,20}\)\s*)?[-–—]{1,2}\s"
)
# the strong part: a "讯" lead opens an article wherever it stands; a dispatch's dateline may be quoted inside one
_STRONG_LEAD = re.compile(rf"(?:{_MARKS}\s*)?[【\[〔(（]?\s*(?:本[报刊网台社報]|{_HAN}{{1,8}}?(?:报|報))\s*(?:讯|訊)")
_LEAD_BRACKET = re.compile(r"[(（【〔\[]([^()（）【】〔〕\[\]]{2,80})[)）】〕\]]")
_BYLINE_AFTER_LEAD = re.compile(r"\s*[(（【〔\[][^()（）【】〔〕\[\]]{2,80}[)）】〕\]]\s*")
_LEAD_PAPER = re.compile(
    rf"[【\[〔(（]?\s*({_HAN}{{1,8}}?(?:日报|晚报|早报|晨报|时报|商报|快报|都市报|周报|导报|青年报|日報|晚報|時報))"
    rf"\s*(?:讯|訊|记者|消息|{_HAN}{{0,8}}\s*\d{{1,2}}月\d{{1,2}}日(?:电|電|讯|訊))"
)

_ROLE = re.compile(
    r"(?:本报|本報|本刊|本网|本台)?(?:全媒体|融媒体|融媒)?(?:首席|见习|見習|实习|實習|特约|特約|特派|驻站|摄影|文字|资深)*"
    r"(?:记者|記者|通讯员|通訊員|评论员|撰稿人|编辑|撰稿|撰文|采写|摄影报道|摄影|攝影|摄制|摄|图片|报道组)"
    r"|文[/／、]?图|图[/／、]?文|文字?[/／:：]|图[/／:：]|图片?$|作者[:：]?|编译[:：]?|編譯[:：]?|整理[:：]?|策划[:：]?|统筹[:：]?|执笔[:：]?|综合报道|綜合報導|综合整理|報導|报道|实习生|口述[:：]?|供稿|来源[:：]?"
)
_NAME = re.compile(
    rf"(?:{_HAN}{{2,4}}|{_HAN}{{0,14}}(?:报|報|社|台|网|局|委|会|部|院|区|街道|镇|中心|联|办|公司|大学|学校|媒体)|{_HAN}{{2,4}}(?:等))$"
)
_RUBRIC = re.compile(
    rf"{_MARKS}\s*[^，。,、；;]{{2,10}}$|(?:链接|相关链接|新闻链接|名词解释|新闻背景|背景链接|小贴士|温馨提示|延伸阅读|数读|声音|短评|快评|编后|编者按|新闻助读|记者手记)[:：]?$"
)
_SPACED_OUT = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_COLUMN = re.compile(
    r"[【\[■◆●▼]?\s*(?:简[讯訊报明](?:新[闻聞])?|短[讯訊]|快[讯訊]|一句[话話]新[闻聞]|[图圖]片新[闻聞]|新[闻聞][图圖]片|"
    r"新[闻聞](?:速[递览遞覽]|[简簡][报報讯訊]|集[装裝]箱|集锦|快[报報])|"
    r"要[闻聞](?:速[览覽递遞]|[简簡][报報])|[读讀]者[来來](?:信|函)|便民(?:信息|服务)|"
    r"停[水电气電](?:信息|通知|预告)|(?:[体福]彩|彩票)(?:开奖|信息)|(?:电视)?节目预[告报]|"
    r"分[类類][广廣]告|(?i:(?:news |local )?briefs|in brief))\s*[】\]]?$"
)
_EDITORS_NOTE = re.compile(
    r"[【\[〔■●◆]?\s*(?:编者按|編者按|编者的话|编者语|开栏的话|开栏语|编前|编前语)(?:\s|[】\]〕:：]|$)"
)
_NOTICE = re.compile(
    r"^[^。，,；;：:！？]{0,36}(?:公告|启事|啟事|通告|公示|讣告|訃告|更正|致歉信?|(?:遗失|作废|致歉|郑重|注销|减资|清算|合并|分立)声明|声明书)$"
)
_SPLIT = re.compile(r"[\s/／、,，:：;；|·・]+")
LATIN_BYLINE = re.compile(
    r"(?:[Bb]y|BY)\s+[A-Z][\w.'’-]*(?:\s+(?:and\s+|[A-Z])[\w.'’-]*){0,7}(?:,\s*[A-Z][\w .'’-]{2,40})?$"
)
_MARKED_NAMES = re.compile(
    rf"{_MARKS}\s*{_HAN}{{2,4}}(?:\s+{_HAN}{{2,4}}){{0,3}}(?:\s*[（(][^()（）。]{{2,16}}[)）])?$"
)
_BARE_DATE = re.compile(
    r"(?:(?:19|20)\d\d\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[二一][〇○零一二三四五六七八九]{3}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日)$"
)
_LATIN_POST = re.compile(
    r"(?:(?:Senior|Chief|Special|City) )?(?:Staff (?:Writer|Reporter)s?|(?:Staff )?Correspondent|Contributing Writer)$"
)
_META = re.compile(
    r"(?:来源|來源|作者|记者|编辑|时间|日期|发布时间|发布日期|发布人|信息来源|稿件来源|文章来源)"
    r"\s*[:：].*(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}"
)
_META_AUTHOR = re.compile(
    r"(?:作者|记者|通讯员)\s*[:：]\s*"
    r"(?P<author>[\u4e00-\u9fff·]{2,4}(?:[、 ][\u4e00-\u9fff·]{2,4}(?![:：\u4e00-\u9fff]))*)"
)
_NO_BYLINE = re.compile(
    r"^(?:编辑同志|編輯先生|编辑您好|编辑部)|手[记記]|[图圖]片新[闻聞]|新[闻聞][图圖]片|^[图圖]片[报報][道導]$|[读讀]者[来來]"
)
_DATELINE = re.compile(
    rf"(?:(?:来源|來源)[:：]\s*)?(?:{_PAPER})?\s*(?:\|\s*)?(?:发布时间[:：]\s*)?(?:19|20)\d\d\s*[-/.年]\s*\d{{1,2}}\s*[-/.月]\s*\d{{1,2}}\s*日?\s*(?:\d{{1,2}}[:：]\d\d(?:[:：]\d\d)?)?"
    rf"(?:\s*(?:来源|來源|作者|记者|编辑)[:：].{{1,30}})?$"
)

_SIGNATURE = re.compile(
    rf"[(（〔【]\s*(?:(?:本报)?(?:首席|见习|特约)?(?:记者|記者|通讯员|作者|作者系|编辑|责任编辑|责编|据|新华社|供稿|文|图)[^。()（）]{{0,34}}"
    rf"|{_HAN}{{2,4}}(?:[\s、,，]+{_HAN}{{2,4}}){{0,4}}|{_HAN}{{2,14}})\s*[)）〕】]$"
)
_END_MARK = re.compile(
    r"[(（【]?\s*(?:完|完毕|全文完|未完待续|END|The End)\s*[)）】]?$|"
    r"[【\[(（]\s*(?:责任)?(?:编辑|責編|责编|校对|来源)\s*[:：][^】\])）]{1,20}[】\])）]"
)
_SIGNATURE_TAIL = re.compile(
    rf"[。！？!?”…]\s*(?P<signature>[(（〔](?:[^。()（）]{{0,10}}(?:记者|記者|通讯员|报道|報導|新华社|据|供稿|作者|整理|综合)[^。()（）]{{0,34}}|{_HAN}{{2,4}}(?:[\s、]{_HAN}{{2,4}})*)[)）〕])$"
)

_CAPTION = re.compile(
    rf"(?:^(?:图为|圖為|图[①-⑩\d一二三四]?[:：]|[左右上下]图|▲|△|↑|↓|←|→|[①-⑩]图)|"
    rf"(?:摄|攝|供图|供圖|配图|制图|绘图|资料图片?|資料照片|摄影报道|"
    rf"图片由.{{2,20}}提供|翻攝|/圖|/摄|受访者供图)[)）。]?$|"
    rf"[。\s](?:图|圖)\s*[/／:：]\s*{_HAN}{{2,12}}$|Photo(?:\s+by)?\s*[:：]?\s*[A-Z][\w .]+$)"
)
_TURN_OUT = re.compile(
    r"[(（【▶▼►\[]?\s*(?:下转|下轉|详见|詳見|转|全文见|文转)\s*第?\s*(?:[A-Za-z]?\s*\d{1,3}|[一二三四五六七八九十]{1,3})\s*[版页頁](?:[·:：]?[\u4e00-\u9fff]{0,6})?\s*[)）】\]▶►▼]*$"
)
_TURN_IN = re.compile(
    r"^[(（【◀\[]?\s*(?:上接|紧接|緊接|接)\s*(?:本?报?\s*第?\s*(?:[A-Za-z]?\s*\d{1,3}|[一二三四五六七八九十]{1,3})\s*[版页頁])"
    r"(?:[^()（）【】\[\]。，]{0,20}[)）】\]]|\s*[“《「][^“”《》「」。]{1,30}[”》」]|[▶►▼]+)?"
)


def is_lead(text: str) -> bool:
    """Say whether a paragraph begins as a news lead does (本报讯, 新华社…电, 〔記者…／…報導〕, BEIJING, July 3 --)."""
    head = text[:80]
    return bool(_LEAD.match(head) or _LATIN_LEAD.match(head))


def is_strong_lead(text: str) -> bool:
    """Say whether a paragraph begins with a lead that only ever opens an article (本报讯, XX日报讯)."""
    return bool(_STRONG_LEAD.match(text[:60]))


def lead_length(text: str) -> int:
    """Return how many characters of a paragraph are its lead, byline in brackets included (本报讯（记者 某某）)."""
    lead = _STRONG_LEAD.match(text[:60])
    if not lead:
        return 0
    byline = _BYLINE_AFTER_LEAD.match(text, lead.end())
    if byline and _ROLE.search(byline[0]):
        return byline.end()
    return len(text) - len(text[lead.end() :].lstrip("】])）〕：: \t\u3000"))


def lead_byline(text: str) -> str:
    """Return the byline inside the lead of a paragraph, in its brackets, or nothing."""
    head = text[:140]
    for match in _LEAD_BRACKET.finditer(head):
        inside = match.group(1).strip()
        if match.start() > 24:
            break
        if _ROLE.search(inside):
            return inside
    return ""


def lead_paper(text: str) -> str | None:
    """Return the name of the paper that the lead names as its own, if any."""
    match = _LEAD_PAPER.match(text[:40])
    return match.group(1) if match else None


def is_byline(text: str) -> bool:
    """Say whether a line is a byline: role words and names, nothing more."""
    if is_dateline(text):
        return True
    if len(text) > LONGEST_BYLINE or text.endswith(("。", "！", "？", "，", ",", "、")):
        return False
    if LATIN_BYLINE.match(text) or _LATIN_POST.match(text) or _MARKED_NAMES.match(text):
        return True
    if _NO_BYLINE.search(text):
        return False
    stripped = text.strip("()（）【】[]〔〕 　")
    if not _ROLE.search(stripped):
        return False
    rest = re.sub(_MARKS, " ", _ROLE.sub(" ", stripped))
    names = [name for name in _SPLIT.split(rest) if name]
    if not names:
        return bool(re.search(r"记者|記者|通讯员|文.?图|摄", stripped))
    return len(names) <= 12 and all(_NAME.match(name) for name in names)


def is_rubric(text: str) -> bool:
    """Say whether a line is a label above a headline: a short phrase behind a mark, or a set name (链接, 名词解释)."""
    return bool(_RUBRIC.match(text)) and not _ROLE.search(text)


def is_column_name(text: str) -> bool:
    """Say whether a line is the name of a standing column of short pieces (简讯, 图片新闻, 一句话新闻)."""
    return len(text) <= 16 and bool(_COLUMN.match(_SPACED_OUT.sub("", text)))


def is_editors_note(text: str) -> bool:
    """Say whether a text begins as the note by which an editor introduces an article (编者按, 开栏的话)."""
    return bool(_EDITORS_NOTE.match(text))


def is_notice_title(text: str) -> bool:
    """Say whether a line is the title of a notice or a small ad (公告, 启事, 遗失声明)."""
    return len(text) <= 40 and bool(_NOTICE.match(text))


def is_bare_date(text: str) -> bool:
    """Say whether a line is a date with its year and nothing else: what closes a notice."""
    return bool(_BARE_DATE.match(text))


def is_dateline(text: str) -> bool:
    """Say whether a line is a paper's name and a date, or a date and time of publication."""
    if len(text) <= LONGEST_META and _META.match(text) and "。" not in text:
        return True
    return len(text) <= LONGEST_BYLINE and bool(_DATELINE.match(text))


def dateline_author(text: str) -> str:
    """Return the author that a line with the date of publication names, or nothing."""
    match = _META_AUTHOR.search(text) if is_dateline(text) else None
    return match.group("author") if match else ""


def is_signature(text: str) -> bool:
    """Say whether a line is the signature that closes an article: names or a desk in brackets, or its end mark."""
    return len(text) <= LONGEST_SIGNATURE and bool(_SIGNATURE.match(text) or _END_MARK.match(text))


def signature_at_end(text: str) -> str:
    """Return the bracketed signature at the end of a paragraph, or nothing."""
    match = _SIGNATURE_TAIL.search(text[-60:])
    return match.group("signature").strip("()（）〔〕 ") if match else ""


def is_caption(text: str) -> bool:
    """Say whether a line is the caption of a picture by its own words (摄, 供图, 图为)."""
    if len(text) > LONGEST_CAPTION or is_byline(text):
        return False
    return bool(_CAPTION.search(text))


def turn_note(text: str) -> tuple[int, int] | None:
    """Return where in a line a page turn note stands, at its start or at its end."""
    before = _TURN_IN.match(text[:40])
    if before:
        return before.span()
    offset = max(0, len(text) - 30)
    after = _TURN_OUT.search(text[offset:])
    return (offset + after.start(), len(text)) if after else None


def turns_out(text: str) -> bool:
    """Say whether a line says that its article goes on elsewhere (下转第3版)."""
    return bool(_TURN_OUT.search(text[-30:]))


def turns_in(text: str) -> bool:
    """Say whether a line says that it goes on from elsewhere (上接A1版)."""
    return bool(_TURN_IN.match(text[:40]))
