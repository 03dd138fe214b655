"""Pages in the styles of papers and their web editions: briefs, small ads, notices, tables, letters, other scripts."""

# ruff: noqa: E501 -- a line of a page is a line of a page

from __future__ import annotations

import pytest

from index.pages import split_page
from index.passages import split_passages
from index.records import Article, Source


def cut(text: str):
    return split_page(Source("页.txt", text, "0" * 64, "text"))


def articles(text: str) -> list[Article]:
    return [article for article in cut(text).articles if article.kind == "article"]


def left_out(text: str) -> str:
    return "\n".join(text[start:end] for start, end in cut(text).furniture)


COUNTY = """\
A3 要闻 2023年6月9日 星期五 责编 郑晓禾 美编 林可 校对 吴畅 电话：0577-5556201

“小积分”兑出文明新风
“微网格”织密治理经纬
青禾县推行村级治理“一张表”

本报讯（记者 沈若川）“这个月我攒了三十六分，换了一桶油。”6月7日，青禾县石桥镇柳湾村的积分超市里，村民赵桂兰笑着说。柳湾村今年把垃圾分类、邻里互助、河道巡查都记进一张表，村民凭积分换日用品。
　　据了解，青禾县已有八十六个村推行“一张表”，网格员每天入户登记，月底张榜公布。县委组织部负责人介绍，下半年这张表还要同养老助餐打通。

全县夏粮收购开秤
首日入库小麦一千二百吨

本报讯（通讯员 马小满 记者 何苇）昨日，青禾县夏粮收购正式开秤，城关粮库前排起长队。农户把小麦拉进仓，扦样、过磅、结算只用二十分钟。
　　今年县里设了十一个收购点，仓容四万吨，另备两台移动烘干机，雨天也能收。

老旧电梯换新有补贴
每台最高补十五万元

本报讯（记者 何苇）记者从县住建局获悉，从本月起，使用满十五年的住宅电梯更新改造可申请补贴，每台最高十五万元，业主只需在社区填一张申请表。
"""

FRONT = """\
云岭日报
YUNLING DAILY
2022年11月18日 星期五 农历壬寅年十月廿五 国内统一连续出版物号 CN 53-0099 第8862期 今日8版
新闻热线：0871-5550138

导读
■云岭到湖城高铁开始试运行（2版）
■全省技能大赛昨日闭幕（3版）
■冬季供水价格不作调整（5版）

全省冬春农田水利建设动员会召开
要求明年四月底前完成渠系清淤

本报讯（记者 段云生）11月17日，全省冬春农田水利建设动员会在云岭市召开。会议要求，各地要抓住冬闲时机，把渠系清淤、泵站检修和小水库除险列成清单，明年四月底前全部完成。
会议通报，去冬今春全省清淤渠道三千一百公里，恢复灌溉面积二十六万亩。

简讯
▲安宁区新开三条社区公交线路，票价一元，首班车早上六点半发车。
▲省气象台预计，19日起北部有小到中雪，气温下降六到八摄氏度。
▲盘江县举办首届柿饼节，三天卖出柿饼四十吨。

一句话新闻
●省博物馆本周日闭馆检修，下周二恢复开放。
●湖城机场国际货站昨天启用，年处理能力五万吨。
"""

INDENTED = """\
第05版：民生
老街菜场搬进新楼 摊位费三年不涨
□ 本报记者 蒋闻笛
　　清晨五点半，梧桐路菜场的卷帘门拉开，卖豆腐的老杨第一个推车进去。新楼有电梯、有冷库，地面再也不积水。
　　“摊位费合同写明三年不涨，我心里踏实。”老杨说，他在老街摆了二十一年摊，夏天最怕豆腐馊。
　　街道办主任田丰介绍，新菜场一层卖菜，二层是便民修补，三层留给老年食堂，总投资一千八百万元。
公交卡可以刷船票了
　　8月1日起，市民乘坐沙洲轮渡可以直接刷公交卡，票价两元，换乘一小时内再减五角。
　　轮渡公司说，两岸码头共装了十二台读卡机，老年卡同样有效，旅游旺季还要加开夜航。
　　目前沙洲轮渡每天运送旅客六千人次，刷卡后上船时间缩短一半。
暑期少儿剧场免费开演
　　市文化馆的暑期少儿剧场昨晚开演，首场木偶戏《渔童》坐满四百名孩子。剧场每周三、周六各演一场，凭预约码入场，全部免费。
　　文化馆馆长陶萍说，木偶戏班是请来的民间老艺人，演出后还教孩子扎木偶。
"""

