"""Every word that the page says of itself, in Chinese and English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class Texts:
    """The page's words in one language; a `{name}` is filled in with `str.format`."""

    language: Language
    html_language: str
    tagline: str
    holdings: str
    holdings_undated: str
    language_label: str
    conversation: str
    empty_heading: str
    empty_hint: str
    examples: str
    headline_question: str
    question_label: str
    placeholder: str
    send: str
    new_conversation: str
    filters: str
    date_from: str
    date_to: str
    date_hint: str
    paper: str
    section: str
    everything: str
    you_asked: str
    answer: str
    sources: str
    citation: str
    open_article: str
    confidence: str
    took: str
    copy: str
    copied: str
    not_found: str
    nearest: str
    nothing_near: str
    working: str
    waiting: str
    error: str
    unexpected: str
    busy: str
    too_long: str
    bad_date: str
    no_words: str
    article_gone: str
    empty_range: str
    undated: str
    article: str
    article_hint: str
    holdings_heading: str
    articles_count: str
    close: str
    quoted_here: str
    nearest_here: str
    source_file: str
    doubts: str
    changed: str
    starting: str
    starting_note: str
    stages: dict[str, str]
    rate: str
    seconds_left: str
    minutes_left: str
    failed: str
    failed_note: str


ZH = Texts(
    language="zh",
    html_language="zh-CN",
    tagline="向报纸提问：只用报上的原话回答，句句有出处",
    holdings="{articles} 篇文章 · {first} 至 {last}",
    holdings_undated="{articles} 篇文章",
    language_label="语言 Language",
    conversation="对话",
    empty_heading="想从报纸里知道什么？",
    empty_hint="答案一字不改地摘自报纸原文；报上没有的，就说没有。",
    examples="可以这样问",
    headline_question="《{headline}》讲了什么？",
    question_label="问题",
    placeholder="输入问题，按回车发送",
    send="提问",
    new_conversation="新对话",
    filters="限定范围：日期、报纸、版面",
    date_from="起始日期",
    date_to="截止日期",
    date_hint="如 2022-07",
    paper="报纸",
    section="版面",
    everything="全部",
    you_asked="问",
    answer="答",
    sources="出处",
    citation="引文 {number}，打开原文：{headline}",
    open_article="打开原文：{headline}",
    confidence="把握约 {percent}%",
    took="用时 {milliseconds} 毫秒",
    copy="复制",
    copied="已复制",
    not_found="这些报纸里没有找到答案。",
    nearest="下面是内容最接近的段落，仅供参考，并不是答案：",
    nothing_near="也没有内容相近的段落。可以换个说法，或放宽限定的范围。",
    working="正在翻查报纸……",
    waiting="问题已收到。准备就绪后马上回答。",
    error="没能回答",
    unexpected="程序内部出错，详情见终端。请再试一次。",
    busy="正在回答的问题太多，请稍后再试。",
    too_long="问题有 {length} 个字，最多 {limit} 个字。请缩短成一个问题再问。",
    bad_date="看不懂日期“{date}”。请写成 2022、2022-07 或 2022-07-18。",
    no_words="问题里没有文字。请用一句话来问。",
    article_gone="这篇文章已不在报纸库里：它被移除或重新切分了。请再问一次。",
    empty_range="起始日期 {first} 晚于截止日期 {last}，请对调。",
    undated="日期不详",
    article="原文",
    article_hint="点一下引文编号或出处，整篇报道会在这里打开，引用的原句会标出来。",
    holdings_heading="馆藏",
    articles_count="{count} 篇",
    close="关闭原文",
    quoted_here="引用的原句",
    nearest_here="内容接近的段落，不是答案",
    source_file="来源文件",
    doubts="自动切分版面时存疑之处",
    changed="索引已更新，这段引文在现在的原文里对不上，所以没有标出。请重新提问。",
    starting="正在准备",
    starting_note="第一次启动要解开向量模型、为报纸建索引，以后几秒钟就好。",
    stages={
        "start": "启动",
        "model": "载入向量模型",
        "find": "查找文件",
        "read": "读取版面",
        "encode": "编码段落",
        "vectors": "建向量索引",
        "keywords": "建关键词索引",
        "verify": "校验索引",
        "open": "打开索引",
    },
    rate="每秒 {rate} 项",
    seconds_left="约剩 {count} 秒",
    minutes_left="约剩 {count} 分钟",
    failed="启动失败",
    failed_note="请按上面的提示处理，然后重新启动程序。终端里有同样的信息。",
)

