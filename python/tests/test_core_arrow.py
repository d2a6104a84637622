"""Dataset.from_arrow: what polars, pyarrow and pandas give, and what a producer must not."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tulle
from arrow_producer import Table

from_arrow = tulle.Dataset.from_arrow


def column(dataset, index=0):
    return dataset.values()[:, index].tolist()


def nan_is_none(values):
    return [None if np.isnan(v) else v for v in values]


# --- Real producers ---


@pytest.mark.parametrize(
    "name",
    "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 bool_".split(),
)
def test_numbers(name):
    pa = pytest.importorskip("pyarrow")
    kind = getattr(pa, name)()
    values = [True, None, False, True] if name == "bool_" else [1, None, 0, 100]
    table = pa.table({"x": pa.array(values, kind)})
    expected = [None if v is None else float(v) for v in values]
    assert nan_is_none(column(from_arrow(table))) == expected
    assert nan_is_none(column(from_arrow(table.slice(1, 2)))) == expected[1:3]
    many = pa.concat_tables([table.slice(2), table.slice(0, 0), table, table.slice(1, 1)])
    assert nan_is_none(column(from_arrow(many))) == expected[2:] + expected + expected[1:2]
    dictionary = pa.table({"x": pa.array(values, kind).dictionary_encode()})
    assert nan_is_none(column(from_arrow(dictionary))) == expected


def test_all_halves():
    pa = pytest.importorskip("pyarrow")
    halves = np.arange(65536, dtype="u2").view("f2")
    halves = halves[np.isfinite(halves)]
    np.testing.assert_array_equal(column(from_arrow(pa.table({"x": halves}))), halves.astype("f8"))


TEXTS = [None, "", " ", "a", "ü", "exactly 12 b", "a text of more than twelve bytes", "b" * 1000, "日本"]


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=30), st.data())
def test_text_in_every_form_has_the_same_levels(texts, data):
    pa = pytest.importorskip("pyarrow")
    forms = [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ]
    levels = list(dict.fromkeys(t for t in texts if t and t.strip()))
    expected = [levels.index(t) if t in levels else None for t in texts]
    cut = data.draw(st.integers(0, len(texts)))
    for form in forms:
        whole = pa.table(
            {"x": pa.array(texts, pa.string()).cast(form) if "view" not in str(form) else pa.array(texts, form)}
        )
        for table in (whole, pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])):
            dataset = from_arrow(table)
            assert dataset.levels(0) == levels
            assert nan_is_none(column(dataset)) == expected


def test_frames():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")  # through which pandas makes its stream
    frame = pandas.DataFrame({"n": [1, 2, 3], "c": pandas.Categorical(["u", "v", None], categories=["zz", "v", "u"])})
    try:
        dataset = from_arrow(frame)
    except TypeError:
        pytest.skip("this pandas has no Arrow stream")
    assert dataset.names == ["n", "c"]
    assert dataset.levels(1) == ["u", "v"]
    assert nan_is_none(column(dataset, 1)) == [0, 1, None]
    polars = pytest.importorskip("polars")
    dataset = from_arrow(polars.DataFrame({"n": [1.5, None], "t": ["k", "l"]}))
    assert dataset.names == ["n", "t"]
    assert nan_is_none(column(dataset)) == [1.5, None]
    assert dataset.levels(1) == ["k", "l"]


def test_types_that_are_refused():
    pa = pytest.importorskip("pyarrow")
    import datetime
    import decimal

    day = datetime.datetime(2020, 1, 1)
    for name, value, text in [
        ("timestamp", [day], "make a number of it, as seconds since a date"),
        ("date", [day.date()], "make a number of it, as days since a date"),
        ("time", [day.time()], "make a number of it, as seconds"),
        ("duration", [day - day], "make a number of it, as seconds"),
        ("decimal", [decimal.Decimal("1.5")], "cast it to float64"),
        ("binary", [b"x"], "cast it to text, or leave it out"),
        ("nested", [[1]], "make columns of its parts"),
        ("nested", [{"a": 1}], "make columns of its parts"),
    ]:
        with pytest.raises(TypeError, match=f"column 'when' has the {name} type '.*' of Arrow.*{text}"):
            from_arrow(pa.table({"fine": [1.0], "when": value}))


def test_tables_that_are_refused():
    pa = pytest.importorskip("pyarrow")
    for table, kind, text in [
        (3, TypeError, "expected an object with __arrow_c_stream__"),
        (np.ones((2, 2)), TypeError, "expected an object with __arrow_c_stream__"),
        (pa.table({"a": pa.array([], pa.int8())}), ValueError, "at least one row"),
        (pa.table({}), ValueError, "at least one row"),
        (pa.table({"a": [1e200]}), ValueError, "row 1: expected a number of at most 1e150 in size in column 'a'"),
        (pa.table({"a": ["x\0y"]}), ValueError, "column 'a': a text with a NUL character"),
        (pa.chunked_array([[1]]), ValueError, "expected an Arrow stream of tables"),
        (pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), ValueError, "both named 'a'"),
    ]:
        with pytest.raises(kind, match=text):
            from_arrow(table)


def test_a_producer_may_wait_for_threads_that_run_python(run_python):
    pytest.importorskip("pyarrow")
    run_python(
        """