SMALL_ADS = """\
东港商报 2019年3月22日 星期五 B6 分类广告

遗失声明
孙大勇遗失东港市公安局核发的驾驶证，证号5551988，声明作废。
东港市海鸥水产经营部遗失公章一枚，声明作废。
李秀芝遗失东港医院住院收费票据一张，金额3210.50元，声明作废。

公告
因东港大道供水管道改造，自2019年3月25日零时至4月20日二十四时，海滨路至船厂路段半幅封闭施工，过往车辆请绕行渔港路。特此公告。
东港市公安局交通警察支队
2019年3月20日

招聘启事
本厂招电焊工八名，男女不限，五十岁以下，月薪六千起，包食宿。电话：0415-5553322 王经理

注销公告
东港市蓝帆贸易有限公司经股东会决议拟注销，请债权人自公告之日起四十五日内申报债权。
"""

PHOTOS = """\
02 综合新闻
2021年9月3日 星期五 责任编辑：方毅 版式：姜小雨

今日天气：晴转多云 气温19～28℃ 偏北风3级
明日天气：阴有小雨 气温17～24℃

图片新闻
9月1日，河口区第二小学的新生在志愿者带领下走进校门。当天全区一万四千名小学生返校，各校门口设置了测温通道和家长等候区。
本报记者 尹航 摄

开学首日交通平稳 护学岗站满校门

本报讯（记者 尹航）9月1日开学首日，河口区交警大队在四十二所学校门口设护学岗，早高峰没有发生一起拥堵事故。交警建议家长送完孩子即走，即停即离。

图片新闻

8月31日，工人在黄沙镇晒场上翻晒辣椒。黄沙镇今年种植辣椒一万二千亩，每亩收入五千元。　　通讯员 谷雨 摄
"""

WEB = """\
首页 > 新闻 > 社会
高原支教十二年 山里走出四十个大学生
2018年09月10日08:26  来源：高原日报
分享到：
原标题：高原支教十二年 山里走出四十个大学生

　　核心提示：从二十四岁到三十六岁，语文教师冉青禾把最好的年华留在海拔三千七百米的白马乡中心校。

　　高原日报白马9月9日电（记者 尼玛次旺）清晨七点，白马乡中心校的铃声在山谷里响起，冉青禾已经把教室的炉子生好。
　　2006年她从师范学院毕业，报名支教，本来只打算待一年。“第一届学生里有个孩子问我，老师你明年还来吗？我就没走成。”
　　十二年来，她教过的学生有四十人考上大学，其中七人又回到乡里当老师、当医生。

(责任编辑：杜鹃、穆清)
分享让更多人看到
推荐阅读
牧区医院开通远程会诊
草原公路全线贯通
相关新闻
"""

TAIWAN = """\
A8 地方新聞 中華民國112年5月16日 星期二

鹿港老街夜市重新開張 攤商喊「終於等到人潮」

【記者王小明／彰化報導】鹿港老街夜市停辦三年，昨晚重新開張，入夜後湧入近萬名遊客，蚵仔煎攤前大排長龍，攤商笑說「終於等到人潮」。
縣府建設處表示，夜市共有一百二十攤，週五到週日營業，並規劃三處臨時停車場，避免遊客把車停進巷弄。
當地居民林秀卿說，夜市回來了，街上才有過節的味道，但希望垃圾車能多跑一趟。

農民改種咖啡 古坑青年返鄉闖出名號
▲青農張育誠在咖啡園內採收果實。（記者李大同攝）
【記者李大同／雲林報導】三十二歲的張育誠五年前辭去竹科工作，回到古坑接手父親的檳榔園，全部改種咖啡，去年拿下全國咖啡評鑑金質獎。
張育誠說，起初長輩都反對，第一批樹苗還被颱風吹倒一半，他靠網路直播賣豆，才慢慢打平。

〈讀者投書〉人行道該還給行人
◎ 陳文彬（台中，教師）
每天接送小孩上學，最怕的就是人行道被機車占滿，推著嬰兒車只能走上馬路。政府年年說要改善，何不先從校門口兩百公尺做起？
"""

