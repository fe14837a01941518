"""Batch transform on bytes: splitting, payloads, filters, joins."""

from __future__ import annotations

import gzip

import pytest

from pytest_smfake.service.batch import MEGABYTE, Plan, TransformError, compile_path, transform


def plan(content_type="text/csv", split="Line", **members):
    source = {"ContentType": content_type, "SplitType": split, "CompressionType": members.pop("CompressionType", "None")}
    target = {"AssembleWith": members.pop("AssembleWith", "None")}
    request = {"TransformInput": source, "TransformOutput": target}
    processing = {name: members.pop(name) for name in ("InputFilter", "OutputFilter", "JoinSource") if name in members}
    return Plan.of(request | members | ({"DataProcessing": processing} if processing else {}))


def run(data, how, answer=lambda payload: payload):
    """Return what becomes of an object, and the payloads that were sent."""
    sent = []

    def invoke(payload):
        sent.append(payload)
        return answer(payload)

    return transform(data, how, invoke), sent


@pytest.mark.parametrize(
    ("split", "members", "payloads"),
    [
        ("None", {}, [b"a\nbb\n\nc\n"]),
        ("Line", {}, [b"a\nbb\n\nc"]),
        ("Line", {"BatchStrategy": "MultiRecord"}, [b"a\nbb\n\nc"]),
        ("Line", {"BatchStrategy": "SingleRecord"}, [b"a", b"bb", b"", b"c"]),
        ("Line", {"MaxPayloadInMB": 0}, [b"a\nbb\n\nc"]),
        ("Line", {"MaxPayloadInMB": 0, "BatchStrategy": "SingleRecord"}, [b"a", b"bb", b"", b"c"]),
    ],
)
def test_payloads(split, members, payloads):
    assert run(b"a\nbb\n\nc\n", plan(split=split, **members))[1] == payloads


