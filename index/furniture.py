"""Furniture: what stands on every page and tells no story (navigation, copyright, link lists, recommendations).

The imprint (editors, hotline, address) is told apart from it, because readers ask for the hotline.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import Enum

from index.bylines import is_byline, is_lead
from index.dates import full_date
from index.lines import Line, ends_sentence, is_cjk_text


class Role(Enum):
    """What a line is on its page, before articles are cut."""

    TEXT = "text"
    FURNITURE = "furniture"
    IMPRINT = "imprint"
    EDITOR = "editor"
    CONTACT = "contact"


_NAVIGATION = re.compile(
    r"上一[版篇期页頁条]|下一[版篇期页頁条]|版面导航|版面目录|标题导航|本版新闻|本版标题|往期回顾|返回(?:目录|首页|顶部|列表)|放大|缩小|默认|字号|打印|收藏|"
    r"朗读|分享让更多人看到|分享到?|转发|点赞|评论|关闭窗口|首页|目录|导航|PDF版?|星期[一二三四五六日天]?|农历\S{2,8}|更多>*|扫一扫|扫码(?:看视频|阅读|关注)?|全文复制|上一個|下一個"
)
_NAVIGATION_REST = re.compile(r"[\s\d|｜/\\>》<《«»·\-—_.:：,，年月日()（）\[\]【】第版A-Da-d\u3000+]+")
_PAGE_NUMBER = re.compile(
    r"(?:第\s*[A-Za-z]?\s*[\d一二三四五六七八九十]{1,3}(?:\s*[/-]\s*\d{1,3})?\s*[版页頁](?:\s*[:：·]?\s*[\u4e00-\u9fffA-Za-z·/、]{0,12})?"
    r"|[A-Za-z]{0,2}\d{1,3}\s*版?\s*[:：|]?\s*(?:要闻|综合|国内|国际|本地|社会|财经|经济|体育|文化|副刊|新闻|时事|时政|广告|专题|民生|教育|评论)(?:[·/]?[\u4e00-\u9fff]{0,4})?"
    r"|(?:要闻|综合|国内|国际|社会|财经|体育|文化|副刊|新闻|时事|广告|专题|民生|教育|评论)\s*[A-Za-z]{0,2}\d{1,3}\s*版?"
    r"|[A-Z]?\d{1,3}|\d{1,3}\s*[/／]\s*\d{1,3}|[Pp]age\s+[A-Z]?\d{1,3})$"
)
_COPYRIGHT = re.compile(
    r"[Cc]opyright\s*(?:©|\(|\d)|©|All [Rr]ights [Rr]eserved|版权所有|版權所有|ICP[备证]\S*\d|公网安备|"
    r"经营许可证[:：编\d]|"
    r"互联网新闻信息服务许可证|制作及维护|违法和不良信息举报|许可证(?:编号|号|[:：])"
)
_RIGHTS = re.compile(
    r"^(?:原标题[:：]|[上下]一[篇条]\s*[:：]\s*\S|版权声明|.{0,12}未经.{0,12}(?:授权|许可|书面).{0,20}(?:不得|禁止|严禁)|本[报网].{0,20}不得(?:转载|复制|擅自))"
)
_MASTHEAD = re.compile(r"总第\s*\d+\s*期|第\s*\d{3,6}\s*[期号]|今日\s*\d+\s*版")
_PUBLISHER = re.compile(
    r"零售价?.{0,6}元|定价.{0,6}元|CN\s*\d\d-\d{4}|国内统一(?:连续出版物|刊)|邮发代号|主管主办|社址[:：]|邮政编码"
)
_CRUMBS = re.compile(
    r"(?:(?:您|你)?(?:现在|当前|目前)?的?(?:所在)?(?:位置|位于)[:：是]?\s*)?[^\s>›»＞。，]{2,12}(?:\s*(?:>{1,2}|›|»|＞)\s*[^>›»＞。，]{1,14}){1,5}\s*[>＞]*$"
)
_GUIDE = re.compile(r"[【\[■●▼]*\s*(?:今日|本期|本报|要闻|新闻|头版)?(?:导读|導讀|看点)\s*(?:[】\]▼:：/]|DAODU)*$")
_PAGE_REFERENCE = re.compile(
    r"[(（【→…\s](?:详见|見|见|刊|转)?\s*第?\s*[A-Za-z]?\s*\d{1,2}(?:[、,-]\d{1,2})?\s*版\s*[)）】]?$"
)
LATIN_PAPER = re.compile(
    r"[A-Z][A-Za-z'’. -]{1,40}(?i:daily|gazette|times|news|post|herald|tribune|journal|chronicle|press|"
    r"observer|courier|record|weekly|examiner|telegraph|bulletin|register|sentinel|dispatch|mail|globe|inquirer|star)(?:\s+(?i:news|post|daily|paper))?$"
)
_SHORT_PAPER = re.compile(r"[\u4e00-\u9fff]{2,6}报$")
_PINYIN = re.compile(r"[A-Z]{2,8}(?: ?[A-Z]{2,8}){0,4}$")
_PAPER_NAME = re.compile(
    r"^(?![图圖]片|摄影|[简簡]明|一句)[\u4e00-\u9fff]{1,8}(?:日报|晚报|早报|晨报|时报|商报|快报|周报|周刊|导报|青年报|都市报|新报|新闻|日報|晚報|時報|早報|週報|報)(?:\s*[A-Za-z]{0,2}\d{1,3}\s*版?(?:\s*[\u4e00-\u9fff·]{2,12})?)?$"
)
_TOP_SECTION = re.compile(
    r"^[A-Za-z]{0,2}\d{1,3}\s*版?\s*[:：|·]?\s*[\u4e00-\u9fff·]{2,8}$|^[\u4e00-\u9fff·]{2,8}\s*[A-Za-z]{1,2}\d{1,3}\s*版?$"
)
_DESK = re.compile(
    r"^(?:要闻|综合|国内|国际|本地|社会|财经|经济|体育|文化|副刊|新闻|时事|时政|民生|教育|评论|港聞|要聞|國際|財經)(?:新闻|新聞)?$"
)
_TOP_LINES = 7
_WEATHER = re.compile(r"(?:晴|多云|阴|雨|雪|雾|霾|天气).{0,40}(?:℃|°C|摄氏度|度|级)")
_RECOMMEND = re.compile(
    r"[【\[▼■]*\s*(?:相关(?:阅读|新闻|文章|推荐|报道阅读)|相關(?:閱讀|新聞|報導)|新闻推荐|推荐(?:阅读|新闻)|猜你喜欢|"
    r"热门(?:新闻|推荐|文章|阅读)|延伸(?:阅读|閱讀)|"
    r"为您推荐|更多(?:新闻|文章|精彩)|"
    r"你可能(?:还|也)喜欢|大家都在看|最新(?:新闻|评论)|网友评论|"
    r"Related (?:stories|articles|news)|Recommended|More news|Read more)\s*[】\]▼:：]*$"
)
_LABEL = re.compile(
    r"(?:^|[\s|｜;；,，/、])(?:本[报版]?|新闻|投稿|读者|广告|发行|订阅|爆料|联系|报料|服务|零售|监督|社长|副?|执行|本期|值班|责任|责|总|主|副|视觉|图片|美术|文字|首席)*"
    r"(?P<label>编辑|責編|责编|编委|主编|总编|主任|版式|美编|校对|校對|组版|排版|审校|审读|检校|制图|设计|热线|熱線|邮箱|信箱|电话|電話|地址|邮编|郵編|网址|网站|微信|微博|公众号|传真|QQ群?|"
    r"客服|印刷|承印|定价|出版|E-?mail|e-?mail|[Ee]ditors?|[Hh]otline|[Pp]hone|Tel)[\s]*[:：/]"
)
_EDITORS = re.compile(
    r"编辑|責編|责编|编委|主编|总编|主任|版式|美编|校对|校對|组版|排版|审校|审读|检校|制图|设计|[Ee]ditors?"
)
_PAPERS_OWN = re.compile(
    r"本[报報刊版]|新闻|新聞|投稿|报料|爆料|报社|報社|总编|热线|熱線|发行|发刊|订阅|承印|定价|[Nn]ewsroom|[Hh]otline"
)
_PUBLISHED_BY = re.compile(r"主办|承办|出品|制作|备案|维护|技术支持")
_HOTLINE = re.compile(
    r"^(?:本[报版刊])?(?:新闻|读者|投诉|广告|发行|订阅|24小时)*(?:热线|報料|报料|爆料)\S{0,6}\s*[:：]?\s*\d[\d\s-]{3,16}$"
)
_REACHED = re.compile(r"(?:热线|熱線|电话|電話|Tel)\s*[:：]?\s*\d[\d-]{4,}|\w@\w")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_LONGEST_FURNITURE = 90


def _imprint_labels(text: str) -> list[str]:
    """Return the imprint labels (责编, 热线, 邮箱) of a line that is nothing but such entries."""
    if len(text) > 140 or (text.endswith("。") and len(text) > 60):
        return []
    body = text.strip("()（）[]【】 　")
    first = _LABEL.search(body)
    if first is None or first.start() > 10 or "，" in body[: first.start()]:
        return []
    return [match.group("label") for match in _LABEL.finditer(body)]


def names_staff(text: str) -> bool:
    """Say whether a line only names editors or ways to reach a paper (责编:…, 电话:…)."""
    return bool(_imprint_labels(text))


def is_navigation(text: str) -> bool:
    """Say whether a line is only words of navigation, figures and marks."""
    if len(text) > _LONGEST_FURNITURE or not _NAVIGATION.search(text):
        return False
    return len(_NAVIGATION_REST.sub("", _NAVIGATION.sub("", text))) <= 1


def _is_furniture(text: str) -> bool:
    """Say whether a line is furniture by its own words."""
    if len(text) > 2 * _LONGEST_FURNITURE:
        return False
    if _PAGE_NUMBER.match(text) or is_navigation(text):
        return True
    if _COPYRIGHT.search(text) and (not text.endswith("。") or "©" in text or "所有" in text[:40]):
        return True
    if len(text) > _LONGEST_FURNITURE:
        return False
    if _RIGHTS.match(text):
        return True
    if _MASTHEAD.search(text) and not ends_sentence(text):
        return True
    if full_date(text) and not is_byline(text) and re.search(r"星期|农历|農曆", text) and len(text) < 50:
        return True
    return len(text) <= 50 and not ends_sentence(text) and bool(re.search(r"℃|°C", text) and _WEATHER.search(text))


def is_recommendation(text: str) -> bool:
    """Say whether a line heads a list of other articles (相关阅读, 新闻推荐)."""
    return len(text) <= 20 and bool(_RECOMMEND.match(text))


def assign_roles(lines: Sequence[Line]) -> list[Role]:
    """Return the role of every line of a page: text, furniture, imprint or a lone editor's line."""
    roles = [Role.TEXT] * len(lines)
    text_seen, number_of_text = False, 0
    cjk = is_cjk_text("".join(line.text for line in lines[:12]))
    for line in lines:
        if len(line.text) > 2 * _LONGEST_FURNITURE:
            text_seen = True
            continue
        labels = _imprint_labels(line.text)
        at_top = line.number < _TOP_LINES
        if _HOTLINE.match(line.text):
            roles[line.number] = Role.IMPRINT
            continue
        if _PUBLISHER.search(line.text) and not ends_sentence(line.text) and len(line.text) < 120:
            roles[line.number] = Role.IMPRINT
            continue
        spelt = cjk and at_top and roles[line.number - 1] is Role.FURNITURE and _PINYIN.match(line.text)
        named = at_top and (LATIN_PAPER.match(line.text) or _SHORT_PAPER.match(line.text))
        crumbs = number_of_text < 2 and _CRUMBS.match(line.text)
        if spelt or crumbs or (named and _heads_page(lines, line.number)):
            roles[line.number] = Role.FURNITURE
            continue
        if at_top and (_PAPER_NAME.match(line.text) or _TOP_SECTION.match(line.text) or _DESK.match(line.compact)):
            roles[line.number] = Role.FURNITURE
            continue
        dated = (
            at_top
            and (not labels or _EDITORS.fullmatch(labels[0]))
            and not text_seen
            and len(line.compact) <= 60
            and full_date(line.text)
        )
        if dated and not ends_sentence(line.text):
            # the date above the first headline is the page's
            roles[line.number] = Role.IMPRINT if _REACHED.search(line.text) else Role.FURNITURE
            continue
        under_desk = at_top and line.number > 0 and roles[line.number - 1] is Role.FURNITURE and cjk
        if under_desk and _PINYIN.match(line.text):
            # the name of the desk, spelt in letters
            roles[line.number] = Role.FURNITURE
            continue
        if not labels and _is_furniture(line.text):
            # a bare number inside a text numbers a part of it, at the edge of a page it is the page's
            inner = line.text.isdigit() and 2 < line.number < len(lines) - 3
            roles[line.number] = Role.TEXT if inner else Role.FURNITURE
            continue
        if labels:
            if all(_EDITORS.fullmatch(label) for label in labels):
                roles[line.number] = Role.EDITOR
            elif _PAPERS_OWN.search(line.text):
                roles[line.number] = Role.IMPRINT
            else:
                roles[line.number] = Role.CONTACT
        elif len(line.text) < 70 and _MAIL.search(line.text) and not ends_sentence(line.text):
            roles[line.number] = Role.CONTACT
        else:
            text_seen = True
            number_of_text += 1
    _settle_imprints(lines, roles)
    _mark_recommendations(lines, roles)
    _mark_guides(lines, roles)
    _mark_link_lists(lines, roles)
    return roles


