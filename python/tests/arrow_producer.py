"""A producer of Arrow streams, by the C interface through ctypes, that can be told to lie."""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


RELEASE = ctypes.CFUNCTYPE(None, c_void_p)
Schema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("child_count", c_int64),
    ("children", POINTER(POINTER(Schema))),
    ("dictionary", POINTER(Schema)),
    ("release", c_void_p),
    ("private_data", c_void_p),
]
Array._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("buffer_count", c_int64),
    ("child_count", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(Array))),
    ("dictionary", POINTER(Array)),
    ("release", c_void_p),
    ("private_data", c_void_p),
]
GET_SCHEMA = ctypes.CFUNCTYPE(c_int, POINTER(Stream), POINTER(Schema))
GET_NEXT = ctypes.CFUNCTYPE(c_int, POINTER(Stream), POINTER(Array))
GET_ERROR = ctypes.CFUNCTYPE(c_void_p, POINTER(Stream))
Stream._fields_ = [
    ("get_schema", c_void_p),
    ("get_next", c_void_p),
    ("get_last_error", c_void_p),
    ("release", c_void_p),
    ("private_data", c_void_p),
]

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [c_void_p, c_char_p, c_void_p]


class Table:
    """Columns of dicts {format, name, buffers, length, ...}, with `faults` in the stream or table itself; counts what
    was released."""

    def __init__(self, *columns, chunks=1, capsule_name=b"arrow_array_stream", **faults):
        self.columns, self.chunks, self.faults = columns, chunks, faults
        self.capsule_name = capsule_name
        self.kept = []  # what the structs point to
        self.made = self.released = 0
        self.release = RELEASE(self.on_release)
        self.length = faults.get("length", columns[0].get("length", 0) if columns else 0)
        self.addresses = {}  # of what was made: its kind

    def on_release(self, address):
        self.released += 1
        kind = self.addresses.get(address)
        if kind:
            kind.from_address(address).release = None

    def made_at(self, kind, address):
        self.addresses[address] = kind
        self.made += 1

    def pointers(self, kind, items):
        array = (POINTER(kind) * max(1, len(items)))(*[item and ctypes.pointer(item) for item in items])
        self.kept.append(array)
        return ctypes.cast(array, POINTER(POINTER(kind)))

    def schema(self, column):
        made = Schema(format=column["format"], name=column.get("name", b"x"))
        made.release = ctypes.cast(self.release, c_void_p)
        if "dictionary" in column:
            made.dictionary = ctypes.pointer(self.schema(column["dictionary"]))
        made.child_count = column.get("schema_children", 0)
        self.kept.append(made)
        return made

    def array(self, column):
        buffers = [
            b if b is None or isinstance(b, int) else ctypes.create_string_buffer(b, len(b))
            for b in column.get("buffers", [])
        ]
        self.kept.append(buffers)
        addresses = (c_void_p * max(1, len(buffers)))(
            *[b if b is None or isinstance(b, int) else ctypes.addressof(b) for b in buffers]
        )
        self.kept.append(addresses)
        made = Array(
            length=column.get("length", 0),
            null_count=column.get("null_count", 0),
            offset=column.get("offset", 0),
            buffer_count=column.get("buffer_count", len(buffers)),
            child_count=column.get("child_count", 0),
        )
        if not column.get("no_buffers"):
            made.buffers = ctypes.cast(addresses, POINTER(c_void_p))
        if not column.get("released"):
            made.release = ctypes.cast(self.release, c_void_p)
        if "dictionary" in column and not column.get("no_dictionary"):
            made.dictionary = ctypes.pointer(self.array(column["dictionary"]))
        self.kept.append(made)
        return made

    def get_schema(self, stream, out):
        if self.faults.get("schema_error"):
            return self.faults["schema_error"]
        schema = out.contents
        schema.format = self.faults.get("format", b"+s")
        schema.child_count = self.faults.get("schema_children", len(self.columns))
        schema.children = self.pointers(Schema, [None if c.get("no_schema") else self.schema(c) for c in self.columns])
        if self.faults.get("no_children"):
            schema.children = None
        if not self.faults.get("released"):
            schema.release = ctypes.cast(self.release, c_void_p)
        self.made_at(Schema, ctypes.addressof(schema))
        return 0

    def get_next(self, stream, out):
        if self.faults.get("next_error"):
            return self.faults["next_error"]
        array = out.contents
        if self.chunks == 0:
            array.release = None
            return 0
        self.chunks -= 1
        array.length = self.length
        array.offset = self.faults.get("offset", 0)
        array.null_count = self.faults.get("null_count", 0)
        array.child_count = self.faults.get("array_children", len(self.columns))
        array.children = self.pointers(Array, [None if c.get("no_array") else self.array(c) for c in self.columns])
        if "bitmap" in self.faults:
            bits = ctypes.create_string_buffer(self.faults["bitmap"])
            buffers = (c_void_p * 1)(ctypes.addressof(bits))
            array.buffer_count, array.buffers = 1, ctypes.cast(buffers, POINTER(c_void_p))
            self.kept += [bits, buffers]
        array.release = ctypes.cast(self.release, c_void_p)
        self.made_at(Array, ctypes.addressof(array))
        return 0

    def get_error(self, stream):
        text = self.faults.get("error_text")
        return ctypes.cast(c_char_p(text), c_void_p).value if text else None

    def __arrow_c_stream__(self, requested_schema=None):
        self.functions = [GET_SCHEMA(self.get_schema), GET_NEXT(self.get_next), GET_ERROR(self.get_error)]
        stream = Stream(*[ctypes.cast(f, c_void_p) for f in self.functions], ctypes.cast(self.release, c_void_p))
        if self.faults.get("stream_released"):
            stream.release = None
        else:
            self.made += 1
        self.kept.append(stream)
        return new_capsule(ctypes.addressof(stream), self.capsule_name, None)