HARBOR = """\
THE HARBOR GAZETTE
Friday, March 8, 2019                                   Page A4

Ferry workers vote to end six-day strike
By Laura Bennett
Staff Writer

HARBOR CITY - Ferry workers voted late Thursday to accept a
new contract, ending a six-day walkout that stranded about
9,000 daily commuters on both sides of the bay.

The agreement raises wages by 4 percent this year and adds
two deckhands to every night crossing, union president Tom
Okafor said.

"Nobody won a strike like this," Okafor said. "But the boats
are running again."

School board approves later start for teens
By Miguel Santos

High school classes will begin at 8:45 a.m. next fall, 50
minutes later than now, after the school board voted 5-2 on
Wednesday night.

Board member Ellen Park said research on sleep was clear, but
bus drivers warned that routes would need 11 more vehicles.

Contact the newsroom: 555-0142 | news@harborgazette.example
"""

INTERLEAVED = """\
江州日报 02版 要闻 2022年4月15日

茶园里的“云上课堂”
本报记者 苏眉
　　清明刚过，云台山的茶农罗四海把手机架在茶垄边，跟着屏幕里的农艺师学修剪。这样的“云上课堂”，全县已经开了六十多期。
　　“以前请专家上山，来回要大半天，现在点开手机就能问。”罗四海说，他家二十亩茶园去年改种新品种，茶青每斤多
地铁三号线全线洞通
本报记者 乔木
　　昨日上午，随着盾构机“江豚号”破土而出，江州地铁三号线全线洞通。三号线全长二十八公里，设站二十二座，计划明年底试运营。
　　项目经理曾广平说，过江段最深处在江底三十一米，盾构机每天只能掘进八米，工人们在隧道里过了两个
卖了十二块钱。
　　县农业农村局把六名农艺师分到十八个乡镇，每周三晚上直播答疑，茶农的问题当天都有回音。
春节。
　　洞通之后将转入铺轨和机电安装，沿线十四个老小区的居民将来步行十分钟就能坐上地铁。
"""

LETTERS = """\
读者来信

小区门口的路灯何时亮
编辑同志：
　　我是松园小区的居民。小区门口的三盏路灯从去年冬天坏到现在，晚上出门摸黑，上个月有老人摔伤。我们找过物业，物业说归市政管；打市政电话，又说要物业报修。请问到底归谁管？
　　　　　　　　读者 梁平

公交站牌字太小
编辑同志：
　　火车站广场的公交站牌新换以后，字比以前小了一半，老年人根本看不清。建议有关部门把线路号放大，再装上照明。
　　　　　　　　北城区 宋玉珍

【回音】
暖气已修好
　　本报1月6日刊登《家里只有十三度》后，热力公司当天派人上门，更换了堵塞的管道，目前室温已达到二十一度。
　　　　　　　　热力公司客服部
"""

NOTICES = """\
第7版 公告 2020-12-03

海陵市人民政府关于禁止燃放烟花爆竹的通告

为保障公共安全，改善空气质量，根据有关法律法规，现将有关事项通告如下：
一、自2021年1月1日起，下列区域全年禁止燃放烟花爆竹：
（一）绕城公路以内的全部区域；
（二）文物保护单位、车站、码头、机场周边五百米；
（三）加油站、燃气站等易燃易爆场所周边一百米。
二、违反本通告的，由公安机关处五百元以下罚款；构成犯罪的，依法追究刑事责任。
三、本通告自发布之日起施行，有效期五年。
特此通告。

海陵市人民政府
2020年12月1日

海陵市自来水公司停水公告

因主管道接口检修，定于12月5日22时至12月6日6时对以下区域停水：
（一）文昌路以东、滨河路以西；
（二）纺织新村一至四区。
请用户提前储水，不便之处敬请谅解。
服务热线：0599-5556677
"""