def _heads_page(lines: Sequence[Line], number: int) -> bool:
    """Say whether a line stands beside the date or the imprint of the page, where its paper's name stands."""
    beside = [lines[other] for other in (number - 1, number + 1, number + 2) if 0 <= other < len(lines)]
    return any(len(other.text) <= 100 and (full_date(other.text) or _PAPER_NAME.match(other.text)) for other in beside)


def _mark_guides(lines: Sequence[Line], roles: list[Role]) -> None:
    """Mark the box that tells what stands on which page (导读): its head, and the short lines right below it."""
    for number, line in enumerate(lines):
        if roles[number] is not Role.TEXT or not _GUIDE.match(line.text):
            continue
        roles[number] = Role.FURNITURE
        spaced = number + 1 < len(lines) and lines[number + 1].blanks > 0
        for other in lines[number + 1 :]:
            listed = bool(_PAGE_REFERENCE.search(other.text))
            tight = other.blanks == 0 or (spaced and other.number == number + 1)
            if ends_sentence(other.text) or len(other.text) > 50 or not (listed or (tight and not spaced)):
                break
            if not listed and _opens_article(lines, roles, other.number):
                break
            roles[other.number] = Role.FURNITURE


def _settle_imprints(lines: Sequence[Line], roles: list[Role]) -> None:
    """Join editors' lines to the imprint beside them, and the contact lines of a copyright block to the furniture."""
    copyright_lines = [
        line.number for line in lines if roles[line.number] is Role.FURNITURE and _COPYRIGHT.search(line.text)
    ]
    near_copyright = {number + offset for number in copyright_lines for offset in (-1, 1)}
    for number in range(len(lines)):
        if roles[number] in (Role.IMPRINT, Role.CONTACT) and number in near_copyright:
            roles[number] = Role.FURNITURE
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        for number in order:
            if roles[number] in (Role.EDITOR, Role.CONTACT) and any(
                0 <= other < len(lines) and roles[other] is Role.IMPRINT for other in (number - 1, number + 1)
            ):
                roles[number] = Role.IMPRINT
    text_seen = False
    for number, line in enumerate(lines):
        # the editor named before the first text is the page's, not an article's
        text_seen = text_seen or (roles[number] is Role.TEXT and len(line.text) > 30)
        if roles[number] in (Role.EDITOR, Role.CONTACT) and not text_seen:
            roles[number] = Role.IMPRINT
    for number in range(len(lines) - 1):
        # two lines of editors make an imprint of their own
        pair = {roles[number], roles[number + 1]}
        if pair == {Role.EDITOR} or pair == {Role.EDITOR, Role.CONTACT}:
            roles[number] = roles[number + 1] = Role.IMPRINT
    for number, line in enumerate(lines[:_TOP_LINES]):
        # the paper's name heads its imprint
        if roles[number] is Role.FURNITURE and _PAPER_NAME.match(line.text) and Role.IMPRINT in roles[:_TOP_LINES]:
            roles[number] = Role.IMPRINT
    for line in lines:
        # "江城日报社主办" beside the copyright
        if roles[line.number] is Role.TEXT and line.number in near_copyright and _PUBLISHED_BY.search(line.text[:40]):
            roles[line.number] = Role.FURNITURE