import io, pyarrow.csv, tulle
text = b"a,b\\n" + b"1,2\\n" * 100_000
reader = pyarrow.csv.open_csv(io.BytesIO(text), pyarrow.csv.ReadOptions(block_size=1 << 14))
assert tulle.Dataset.from_arrow(reader).rows == 100_000
"""
    )


# --- Hostile ones ---


def ints(*values, **more):
    return {"format": b"i", "length": len(values), "buffers": [None, struct.pack(f"{len(values)}i", *values)], **more}


def text(*offsets, data=b"abcdef", **more):
    packed = struct.pack(f"{len(offsets)}i", *offsets)
    return {"format": b"u", "length": len(offsets) - 1, "buffers": [None, packed, data], **more}


def views(*items, data=b"a text of twenty byt", sizes=None, **more):
    sizes = struct.pack("q", len(data)) if sizes is None else sizes
    return {"format": b"vu", "length": len(items), "buffers": [None, b"".join(items), data, sizes], **more}


def long_view(size, buffer, offset):
    return struct.pack("i4sii", size, b"a te", buffer, offset)


def indices(*values, dictionary, **more):
    return {
        "format": b"c",
        "length": len(values),
        "buffers": [None, struct.pack(f"{len(values)}b", *values)],
        "dictionary": dictionary,
        **more,
    }


def test_an_honest_producer():
    for one, expected in [
        (ints(1, 2, 3), [1, 2, 3]),
        (ints(1, 2, 3, 4, offset=1, length=3), [2, 3, 4]),
        (text(0, 1, 1, 3), [0, None, 1]),
        (views(long_view(20, 0, 0), struct.pack("i12s", 2, b"ab"), long_view(13, 0, 7)), [0, 1, 2]),
        (indices(1, 0, 1, dictionary=text(0, 1, 3)), [0, 1, 0]),
        (indices(1, 0, 1, dictionary=ints(7, 8)), [8, 7, 8]),
    ]:
        table = Table(one, chunks=2)
        assert nan_is_none(column(from_arrow(table))) == expected * 2
        assert table.released == table.made == 4
    assert column(from_arrow(Table(ints(1, 2, 3, 4), length=2, offset=1))) == [2, 3]
    assert column(from_arrow(Table(ints(1, 2, 3), length=2, offset=1, null_count=-1, bitmap=b"\x06"))) == [2, 3]
    assert column(from_arrow(Table(ints(1, 2), null_count=0, bitmap=b"\x00"))) == [1, 2]


HOSTILE_COLUMNS = {
    "negative length": ints(1, 2, length=-1),
    "too short": ints(1, length=1),
    "negative offset": ints(1, 2, offset=-1),
    "huge offset": ints(1, 2, offset=2**62),
    "huge length": ints(1, 2, length=2**62),
    "no values": {"format": b"i", "length": 2, "buffers": [None, None]},
    "no buffers": ints(1, 2, no_buffers=True),
    "too few buffers": ints(1, 2, buffer_count=1),
    "too many buffers": ints(1, 2, buffer_count=3),
    "negative buffers": ints(1, 2, buffer_count=-1),
    "children": ints(1, 2, child_count=1),
    "not there": ints(1, 2, no_array=True),
    "released": ints(1, 2, released=True),
    "missing nowhere": ints(1, 2, null_count=1),
    "offsets negative": text(-1, 1, 2),
    "offsets descend": text(0, 3, 1),
    "offsets without text": text(0, 1, 2, buffers=[None, struct.pack("3i", 0, 1, 2), None]),
    "text is not UTF-8": text(0, 1, 2, data=b"\xff\xfe"),
    "view of negative size": views(long_view(-1, 0, 0), long_view(13, 0, 0)),
    "view of no buffer": views(long_view(13, 1, 0), long_view(13, 0, 0)),
    "view of a negative buffer": views(long_view(13, -1, 0), long_view(13, 0, 0)),
    "view at a negative offset": views(long_view(13, 0, -5), long_view(13, 0, 0)),
    "view past the end": views(long_view(13, 0, 8), long_view(13, 0, 0)),
    "view of INT_MAX": views(long_view(2**31 - 1, 0, 2**31 - 1), long_view(13, 0, 0)),
    "views without sizes": views(
        long_view(13, 0, 0), long_view(13, 0, 0), buffers=[None, long_view(13, 0, 0) * 2, b"x" * 20, None]
    ),
    "too few buffers of views": views(long_view(13, 0, 0), long_view(13, 0, 0), buffer_count=2),
    "index below": indices(0, -1, dictionary=text(0, 1)),
    "index above": indices(0, 1, dictionary=text(0, 1)),
    "index above numbers": indices(0, 5, dictionary=ints(1)),
    "no dictionary": indices(0, 0, dictionary=text(0, 1), no_dictionary=True),
    "dictionary of negative length": indices(0, 0, dictionary=text(0, 1, length=-1)),
    "dictionary with bad offsets": indices(0, 0, dictionary=text(3, 1)),
    "dictionary of dictionaries": indices(0, 0, dictionary=indices(0, dictionary=text(0, 1))),
    "dictionary of dates": indices(0, 0, dictionary={**ints(1), "format": b"tdD"}),
    "dictionary indexed by floats": {**indices(0, 0, dictionary=text(0, 1)), "format": b"f"},
    "format empty": {**ints(1, 2), "format": b""},
    "format missing": {**ints(1, 2), "format": None},
    "format unknown": {**ints(1, 2), "format": b"?" * 1000},
    "name not UTF-8": ints(1, 2, name=b"\xff"),
    "no schema": ints(1, 2, no_schema=True),
}


@pytest.mark.parametrize("name", HOSTILE_COLUMNS)
def test_a_hostile_column_is_refused(name):
    table = Table(HOSTILE_COLUMNS[name], length=2)
    with pytest.raises((ValueError, TypeError)) as raised:
        from_arrow(table)
    assert not isinstance(raised.value, UnicodeDecodeError) or "name" in name
    assert table.released == table.made
    behind = Table(ints(1, 2), HOSTILE_COLUMNS[name], length=2)
    with pytest.raises((ValueError, TypeError)):
        from_arrow(behind)
    assert behind.released == behind.made


HOSTILE_TABLES = {
    "negative length": {"length": -1},
    "huge length": {"length": 2**62},
    "longer than its columns": {"length": 3},
    "negative offset": {"offset": -1},
    "huge offset": {"offset": 2**62},
    "rows missing": {"null_count": 1},
    "uncounted rows missing": {"null_count": -1, "bitmap": b"\x01"},
    "no children": {"no_children": True},
    "negative children": {"schema_children": -1},
    "a billion children": {"schema_children": 2**40},
    "another number of columns": {"array_children": 2},
    "a stream of numbers": {"format": b"i"},
    "no schema": {"released": True},
    "schema fails": {"schema_error": 5},
    "next fails": {"next_error": 5, "error_text": b"the disk is on fire"},
    "a used stream": {"stream_released": True},
    "another capsule": {"capsule_name": b"arrow_schema"},
}


@pytest.mark.parametrize("name", HOSTILE_TABLES)
def test_a_hostile_table_is_refused(name):
    table = Table(ints(1, 2), **HOSTILE_TABLES[name])
    with pytest.raises((ValueError, TypeError, MemoryError)) as raised:
        from_arrow(table)
    if "error_text" in HOSTILE_TABLES[name]:
        assert "the Arrow stream failed: the disk is on fire" in str(raised.value)


def test_a_chunk_may_be_the_bad_one():
    class Changing(Table):
        def get_next(self, stream, out):
            status = super().get_next(stream, out)
            if self.chunks == 0 and out.contents.release:
                out.contents.children[0].contents.buffer_count = 7
            return status

    table = Changing(ints(1, 2), chunks=3)
    with pytest.raises(ValueError, match="has a wrong number of buffers"):
        from_arrow(table)
    assert table.released == table.made == 5


def test_exceptions_of_the_producer_come_out():
    class Failing:
        def __arrow_c_stream__(self, requested_schema=None):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        from_arrow(Failing())


@given(st.data())
def test_random_lies_never_crash(data):
    """Numbers of the structs at random; buffers are as large as any of these can reach."""
    small = st.integers(-2, 5)
    one = {
        "format": data.draw(st.sampled_from([b"i", b"u", b"vu", b"b", b"c", b"n", b"e"])),
        "length": data.draw(small),
        "offset": data.draw(small),
        "null_count": data.draw(small),
        "buffers": [
            data.draw(st.sampled_from([None, b"\xaa" * 64])),
            data.draw(st.binary(min_size=512, max_size=512)),
            bytes(64),
        ],
        "buffer_count": data.draw(st.integers(-1, 3)),
    }
    if one["format"] == b"u":  # what offsets point to cannot be known to be too short
        one["buffers"][1] = struct.pack("128i", *[data.draw(small) for _ in range(16)] * 8)
    if data.draw(st.booleans()):
        one = indices(
            *[data.draw(small) for _ in range(16)], dictionary=one, length=data.draw(small), offset=data.draw(small)
        )
    table = Table(one, length=data.draw(small), offset=data.draw(st.integers(-1, 2)))
    try:
        assert from_arrow(table).rows > 0
    except (ValueError, TypeError):
        pass
    assert table.released == table.made