SPORTS = """\
B4版 体育 2017年8月14日 星期一 主编 齐飞 责编 周跃

甲级联赛第十八轮 海燕队客场逼平铁道队
邹海峰补时头球破门

本报讯（记者 江枫）昨晚，海燕队在客场凭借邹海峰补时阶段的头球，以二比二逼平铁道队，连续六轮保持不败。

第十八轮战报
铁道队 2：2 海燕队
长风队 1：0 钢城队
渔光队 3：1 星火队

积分榜
名次 球队 胜 平 负 积分
1 长风队 12 4 2 40
2 海燕队 10 6 2 36
3 铁道队 9 7 2 34

城市马拉松报名启动
新增十公里迷你组
本报讯（记者 江枫）记者从市体育局获悉，秋季城市马拉松昨日启动报名，全程组五千人，新增十公里迷你组三千人，年满十六岁即可报名。
"""

BELOW = """\
石河晚报 第6版 社会 2016年1月8日

本报讯（记者 朱砂）前天夜里十一点，石河大桥上一辆货车侧翻，三十箱活鸡散落桥面。附近烧烤摊的二十多名食客放下筷子帮忙抓鸡，一个半小时后全部装回笼子，一只不少。
货车司机红着眼圈鞠躬，说要请大家吃鸡，被众人笑着推辞。
货车侧翻桥头 食客帮忙抓鸡

本报讯（记者 芦笛）市第三医院日前接诊一名误吞钥匙的四岁男童，医生用胃镜在十五分钟内取出钥匙。医生提醒，幼儿误吞异物切勿催吐，应立即送医。
四岁男童误吞钥匙 胃镜十五分钟取出
"""

FEATURE = """\
【编者按】
乡村要振兴，人才是关键。本报今起推出“归来”系列报道，讲述返乡青年的故事，敬请关注。

归来①
把直播间搬进苹果园
——白水岭返乡青年纪实

本报记者 黎明珠 实习生 顾盼

　　国庆假期，白水岭的苹果园里架起三盏补光灯，二十八岁的贺小川站在树下吆喝，一小时卖出三千单。

一、从写字楼到果园

　　五年前，贺小川在省城做电商运营，月薪过万。父亲的一通电话让他回了家：满园苹果卖不到八毛钱一斤。
　　他把果子分成三级，最好的装进礼盒，最次的榨成汁。

二、从一个人到一群人

　　果园火了，村里的年轻人跟着回来。贺小川办起合作社，打包、客服、物流都用本村人，最多的时候有七十二名社员。
　　“以前盼着孩子走出去，现在盼着孩子回来看看。”社员唐婶说。

三、从卖果子到卖风景

　　今年春天，合作社在果园边建了八间民宿，花开时节一房难求。

记者手记
　　采访那天，贺小川的嗓子是哑的。他说返乡不是退路，是另一条上坡路。苹果会一年年红，路也会一步步宽。

短评
让归来的人留得住
柳平川

　　人才回流只是第一步，留得住才是真本事。水电路网、医疗教育，哪一样跟不上，都会让归来的脚步再次离开。
"""

PORTAL = """\
当前位置：首页 >> 本地新闻 >> 正文
城北污水厂提标改造完工 出水可浇花养鱼
来源：绿洲晚报 作者：戈壁 发布时间：2020-08-14 10:22:31 浏览次数：318 【字体：大 中 小】
8月13日，记者走进城北污水处理厂，清水池里几十尾锦鲤游得正欢。经过一年提标改造，这里日处理能力提高到六万吨，出水全部用于浇灌绿化带。
厂长骆宾说，过去出水只能排进排碱渠，现在一年可节约自来水一千八百万吨。
上一篇：城南客运站春节不打烊
下一篇：戈壁滩上的蔬菜大棚
编辑：白杨
主办：绿洲晚报社 新ICP备09000000号
"""

