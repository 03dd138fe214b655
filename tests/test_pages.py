"""Pages: invented newspaper pages of many makes, cut into the articles that a reader sees."""

# ruff: noqa: E501 -- a line of a page is a line of a page

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.pages import split_page
from index.records import Source
from index.spans import join_spans


def source(text: str, **fields) -> Source:
    return Source("页.txt", text, "0" * 64, fields.pop("media_type", "text"), **fields)


def articles(text: str, **fields):
    return [article for article in split_page(source(text, **fields)).articles if article.kind == "article"]


def headlines(text: str) -> list[str]:
    return [article.headline for article in articles(text)]


BRIDGE = "滨河大桥6月3日正式通车,桥长1.2公里,双向六车道。市交通局负责人说,两岸居民过河的时间从四十分钟缩短到八分钟,沿线六个镇的农产品当天就能运进城里的批发市场。"
BRIDGE_MORE = "大桥由省路桥公司承建,历时三年。施工期间,工人们克服了汛期水位上涨的困难,桥墩一个也没有返工。为了不影响夏季的航运,架梁全部安排在夜里进行,最长的一次连续干了三十个小时。"
LIBRARY = "市图书馆新馆昨日开馆,藏书八十万册,设有儿童阅览区和盲文阅览区。馆长介绍,读者凭身份证就能借书,一次可借十本,三十天内归还。老馆的古籍也已全部搬进恒温恒湿的新书库。"
LIBRARY_MORE = "开馆首日,三千多名读者走进新馆。带孙子来看绘本的退休教师说,这里的座位比老馆多了两倍,盲文阅览区还配了听书机。馆里打算每个周末请作家来讲书,首讲的门票一天就领完了。"
FACTORY = "红叶纺织厂上月投产的自动化车间,如今只要十二名工人。厂长表示,纱锭产量比过去翻了一番,次品率降到千分之三,订单已经排到明年春天。厂里为换设备投了四千万元,预计五年收回。"
FACTORY_MORE = "走进红叶纺织厂的车间,看不到从前人来人往的样子,只见机械臂把纱管一排排码好。老织工说,从前纺织厂一个班下来耳朵嗡嗡响,现在坐在自动化车间外面看着机械臂换纱锭就行。"

# --- every text ---