EN = Texts(
    language="en",
    html_language="en",
    tagline="Ask the newspaper: answers in its own words, every one cited",
    holdings="{articles} articles · {first} to {last}",
    holdings_undated="{articles} articles",
    language_label="Language 语言",
    conversation="Conversation",
    empty_heading="What would you like to know from the paper?",
    empty_hint="Answers are quoted from the articles, word for word. What the papers do not say, you are told so.",
    examples="For example",
    headline_question="What does “{headline}” report?",
    question_label="Question",
    placeholder="Type a question",
    send="Ask",
    new_conversation="New conversation",
    filters="Filters: dates, paper, section",
    date_from="From",
    date_to="To",
    date_hint="such as 2022-07",
    paper="Paper",
    section="Section",
    everything="All",
    you_asked="Q",
    answer="A",
    sources="Sources",
    citation="Citation {number}, open the article: {headline}",
    open_article="Open the article: {headline}",
    confidence="about {percent}% sure",
    took="{milliseconds} ms",
    copy="Copy",
    copied="Copied",
    not_found="The archive does not answer this question.",
    nearest="These passages come closest. They are not an answer:",
    nothing_near="Nothing comes close either. Try other words, or widen the filters.",
    working="Searching the papers…",
    waiting="Your question is noted. It is answered as soon as everything is ready.",
    error="No answer could be given",
    unexpected="Something went wrong inside; the terminal has the details. Please try again.",
    busy="Too many questions are being answered right now. Please try again in a moment.",
    too_long="The question has {length} characters, the limit is {limit}. Please shorten it to one question.",
    bad_date="The date “{date}” is not understood. Write 2022, 2022-07 or 2022-07-18.",
    no_words="There are no words in the question. Please ask in a sentence.",
    article_gone="This article is no longer in the archive: it was removed, or cut anew. Please ask again.",
    empty_range="The first date, {first}, is after the last one, {last}. Please swap them.",
    undated="undated",
    article="Article",
    article_hint="Click the number of a citation, or its source: the whole article opens here, with the quote marked.",
    holdings_heading="In this archive",
    articles_count="{count} articles",
    close="Close the article",
    quoted_here="the quoted words",
    nearest_here="a passage that comes close; not an answer",
    source_file="Source file",
    doubts="What the page cutter was unsure of",
    changed="The archive has been rebuilt and the quote no longer fits the article: it is not marked. Ask again.",
    starting="Getting ready",
    starting_note="The first start unpacks the embedding model and indexes the papers; later starts take seconds.",
    stages={
        "start": "Starting",
        "model": "Loading the embedding model",
        "find": "Finding files",
        "read": "Reading pages",
        "encode": "Encoding passages",
        "vectors": "Building the vector index",
        "keywords": "Building the keyword index",
        "verify": "Verifying the index",
        "open": "Opening the index",
    },
    rate="{rate} a second",
    seconds_left="about {count} s left",
    minutes_left="about {count} min left",
    failed="The start failed",
    failed_note="Do what the message says, then start the program again. The terminal shows the same message.",
)

_TEXTS: dict[Language, Texts] = {"zh": ZH, "en": EN}
_ACCEPTED = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def texts_of(language: str | None) -> Texts:
    """Return the page's words in a language; Chinese where the language is none of ours."""
    return EN if language == "en" else ZH


def preferred_language(accept_language: str | None) -> Language:
    """Return the one of our languages that an Accept-Language header likes best: Chinese when it names neither."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in (accept_language or "").split(",")[:20]:
        match = _ACCEPTED.fullmatch(part)
        weight = float(match[2] or 1) if match else 0.0
        for language in LANGUAGES:
            if match and match[1].lower() == language and weight > best[0]:
                best = (weight, language)
    return best[1]