MASTHEAD = """\
柳溪报
2018年11月30日
第1版 要闻
总第2210期
本版责任编辑：胡蔓 编辑：石榴
县委理论学习中心组举行专题学习会
□ 本报记者 屈平安
　　11月28日下午，县委理论学习中心组举行专题学习会，围绕防范化解重大风险开展研讨。县委书记鲁志远主持并讲话。
　　鲁志远强调，要时刻绷紧安全这根弦，把隐患排查落到每一座水库、每一处工地、每一家加油站，决不能走过场。
　　县领导丁向东、孔令梅等参加学习。

柳溪至云台旅游公路主线贯通
□ 本报记者 屈平安 通讯员 袁圆
　　本报讯 11月27日，随着最后一车沥青摊铺完成，柳溪至云台旅游公路主线贯通。公路全长三十七公里，串起九个村和三处景区。
　　施工负责人说，全线最难的是鹰嘴崖段，一千二百米路打了四百多根锚杆。

柿子红了 日子甜了
——石榴沟村脱贫记
　　走进石榴沟村，家家屋檐下挂着柿饼。村民韩有田算了一笔账，去年卖柿饼收入两万三，今年能到三万。
　　三年前，石榴沟还是全县最穷的村，吃水要到沟底挑。驻村第一书记江海燕带着乡亲打井、修路、办加工厂。
　　“井打出来那天，全村人围着喝了一夜的水。”江海燕说。
"""

BRIEFS = """\
第3版 综合 2011年4月7日

简 讯
△4月2日，城关镇组织机关干部四十余人到烈士陵园扫墓，敬献花圈。（罗兰）
△县农机局对全县一千三百台拖拉机开展春季检验，合格率百分之九十六。（关山）
△县实验小学举办第六届校园读书节，学生捐书两千册。（沙枣）

清明祭扫文明多 鲜花换下纸钱

本报讯（记者 关山）4月5日清明节，记者在县城公墓看到，市民用鲜花换下纸钱，公墓入口的“鲜花换纸钱”点三小时换出菊花三千枝。
民政局工作人员说，今年焚烧点比去年减少一半，没有发生一起火情。
"""

RIVERSIDE = """\
Riverside Chronicle — Monday, June 4, 2018 — B2 Local

COUNCIL DELAYS VOTE ON RIVER PARK

The city council on Monday put off a vote on the $12 million River Park plan for two weeks after residents packed the chamber.

Mayor Denise Cole said the delay would let engineers finish a flood study.

"We get one chance to build this right," Cole said.

BRIEFS

Library closes for repairs: The Elm Street library will close June 10-24 while crews replace its roof.

Blood drive: The fire hall hosts a blood drive Saturday from 9 a.m. to 2 p.m.

TEEN WINS STATE CHESS TITLE
By RAJ PATEL

Sixteen-year-old Maya Lindqvist won the state chess championship on Sunday, beating two masters in the final rounds.

She learned the game from her grandfather at age five.
"""

TURNS = """\
新城日报
第4版 要闻·综合 2023年10月20日 星期五 编辑 肖雨 校对 白露

（上接第1版）
市长范承志指出，要把项目建设作为第四季度的头等大事，逐个项目倒排工期，确保年底前开工的二十六个项目全部形成实物工作量。
会议还研究了冬季供暖、农民工工资清欠等工作。

上接第一版“银杏村的晚霞课堂”
老人们学会了用手机挂号，还组了一支口琴队。村支书卫东来说，晚霞课堂一周三课，最远的学员从八里外骑三轮车赶来。

我市启动秋季房交会
契税补贴延续到年底
本报讯（记者 向晚）昨日，我市秋季房交会在会展中心开幕，四十家房企带来六千套房源，现场购房可享契税百分之五十补贴，政策延续到年底。
市住建局提醒，购房者应核对预售许可证，资金进监管账户。（下转第6版）
"""