LINES = st.one_of(
    st.text(max_size=50),
    st.sampled_from(
        [
            "", "", "　　", "本报讯 (记者 王某)大桥通车。", "■ 通讯员 李某", "滨河大桥通车 市民出行更便捷", "责编:李某", "版权所有 ©",
            "第A02版:要闻", "上一版 下一版", "(记者 王某)", "（下转第3版）", "上接A1版", "图为大桥。 王某 摄", "相关阅读", "一、背景", "大桥由省路",
            "桥公司承建。", "BEIJING, July 3 (Xinhua) -- The bridge opened.", "新闻热线:1234567", "“未完的话", "2021年3月4日 星期四", "——副题",
        ]
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(LINES, max_size=30),
    st.sampled_from(["\n", "\r\n", "\n\n", "\r", "\u2028"]),
    st.sampled_from(["text", "markdown", "html", "csv"]),
)
def test_any_text_is_cut_without_loss_or_overlap(lines, line_end, media_type):
    text = line_end.join(lines)
    page = split_page(source(text, media_type=media_type))
    owners = [0] * len(text)
    for article in page.articles:
        assert article.text == join_spans(text, article.spans)
        assert article.headline and article.spans
        inside = {i for start, end in article.spans for i in range(start, end)}
        assert {i for start, end in article.headline_spans for i in range(start, end)} <= inside
        for start, end in article.spans:
            for i in range(start, end):
                owners[i] += 1
    for start, end in page.furniture:
        for i in range(start, end):
            owners[i] += 1
    assert all(count <= 1 for count in owners)
    assert all(owners[i] == 1 for i in range(len(text)) if not text[i].isspace())


@given(st.text(max_size=200))
def test_cutting_is_repeatable(text):
    assert split_page(source(text)) == split_page(source(text))


@pytest.mark.parametrize(
    "text",
    [
        "桥" * 2_000_000,
        "桥，" * 500_000,
        "桥通了\n" * 200_000,
        "((((" * 100_000,
        "记者 " * 100_000,
        " " * 1_000_000,
        "“" * 50_000,
        ("电" * 80 + "\n") * 3000,
    ],
    ids=["one line", "commas", "lines", "brackets", "role words", "blanks", "quotes", "three thousand lines"],
)
def test_monstrous_texts_come_back_in_time(text):
    page = split_page(source(text))
    assert len(page.articles) <= 3000


def test_an_empty_source_is_an_empty_page():
    assert split_page(source(" \n\n")).articles == ()


# --- one article stays one ---

PLAIN = [
    f"滨河大桥通车\n\n{BRIDGE}\n\n{BRIDGE_MORE}",
    f"{BRIDGE}\n\n{BRIDGE_MORE}",
    BRIDGE + BRIDGE_MORE,
    f"滨河大桥通车 两岸居民过河只要八分钟\n本报记者 王远山\n{BRIDGE}\n{BRIDGE_MORE}\n(责任编辑:李文)",
    "The Bridge Opens\n\nBy Jane Miller\n\nThe new bridge over the river opened on June 3. It is 1.2 km long.\n\n"
    "Officials said the crossing now takes eight minutes. \"We waited three years,\" said a shop owner.",
    "致编辑部的一封信\n\n编辑同志:\n\n我是河东的居民。大桥通车后,我每天少走一个小时的路,想借贵报表示感谢。\n\n此致\n敬礼\n\n读者 周大年",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_article_stays_one(text):
    assert len(articles(text)) == 1


def test_hard_wrapped_english_keeps_its_words_apart():
    text = (
        "Bridge Opens After Three Years\n\nThe new bridge over the river opened to traffic on\nThursday after three years of "
        "work, cutting the\ncrossing to eight minutes, the city said.\n\nShop owners on both banks said they had waited\n"
        "long enough."
    )
    (article,) = articles(text)
    assert "opened to traffic on Thursday after" in " ".join(article.text.split())
    assert article.headline == "Bridge Opens After Three Years"


def test_hard_wrapped_chinese_is_joined():
    body = (BRIDGE + BRIDGE_MORE + LIBRARY + FACTORY) * 2
    text = "滨河大桥通车\n\n" + "\n".join(body[i : i + 24] for i in range(0, len(body), 24))
    (article,) = articles(text)
    assert body in article.text.replace("\n", "") and article.text.count("\n") <= 14


def test_a_record_is_always_one_article_with_all_its_text():
    text = f"两条新闻\n\n{BRIDGE}\n\n图书馆新馆开馆\n\n本报讯 {LIBRARY}"
    (article,) = split_page(source(text, media_type="jsonl", headline="两条新闻", date="2021-06-04")).articles
    assert article.text == text
    assert article.headline == "两条新闻"
    assert join_spans(text, article.headline_spans) == "两条新闻"
    assert "2021-06-03" in article.event_dates


def test_a_markdown_article_keeps_its_sections_and_drops_their_marks():
    text = f"# 滨河大桥通车\n\n{BRIDGE}\n\n## 三年建成\n\n{BRIDGE_MORE}"
    (article,) = articles(text, media_type="markdown")
    assert article.headline == "滨河大桥通车"
    assert "三年建成" in article.text and "#" not in article.text


def test_markdown_with_several_top_headings_is_several_articles():
    text = f"# 滨河大桥通车\n\n{BRIDGE}\n\n# 图书馆新馆开馆\n\n{LIBRARY}"
    assert [a.headline for a in articles(text, media_type="markdown")] == ["滨河大桥通车", "图书馆新馆开馆"]


def test_a_text_without_headline_is_headed_by_its_first_sentence():
    (article,) = articles(BRIDGE)
    assert BRIDGE.startswith(article.headline[:10]) and len(article.headline) <= 40


# --- pages ---


def test_leads_open_articles_and_headlines_come_whole():
    text = (
        f"两岸盼了三十年\n\n滨河大桥正式通车\n\n——河东河西从此一家\n\n本报讯(记者 王远山){BRIDGE}\n\n{BRIDGE_MORE}\n\n"
        f"图书馆新馆开馆 藏书八十万册\n\n本报讯(记者/李文 通讯员/周舟){LIBRARY}\n\n{LIBRARY_MORE}\n\n"
        f"红叶纺织厂换上机械臂\n\n■ 通讯员 何小满\n\n{FACTORY}\n\n{FACTORY_MORE}"
    )
    found = articles(text)
    assert [a.headline for a in found] == [
        "两岸盼了三十年 滨河大桥正式通车 ——河东河西从此一家",
        "图书馆新馆开馆 藏书八十万册",
        "红叶纺织厂换上机械臂",
    ]
    assert [a.byline for a in found] == ["记者 王远山", "记者/李文 通讯员/周舟", "■ 通讯员 何小满"]


def test_a_sentence_broken_by_columns_is_joined_without_a_break():
    cut = BRIDGE.index("市交通局") + 3
    text = f"滨河大桥正式通车\n\n本报讯 {BRIDGE[:cut]}\n\n{BRIDGE[cut:]}\n\n{BRIDGE_MORE}"
    (article,) = articles(text)
    assert BRIDGE in article.text
    assert f"{BRIDGE}\n" in article.text  # real paragraphs stay apart


def test_a_caption_does_not_stand_in_a_broken_sentence_and_is_kept():
    cut = BRIDGE.index("市交通局") + 3
    text = f"滨河大桥正式通车\n\n本报讯 {BRIDGE[:cut]}\n\n\n\n首批车辆驶过滨河大桥。 王远山 摄\n\n{BRIDGE[cut:]}\n\n{BRIDGE_MORE}"
    (article,) = articles(text)
    assert BRIDGE in article.text
    assert article.text.endswith("摄")


def test_a_stray_continuation_goes_back_to_its_article():
    cut = FACTORY_MORE.index("码好") + 1
    text = (
        f"红叶纺织厂换上机械臂 十二人管一个车间\n\n□ 本报记者 何小满\n\n{FACTORY}\n\n{FACTORY_MORE[:cut]}\n\n"
        f"图书馆新馆开馆 藏书八十万册\n\n本报讯(记者 李文){LIBRARY}\n\n{LIBRARY_MORE}\n\n{FACTORY_MORE[cut:]}\n\n"
        "厂里的织工多半转去学编程和检修,纺织厂还请来师傅教机械臂的保养。"
    )
    first, second = articles(text)
    assert FACTORY_MORE in first.text and "机械臂的保养" in first.text
    assert "织工" not in second.text


def test_two_features_broken_by_each_other():
    cut, cut_more = FACTORY_MORE.index("码好") + 1, LIBRARY_MORE.index("绘本") + 1
    text = (
        f"红叶纺织厂换上机械臂 十二人管一个车间\n\n□ 本报记者 何小满\n\n{FACTORY}\n\n{FACTORY_MORE[:cut]}\n\n"
        f"图书馆新馆开馆 藏书八十万册\n\n□ 本报记者 李文\n\n{LIBRARY}\n\n{LIBRARY_MORE[:cut_more]}\n\n"
        f"{FACTORY_MORE[cut:]}\n\n{LIBRARY_MORE[cut_more:]}"
    )
    first, second = articles(text)
    assert FACTORY_MORE in first.text
    assert LIBRARY_MORE in second.text


def test_an_article_whose_beginning_is_missing_stays_its_own():
    text = (
        f"滨河大桥正式通车\n\n本报讯(记者 王远山){BRIDGE}\n\n大桥由省路桥公司承建,历时三年才完工,施工期间工人们克服了汛期水\n\n"
        f"新馆开馆日 读者排起长队\n\n多,馆方临时加开了两个入口。{LIBRARY}\n\n{LIBRARY_MORE}"
    )
    assert headlines(text) == ["滨河大桥正式通车", "新馆开馆日 读者排起长队"]


def test_crossheads_do_not_open_articles():
    text = (
        f"从河东到河西——滨河大桥通车纪事\n\n本报记者 王远山\n\n{BRIDGE}\n\n八分钟过河\n\n{BRIDGE_MORE}\n\n"
        "汛期不停工\n\n大桥的桥墩在河心,汛期水位一天涨两米。工人们把围堰加高,大桥的工期一天也没有耽误。\n\n"
        "两岸成一家\n\n大桥通车后,河东的菜农早上就能把菜送到河西的市场,过河的路费也省下了。"
    )
    assert headlines(text) == ["从河东到河西——滨河大桥通车纪事"]


@pytest.mark.parametrize(
    "marks", [("一、", "二、", "三、"), ("A ", "B ", "C "), ("1.", "2.", "3."), ("(一)", "(二)", "(三)")]
)
def test_numbered_crossheads_do_not_open_articles(marks):
    parts = zip(marks, ("八分钟就过河了", "汛期不停工", "两岸成了一家"), (BRIDGE, BRIDGE_MORE, FACTORY), strict=True)
    text = "从河东到河西,一座桥改变了什么\n\n本报记者 王远山\n\n" + "\n\n".join(
        f"{m}{head}\n\n{body}" for m, head, body in parts
    )
    assert len(articles(text)) == 1


def test_an_interview_stays_one():
    text = (
        "桥通了,下一步怎么走\n——访市交通局局长陈大川\n\n本报记者 王远山\n\n滨河大桥通车后,记者采访了陈大川。\n\n记者:大桥通车后车流如何?\n\n"
        "陈大川:第一周日均两万辆,比预计的多。\n\n记者:会不会收费?\n\n陈大川:不会。大桥是民生工程。\n\n记者:下一座桥在哪里?\n\n陈大川:在上游,已经在勘察。"
    )
    assert len(articles(text)) == 1


def test_signatures_end_articles_that_have_no_leads():
    text = (
        f"滨河大桥正式通车\n{BRIDGE}\n{BRIDGE_MORE}\n(本报记者 王远山)\n图书馆新馆开馆迎客\n{LIBRARY}\n{LIBRARY_MORE}\n(李文)\n"
        f"红叶纺织厂换上机械臂\n{FACTORY}\n{FACTORY_MORE}\n(何小满 周舟)"
    )
    found = articles(text)
    assert [a.headline for a in found] == ["滨河大桥正式通车", "图书馆新馆开馆迎客", "红叶纺织厂换上机械臂"]
    assert [a.byline for a in found] == ["本报记者 王远山", "李文", "何小满 周舟"]


def test_a_page_with_no_marks_at_all_is_cut_by_subject():
    text = f"滨河大桥正式通车两岸欢腾\n{BRIDGE}\n{BRIDGE_MORE}\n图书馆新馆开馆藏书八十万册\n{LIBRARY}\n{LIBRARY_MORE}\n红叶纺织厂换上机械臂\n{FACTORY}\n{FACTORY_MORE}"
    assert len(headlines(text)) == 3


def test_traditional_leads():
    text = (
        "濱河大橋通車 兩岸居民八分鐘過河\n\n〔記者王遠山／新河報導〕濱河大橋昨天通車,橋長一點二公里,兩岸居民不必再繞路。\n\n"
        "市府表示,大橋不收費,未來還要加開公車。\n\n圖書館新館開張 首日湧入三千人\n\n【本報訊】市立圖書館新館昨天開館,藏書八十萬冊,憑身分證就可以借書。\n\n"
        "館長說,兒童閱覽區的座位多了兩倍。"
    )
    found = articles(text)
    assert [a.headline for a in found] == ["濱河大橋通車 兩岸居民八分鐘過河", "圖書館新館開張 首日湧入三千人"]
    assert "王遠山" in found[0].byline


def test_page_turns_join_what_they_part_and_are_not_read_out():
    text = (
        f"滨河大桥正式通车\n\n本报讯(记者 王远山){BRIDGE}施工期间,工人们(下转第3版)\n\n图书馆新馆开馆\n\n本报讯 {LIBRARY}\n\n{LIBRARY_MORE}\n\n"
        "(上接第1版)克服了汛期水位上涨的困难,大桥的桥墩一个也没有返工。"
    )
    first, second = articles(text)
    assert "工人们克服了汛期" in first.text
    assert "下转" not in first.text + second.text and "上接" not in first.text + second.text


def test_a_piece_from_another_page_is_its_own_article_and_a_doubt():
    text = f"图书馆新馆开馆\n\n本报讯 {LIBRARY}\n\n{LIBRARY_MORE}\n\n(上接第1版)克服了汛期水位上涨的困难,大桥的桥墩一个也没有返工。"
    page = split_page(source(text))
    assert len(page.articles) == 2
    assert page.articles[1].doubts and page.doubts


@pytest.mark.parametrize("before", ["", "第2版 要闻\n", "(上接第2版)\n", "今天天气好。\n" * 600])
def test_a_page_turn_note_that_nothing_follows_makes_no_article(before):
    page = split_page(source(f"{before}(上接第1版)"))
    assert all(article.text.strip() for article in page.articles)
    assert len(page.articles) == ("天气" in before)


def test_masthead_becomes_an_imprint():
    text = (
        f"新河晚报\n2021年6月4日 星期五 A02版 要闻\n责编:周舟 版式:李文\n新闻热线:0599-5550101\n投稿邮箱:news@xinhe.example\n\n"
        f"滨河大桥正式通车\n\n本报讯 {BRIDGE}"
    )
    page = split_page(source(text))
    article, imprint = page.articles
    assert imprint.kind == "imprint" and "0599-5550101" in imprint.text and imprint.headline == "新河晚报"
    assert article.headline == "滨河大桥正式通车" and article.date == "2021-06-04"
    assert "2021-06-03" in article.event_dates


def test_web_furniture_is_left_out():
    text = (
        "第A02版:要闻\n上一版3 4下一版\n滨河大桥正式通车\n图书馆新馆开馆\n纺织厂换机械臂\n\n版面导航 |\n3上一篇 下一篇4\n2021 年 6 月 4 日 星期五 放大 缩小 默认\n\n"
        f"滨河大桥正式通车\n两岸居民八分钟过河\n首批车辆驶过大桥桥面。\n\n    {BRIDGE}\n\n    {BRIDGE_MORE}\n\n"
        "3上一篇 下一篇4\nCopyright©2003-2021 xinhe.example All Rights Reserved\n新河日报社主办 新河新闻网版权所有\n联系电话:0599-5550101\n闽ICP备05000000号"
    )
    page = split_page(source(text))
    (article,) = page.articles
    assert article.headline == "滨河大桥正式通车 两岸居民八分钟过河"
    assert (article.date, article.section) == ("2021-06-04", "第A02版:要闻")
    assert not re.search("上一|版权|Copyright|0599", article.text)
    assert article.text.endswith("首批车辆驶过大桥桥面。")


def test_recommendations_are_left_out():
    text = f"滨河大桥正式通车\n\n新河日报 2021-06-04 08:17\n\n{BRIDGE}\n\n{BRIDGE_MORE}\n\n新闻推荐\n\n老街的豆腐坊\n\n每天凌晨三点,豆腐坊的灯就亮了...\n\n相关阅读"
    (article,) = articles(text)
    assert "豆腐坊" not in article.text and article.date == "2021-06-04" and article.paper == "新河日报"


def test_briefs_with_leads_and_no_headlines_are_their_own():
    text = f"简讯\n\n本报讯 {BRIDGE}\n\n本报讯 {LIBRARY}\n\n本报讯 {FACTORY}"
    assert len(articles(text)) == 3


def test_an_english_page():
    text = (
        "Bridge Opens After Three Years\n\nBy Jane Miller\n\nThe new bridge over the river opened on June 3, cutting the crossing to eight minutes.\n\n"
        "Shop owners on both banks cheered as the first cars rolled over the deck.\n\n"
        "Library Moves to New Building\n\nBy John Smith\n\nThe city library opened its new home with 800,000 books and a room for children.\n\n"
        "Readers can borrow with an identity card, the librarian said."
    )
    assert headlines(text) == ["Bridge Opens After Three Years", "Library Moves to New Building"]


def test_ids_depend_on_the_name_and_the_text_alone():
    text = f"滨河大桥正式通车\n\n本报讯 {BRIDGE}"
    one, same = articles(text)[0], articles("\n\n" + text)[0]
    assert one.id == same.id and re.fullmatch("[0-9a-f]{16}", one.id)
    assert one.id != split_page(Source("别页.txt", text, "0" * 64, "text")).articles[0].id


def test_an_evening_paper_with_box_crossheads_and_weather():
    text = (
        "要闻\n2024年5月6日  星期一\n值班编委:丁一 责任编辑:卫平\n\n老城水管换新 三万户不再用黄水\n□本报记者 苗青 实习生 丁香\n\n"
        "“水龙头一拧,出来的水是清的!”昨天上午,住在槐树巷的退休教师钱老师接了满满一桶水。\n"
        "槐树巷的水管是1978年埋下的,锈得厉害。市水务集团去年九月动工,把老城四十二公里的旧铸铁管全部换成球墨铸\n\n铁管。\n\n"
        "夜里施工 白天通行\n\n老城街巷窄,施工队选择夜里十点以后开挖,早晨六点前回填。四百多个夜晚,没有一条巷子白天封过路。\n\n"
        "新闻多一点\n球墨铸铁管的寿命约五十年,漏损率只有老管的三分之一。\n\n"
        "县医院开夜间门诊 上班族看病不用请假\n\n本报讯 (通讯员 艾文)从五月六日起,县医院开设夜间门诊,每天开到晚上九点。\n\n"
        "今日天气:多云转晴,18-27℃ 微风\n本报地址:新城路8号 邮编:300000 广告部电话:5550111 印刷:新城印刷厂"
    )
    page = split_page(source(text))
    first, second, imprint = page.articles
    assert (first.headline, second.headline) == ("老城水管换新 三万户不再用黄水", "县医院开夜间门诊 上班族看病不用请假")
    assert "球墨铸铁管。" in first.text and "新闻多一点" in first.text
    assert second.event_dates == ("2024-05-06",)
    assert imprint.kind == "imprint" and "5550111" in imprint.text
    assert "℃" not in first.text + second.text