def _mark_recommendations(lines: Sequence[Line], roles: list[Role]) -> None:
    """Mark a recommendation heading and what follows it, up to a line that opens an article for certain."""
    inside = False
    for line in lines:
        if is_recommendation(line.text):
            inside = True
        elif inside and _opens_article(lines, roles, line.number):
            inside = False
        if inside and roles[line.number] is Role.TEXT:
            roles[line.number] = Role.FURNITURE


def _opens_article(lines: Sequence[Line], roles: Sequence[Role], number: int) -> bool:
    """Say whether a short line is followed, within two lines, by a lead or a byline."""
    if len(lines[number].text) > 60 or ends_sentence(lines[number].text):
        return False
    following = [other for other in lines[number + 1 : number + 4] if roles[other.number] is Role.TEXT]
    return any(is_lead(other.text) or is_byline(other.text) for other in following[:3])


def _mark_link_lists(lines: Sequence[Line], roles: list[Role]) -> None:
    """Mark runs of short lines that are the page's own list of its headlines."""
    occurrences = Counter(line.compact for line in lines)
    number = 0
    while number < len(lines):
        end = number
        while (
            end < len(lines)
            and roles[end] is Role.TEXT
            and len(lines[end].text) <= 50
            and not ends_sentence(lines[end].text)
            and not is_lead(lines[end].text)
        ):
            end += 1
        run = range(number, end)
        if len(run) >= 2:
            before = number == 0 or roles[number - 1] is Role.FURNITURE
            after = end < len(lines) and roles[end] is Role.FURNITURE
            tight = all(lines[other].blanks == 0 for other in run[1:])
            inside = Counter(lines[other].compact for other in run)
            repeated = sum(occurrences[lines[other].compact] > inside[lines[other].compact] for other in run)
            told = any(is_byline(lines[other].text) for other in run)
            bounded = before and after and (number > 0 or repeated) and not told
            if bounded or (len(run) >= 3 and tight and repeated and 2 * repeated >= len(run)):
                for other in run:
                    roles[other] = Role.FURNITURE
        number = max(end, number + 1)