HEADLINES = [
    (
        COUNTY,
        [
            "“小积分”兑出文明新风 “微网格”织密治理经纬 青禾县推行村级治理“一张表”",
            "全县夏粮收购开秤 首日入库小麦一千二百吨",
            "老旧电梯换新有补贴 每台最高补十五万元",
        ],
    ),
    (FRONT, ["全省冬春农田水利建设动员会召开 要求明年四月底前完成渠系清淤", "简讯", "一句话新闻"]),
    (INDENTED, ["老街菜场搬进新楼 摊位费三年不涨", "公交卡可以刷船票了", "暑期少儿剧场免费开演"]),
    (SMALL_ADS, ["遗失声明", "公告", "招聘启事", "注销公告"]),
    (PHOTOS, ["图片新闻", "开学首日交通平稳 护学岗站满校门", "图片新闻"]),
    (WEB, ["高原支教十二年 山里走出四十个大学生"]),
    (
        TAIWAN,
        [
            "鹿港老街夜市重新開張 攤商喊「終於等到人潮」",
            "農民改種咖啡 古坑青年返鄉闖出名號",
            "〈讀者投書〉人行道該還給行人",
        ],
    ),
    (HARBOR, ["Ferry workers vote to end six-day strike", "School board approves later start for teens"]),
    (INTERLEAVED, ["茶园里的“云上课堂”", "地铁三号线全线洞通"]),
    (LETTERS, ["读者来信 小区门口的路灯何时亮", "公交站牌字太小", "【回音】 暖气已修好"]),
    (NOTICES, ["海陵市人民政府关于禁止燃放烟花爆竹的通告", "海陵市自来水公司停水公告"]),
    (SPORTS, ["甲级联赛第十八轮 海燕队客场逼平铁道队 邹海峰补时头球破门", "城市马拉松报名启动 新增十公里迷你组"]),
    (BELOW, ["货车侧翻桥头 食客帮忙抓鸡", "四岁男童误吞钥匙 胃镜十五分钟取出"]),
    (FEATURE, ["归来① 把直播间搬进苹果园 ——白水岭返乡青年纪实", "短评 让归来的人留得住"]),
    (PORTAL, ["城北污水厂提标改造完工 出水可浇花养鱼"]),
    (
        MASTHEAD,
        ["县委理论学习中心组举行专题学习会", "柳溪至云台旅游公路主线贯通", "柿子红了 日子甜了 ——石榴沟村脱贫记"],
    ),
    (BRIEFS, ["简 讯", "清明祭扫文明多 鲜花换下纸钱"]),
    (RIVERSIDE, ["COUNCIL DELAYS VOTE ON RIVER PARK", "BRIEFS", "TEEN WINS STATE CHESS TITLE"]),
]


@pytest.mark.parametrize(("text", "expected"), HEADLINES)
def test_every_article_of_a_page_is_found_with_its_whole_headline(text, expected):
    found = articles(text)
    assert [article.headline for article in found] == expected
    assert not [article.headline for article in found if not split_passages(article, text)]


@pytest.mark.parametrize(
    ("text", "date", "paper", "section"),
    [
        (COUNTY, "2023-06-09", None, "A3 要闻"),
        (FRONT, "2022-11-18", "云岭日报", None),
        (WEB, "2018-09-10", "高原日报", None),
        (PORTAL, "2020-08-14", "绿洲晚报", None),
        (TAIWAN, "2023-05-16", None, "A8 地方新聞"),
        (HARBOR, "2019-03-08", "THE HARBOR GAZETTE", "Page A4"),
        (RIVERSIDE, "2018-06-04", "Riverside Chronicle", "B2 Local"),
        (MASTHEAD, "2018-11-30", "柳溪报", "第1版 要闻"),
        (INTERLEAVED, "2022-04-15", "江州日报", "02版 要闻"),
        (SMALL_ADS, "2019-03-22", "东港商报", "B6 分类广告"),
    ],
)
def test_the_head_of_a_page_tells_date_paper_and_section(text, date, paper, section):
    for article in articles(text):
        assert (article.date, article.paper, article.section) == (date, paper, section)