def test_payloads_keep_to_their_bound():
    record = b"x" * (MEGABYTE // 2)
    _, sent = run(b"\n".join([record] * 5), plan(MaxPayloadInMB=1))
    # Two records and the line end between them are one byte more than a megabyte.
    assert [len(payload) for payload in sent] == [len(record)] * 5
    _, sent = run(b"\n".join([record[1:]] * 5), plan(MaxPayloadInMB=1))
    assert [len(payload) for payload in sent] == [MEGABYTE - 1, MEGABYTE - 1, MEGABYTE // 2 - 1]
    _, sent = run(b"\n".join([record] * 12), plan())
    assert [payload.count(b"x") for payload in sent] == [len(record) * 11, len(record)]


@pytest.mark.parametrize("split", ["Line", "None"])
def test_a_record_over_the_bound(split):
    data = b"x" * (MEGABYTE + 1)
    with pytest.raises(TransformError, match="Record 1 has 1048577 bytes, which is over MaxPayloadInMB, 1"):
        run(data, plan(split=split, MaxPayloadInMB=1))
    assert run(data[:-1], plan(split=split, MaxPayloadInMB=1))[1] == [data[:-1]]


@pytest.mark.parametrize(
    ("assemble", "strategy", "expected"),
    [
        ("None", "SingleRecord", b"AB"),
        ("Line", "SingleRecord", b"A\nB\n"),
        ("None", "MultiRecord", b"A\nB"),
        ("Line", "MultiRecord", b"A\nB\n"),
    ],
)
def test_assembly(assemble, strategy, expected):
    assert run(b"a\nb\n", plan(AssembleWith=assemble, BatchStrategy=strategy), bytes.upper)[0] == expected


def test_an_answer_that_ends_its_last_line_gets_no_second_end():
    assert run(b"a\nb\n", plan(AssembleWith="Line"), lambda payload: payload + b"\n")[0] == b"a\nb\n"


@pytest.mark.parametrize("split", ["Line", "None"])
def test_an_empty_object(split):
    made, sent = run(b"", plan(split=split))
    assert (made, sent) == (b"", [] if split == "Line" else [b""])


def test_compressed_input():
    assert run(gzip.compress(b"a\nb"), plan(CompressionType="Gzip"), bytes.upper)[0] == b"A\nB"
    with pytest.raises(TransformError, match="not compressed with Gzip"):
        run(b"a\nb", plan(CompressionType="Gzip"))


class TestCsv:
    DATA = b'7,"a, b",1\n8,c,2\n'

    def test_the_input_filter_leaves_columns_out(self):
        made, sent = run(self.DATA, plan(InputFilter="$[1:]"), lambda payload: b"\n".join([b"0.5"] * (payload.count(b"\n") + 1)))
        assert sent == [b'"a, b",1\nc,2']
        assert made == b"0.5\n0.5"

    def test_the_join_appends_the_answer(self):
        made, _ = run(self.DATA, plan(InputFilter="$[1:]", JoinSource="Input", AssembleWith="Line"), lambda _: b"0.1\n0.2\n")
        assert made == b'7,"a, b",1,0.1\n8,c,2,0.2\n'

    def test_the_output_filter_sees_what_was_joined(self):
        made, _ = run(self.DATA, plan(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]"), lambda _: b"0.1\n0.2")
        assert made == b"7,0.1\n8,0.2"

    def test_without_a_split_rows_are_rows_all_the_same(self):
        made, sent = run(self.DATA, plan(split="None", InputFilter="$[0]", JoinSource="Input"), lambda _: b"0.1\n0.2\n")
        assert sent == [b"7\n8\n"]
        assert made == b'7,"a, b",1,0.1\n8,c,2,0.2'

    def test_one_column_of_a_row(self):
        assert run(self.DATA, plan(InputFilter="$[1]"))[1] == [b'"a, b"\nc']

    def test_a_column_that_is_not_there(self):
        with pytest.raises(TransformError, match=r"A filter cannot be applied to \['8', 'c', '2'\]: there is no item 3"):
            run(b"8,c,2", plan(InputFilter="$[3]"))

    def test_too_few_answers(self):
        with pytest.raises(TransformError, match="The model answered 1 records for 2"):
            run(self.DATA, plan(JoinSource="Input"), lambda _: b"0.1")


class TestJson:
    LINES = b'{"id":1,"x":[1,2]}\n{"id":2,"x":[3,4]}\n'

    def test_lines(self):
        how = plan(
            "application/jsonlines",
            InputFilter="$.x",
            JoinSource="Input",
            OutputFilter="$['id','SageMakerOutput']",
            AssembleWith="Line",
        )
        made, sent = run(self.LINES, how, lambda _: b'{"p":0.1}\n{"p":0.2}')
        assert sent == [b"[1,2]\n[3,4]"]
        assert made == b'{"id":1,"SageMakerOutput":{"p":0.1}}\n{"id":2,"SageMakerOutput":{"p":0.2}}\n'

    def test_a_whole_file(self):
        made, sent = run(b'{\n "x": 1\n}', plan("application/json", split="None", JoinSource="Input"), lambda _: b"[\n 1\n]")
        assert sent == [b'{\n "x": 1\n}']
        assert made == b'{"x":1,"SageMakerOutput":[1]}'

    def test_what_is_no_object(self):
        made, _ = run(b"[1,2]", plan("application/json; charset=utf-8", split="None", JoinSource="Input"), lambda _: '"ä"'.encode())
        assert made == '{"SageMakerInput":[1,2],"SageMakerOutput":"ä"}'.encode()

    def test_the_output_alone(self):
        assert run(b"{}", plan("application/json", split="None", OutputFilter="$.p"), lambda _: b'{"p":1}')[0] == b"1"

    @pytest.mark.parametrize(("data", "answer"), [(b"{", b"1"), (b"1", b"{"), (b"\xff", b"1")])
    def test_what_is_no_json(self, data, answer):
        with pytest.raises(TransformError, match="cannot be read as application/json"):
            run(data, plan("application/json", split="None", JoinSource="Input"), lambda _: answer)


@pytest.mark.parametrize("content_type", ["", "image/png"])
def test_other_types_cannot_be_looked_into(content_type):
    with pytest.raises(TransformError, match="DataProcessing takes input of text/csv, application/json or application/jsonlines"):
        run(b"x", plan(content_type, JoinSource="Input"))
    assert run(b"x", plan(content_type))[0] == b"x"


VALUE = {"a": {"b-c": [1, 2, 3, 4]}, "d": 5, "e f": 6}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", VALUE),
        ("$.d", 5),
        ("$.a.b-c[0]", 1),
        ("$['e f']", 6),
        ("$['d','e f']", {"d": 5, "e f": 6}),
        ("$['d', 'e f']", {"d": 5, "e f": 6}),
        ("$.a['b-c'][1:3]", [2, 3]),
        ("$.a.b-c[:-1]", [1, 2, 3]),
        ("$.a.b-c[-1]", 4),
        ("$.a.b-c[0,2:]", [1, 3, 4]),
        ("$.a.b-c[*]", [1, 2, 3, 4]),
        ("$.a.b-c[:]", [1, 2, 3, 4]),
        ("$.a.*", [[1, 2, 3, 4]]),
    ],
)
def test_paths(path, expected):
    assert compile_path(path)(VALUE) == expected


@pytest.mark.parametrize(
    "path", ["", "a", "$a", "$.", "$[", "$[]", "$['a]", "$..a", "$[?(@.a)]", "$[1:2:3]", "$[1-2]", "$.length()", "$[a]"]
)
def test_what_is_no_path(path):
    with pytest.raises(ValueError, match="is not a JSONPath"):
        compile_path(path)


@pytest.mark.parametrize("path", ["$.x", "$.d.x", "$.a.b-c[4]", "$.a[0]", "$['d','x']"])
def test_what_is_not_there(path):
    with pytest.raises(LookupError, match="there is no"):
        compile_path(path)(VALUE)
