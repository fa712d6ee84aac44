"""Documents as text."""

import time

import pytest

from switch_app.errors import TwimlError
from switch_app.twiml.document import SIZE_MAXIMUM, read_document
from switch_app.verbs.catalogue import read_verbs
from switch_app.verbs.play import Play


def test_app_91_the_verbs_are_in_their_order() -> None:
    elements = read_document("<Response><Play>foo.mp3</Play><Say>a</Say></Response>")
    assert [element.name for element in elements] == ["Play", "Say"]
    assert isinstance(read_verbs("<Response><Play>foo.mp3</Play></Response>")[0], Play)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("<Play>a</Play>", "line 1: The root element must be the <Response> element", id="APP-92"),
        pytest.param('"Foobar"', "the document is no XML: .* it begins with '\"Foobar\"'", id="APP-93"),
        pytest.param("", "the document is no XML", id="nothing"),
        pytest.param("<Response>", "the document is no XML", id="half"),
        pytest.param('<x:Response xmlns:x="y"/>', "The root element must be", id="another-name-space"),
        pytest.param("<response/>", "The root element must be", id="case"),
        pytest.param("<Response>&nbsp;</Response>", "the document is no XML", id="entity-of-html"),
        pytest.param("<Response>\n\n<say/></Response>", "line 3: Invalid element <say>", id="verb-case"),
        pytest.param("<Response><Foobar/></Response>", "line 1: Invalid element <Foobar>", id="APP-90"),
        pytest.param("<Response><Say>a</Say>\n<Enqueue/></Response>", "line 2: Invalid element <Enqueue>", id="later"),
        pytest.param("<Response>\ud800</Response>", "half of a surrogate pair", id="surrogate"),
        pytest.param(b"<Response>\xff</Response>", "the document is no XML", id="not-utf-8"),
        pytest.param("<Response>" + "<Say>" * 20 + "</Say>" * 20 + "</Response>", "nested deeper than", id="deep"),
        pytest.param("<Response>" + "<Say>" * 9000, "the document is no XML", id="very-deep"),
        pytest.param("<!DOCTYPE Response><Response/>", "the document has a document type", id="document-type"),
        pytest.param(" " * (SIZE_MAXIMUM + 1), "more than 65536", id="large"),
    ],
)
def test_what_is_wrong_is_named(content: str | bytes, message: str) -> None:
    with pytest.raises(TwimlError, match=message):
        read_verbs(content)


def test_a_document_as_large_as_may_be_is_read() -> None:
    frame = "<Response><Play>{}</Play></Response>"
    assert read_document(frame.format("a" * (SIZE_MAXIMUM - len(frame) + 2)))


@pytest.mark.parametrize(
    "document_type",
    [
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/a.dtd"> %a;',
        '<!ENTITY a "aaaa">'
        + "".join(f'<!ENTITY {name} "{f"&{inner};" * 20}">' for name, inner in zip("bcdefgh", "abcdefg", strict=True)),
    ],
    ids=["file", "network", "a billion laughs"],
)
@pytest.mark.parametrize("where", ["<Say>&{};</Say>", '<Say voice="&{};">a</Say>'], ids=["text", "attribute"])
def test_no_entity_is_expanded_and_nothing_is_loaded(document_type: str, where: str) -> None:
    name = "h" if "<!ENTITY h" in document_type else "a"
    content = f"<!DOCTYPE Response [{document_type}]><Response>{where.format(name)}</Response>"
    began = time.monotonic()
    with pytest.raises(TwimlError) as raised:
        read_document(content)
    assert time.monotonic() - began < 2
    assert "aaaaaaaa" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_bytes_are_in_the_encoding_that_they_say(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?>\n<Response><Say>buen día</Say></Response>\n'
    [element] = read_document(content.encode(encoding))
    assert element.text == "buen día"


def test_a_text_is_decoded_already_whatever_it_says() -> None:
    [element] = read_document('<?xml version="1.0" encoding="utf-16"?><Response><Say>día</Say></Response>')
    assert element.text == "día"


def test_white_space_before_a_declaration_is_forgiven() -> None:
    assert read_document('\n\n <?xml version="1.0"?><Response><Hangup/></Response>')


def test_comments_instructions_and_blank_text_are_not_there() -> None:
    content = "<Response> <!-- a --> <?b c?> <Say>x<!-- d -->y<?e f?>z</Say> <![CDATA[ ]]> </Response>"
    [element] = read_document(content)
    assert (element.name, element.text, element.children) == ("Say", "xyz", ())