def test_bylines():
    assert [a.byline for a in articles(TAIWAN)] == [
        "記者王小明／彰化報導",
        "記者李大同／雲林報導",
        "◎ 陳文彬（台中，教師）",
    ]
    assert [a.byline for a in articles(HARBOR)] == ["By Laura Bennett Staff Writer", "By Miguel Santos"]
    assert [a.byline for a in articles(LETTERS)] == ["读者 梁平", "北城区 宋玉珍", "热力公司客服部"]
    assert articles(WEB)[0].byline == "记者 尼玛次旺"
    assert articles(PORTAL)[0].byline == "戈壁"
    assert articles(NOTICES)[0].byline == "海陵市人民政府"
    assert articles(FEATURE)[1].byline == "柳平川"


def test_what_surrounds_articles_is_left_out():
    assert "云岭到湖城高铁" in left_out(FRONT) and "导读" in left_out(FRONT)
    assert "首页 > 新闻" in left_out(WEB) and "草原公路" in left_out(WEB) and "原标题" in left_out(WEB)
    assert "蔬菜大棚" in left_out(PORTAL) and "正文" in left_out(PORTAL)
    assert "明日天气" in left_out(PHOTOS)


def test_articles_broken_by_each_other_without_blank_lines_are_told_apart_by_their_indents():
    first, second = articles(INTERLEAVED)
    assert "茶青每斤多卖了十二块钱。" in first.text and first.text.endswith("都有回音。")
    assert "过了两个春节。" in second.text and "茶农" not in second.text
    assert not first.doubts


def test_rows_of_tables_and_items_of_lists_stay_lines():
    assert "铁道队 2：2 海燕队\n长风队 1：0 钢城队\n" in articles(SPORTS)[0].text
    assert "\n1 长风队 12 4 2 40\n2 海燕队" in articles(SPORTS)[0].text
    assert "；\n（二）" in articles(NOTICES)[0].text
    assert "\n▲省气象台" in articles(FRONT)[1].text
    assert "\n一、从写字楼到果园\n" in articles(FEATURE)[0].text


def test_a_notice_keeps_who_signs_it_and_when():
    notice, water = articles(NOTICES)
    assert notice.text.endswith("海陵市人民政府\n2020年12月1日") and "2020-12-01" in notice.event_dates
    assert "纺织新村" in water.text


def test_an_editors_note_above_a_headline_is_part_of_its_article():
    feature, comment = articles(FEATURE)
    assert "讲述返乡青年的故事" in feature.text and "记者手记" in feature.text
    assert "留得住才是真本事" in comment.text


def test_what_turned_to_a_later_page_does_not_take_what_came_from_an_earlier_one():
    first, second, third = articles(TURNS)
    assert "范承志" in first.text and "晚霞课堂" in second.text
    assert third.headline == "我市启动秋季房交会 契税补贴延续到年底" and "范承志" not in third.text
    assert "上接" not in first.text + second.text + third.text


def test_a_bare_turn_note_does_not_eat_the_text_behind_it():
    (article,) = articles(
        "上接第1版 市长范承志指出，要把项目建设作为第四季度的头等大事，逐个项目倒排工期，确保年底前开工。\n"
    )
    assert article.text.startswith("市长范承志指出，要把项目")


def test_questions_in_quotes_below_a_signature_are_headlines():
    text = (
        "“小区充电桩为何迟迟不通电？”\n市民吴女士来电：海棠园小区去年装了二十个充电桩，到现在也没通电，请问什么原因？\n"
        "记者打听：供电公司答复，小区变压器容量不足，增容工程已排入本月计划。\n（本报记者 温岚）\n\n"
        "“公园夜里能不能多开两盏灯？”\n市民洪先生来电：槐荫公园东门到荷塘一段没有路灯，晚上散步很不安全。\n"
        "记者打听：园林处表示，东门线路正在改造，月底前新增庭院灯三十六盏。\n（本报记者 温岚）\n"
    )
    assert [a.headline for a in articles(text)] == ["“小区充电桩为何迟迟不通电？”", "“公园夜里能不能多开两盏灯？”"]


def test_the_reporter_comes_before_the_editor_in_charge():
    text = "河滩公园办起风筝节\n来源：宝塔新闻网\n一百二十支队伍放飞三百多只风筝，最长的八十八米。\n\n（记者 向阳）\n\n[责任编辑：温暖]\n"
    assert articles(text)[0].byline == "记者 向阳"
