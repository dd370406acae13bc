import io

import numpy as np
import pyarrow as pa
from PIL import Image

from latentmap.draw.boxes import DrawOptions
from latentmap.draw.colors import OKABE_ITO
from latentmap.draw.thumbnails import ThumbnailOptions, make_thumbnails
from latentmap.store.samples import BOXES

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.large_binary()),
        ("boxes", BOXES),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ]
)


def jpeg(size: tuple[int, int], color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def make(rows: list[dict], **options) -> pa.Table:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return make_thumbnails(table, ThumbnailOptions(**options), DrawOptions())


def test_thumbnails_keep_order_proportions_and_boxes():
    boxes = [[800, 400, 1600, 1000]]
    rows = [
        {
            "id": "wide",
            "image": jpeg((1600, 1000), "white"),
            "boxes": boxes,
            "width": 1600,
            "height": 1000,
        },
        {"id": "text", "image": None, "boxes": None, "width": None, "height": None},
        {"id": "small", "image": jpeg((40, 60), "blue"), "boxes": [], "width": 40, "height": 60},
    ]
    table = make(rows, size=160, quality=95)
    wide, text, small = table["jpeg"].to_pylist()
    assert table["id"].to_pylist() == ["wide", "text", "small"]
    assert text is None
    assert Image.open(io.BytesIO(small)).size == (40, 60)
    drawn = Image.open(io.BytesIO(wide))
    assert drawn.size == (160, 100)
    pixels = np.asarray(drawn, np.int16)
    orange = np.array(list(bytes.fromhex(OKABE_ITO[0][1:])))
    # The left edge of the box is at half the width, a little below its upper edge and label.
    assert np.abs(pixels[60:95, 80] - orange).max(axis=-1).mean() < 60
    assert (pixels[60:95, 40] > 245).all()
    assert (pixels[60:95, 100:150] > 245).all()


def test_thumbnails_are_deterministic_and_cope_with_no_rows():
    rows = [
        {"id": str(i), "image": jpeg((300, 200), "red"), "boxes": [], "width": 300, "height": 200}
        for i in range(70)
    ]
    assert make(rows).equals(make(rows))
    assert len(make(rows)) == 70
    assert make([]).schema == make(rows).schema
