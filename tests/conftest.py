from __future__ import annotations

from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from index.archive import Archive
from index.build import build_archive
from index.encoder import SentenceEncoder, load_encoder
from index.library_models import load_model
from index.packaged_model import packaged_model_folder
from qa.bot import Bot
from qa.calibration import load_calibration
from qa.reader import SpanReader
from qa.reader_model import load_reader, reader_folder
from tests.fakes import HashingEncoder

PAGE = """清溪晚报
2023年5月12日 星期五 第A03版:民生

青石桥完成加固 今起恢复通车

本报讯(记者/沈砚秋)历时四个月的青石桥加固工程昨日完工,总投资1260万元。大桥今起恢复双向通车,限重20吨。

施工负责人贺立言介绍,工程更换了86根吊杆,并新装了水位监测仪。市民
可以通过热线查询绕行路线。

图书馆延长开放时间 暑期每天开到二十二时

本报讯(记者/莫青禾 通讯员/图宣)清溪市图书馆宣布,自7月1日起每天开放到22时,儿童阅览室新增座位140个。

馆长童若谷说,暑期还将举办32场讲座,全部免费预约。

责编:江一帆 版式:孟小舟 新闻热线:0999-1234567
"""
PLAIN = """柚园村举行丰收节

5月20日,柚园村举行首届丰收节,来自周边的游客约3800人参加。村支书卢望山说,今年蜜柚产量达到460吨。

活动现场设有农产品展销摊位58个,当天销售额超过21万元。
"""


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """The real embedded encoder, loaded once."""
    return load_encoder()


@pytest.fixture(scope="session")
def library_model() -> SentenceTransformer:
    """The embedded model as sentence-transformers loads it, to compare with."""
    return load_model(str(packaged_model_folder()), bf16=False, local=True)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one page of two articles, and one plain article in a folder below."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "villages").mkdir()
    (folder / "a03.txt").write_text(PAGE, encoding="utf-8")
    (folder / "villages" / "pomelo.txt").write_text(PLAIN, encoding="utf-8")
    return folder


@pytest.fixture
def hashing() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def index_folder(pages: Path, tmp_path: Path, hashing: HashingEncoder) -> Path:
    """The folder of a fresh archive of `pages`, built with the hashing encoder, to be damaged at will."""
    folder = tmp_path / "index"
    build_archive([pages], folder, hashing)
    return folder


@pytest.fixture(scope="session")
def real_archive(pages: Path, encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive of `pages` built with the real encoder."""
    folder = tmp_path_factory.mktemp("index")
    build_archive([pages], folder, encoder)
    return Archive.open(folder)


@pytest.fixture(scope="session")
def reader(encoder: SentenceEncoder) -> SpanReader:
    """The trained reader, loaded once, on the encoder's embeddings."""
    return load_reader(encoder)


@pytest.fixture(scope="session")
def bot(real_archive: Archive, encoder: SentenceEncoder, reader: SpanReader) -> Bot:
    """The bot as it is delivered, on the archive of `pages`."""
    return Bot(real_archive, encoder, reader, load_calibration(reader_folder(None)))
