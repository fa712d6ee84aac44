"""Requests for TwiML as customers' servers see them."""

from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from yarl import URL

from switch_app.documents import CustomerDocuments, _with_query
from switch_app.errors import FetchFailed
from switch_app.http.public_client import PublicClient, parse_url
from switch_app.signature import sign
from switch_app.twiml.document import SIZE_MAXIMUM
from tests.fakes.customer_server import CustomerServer, Received, Reply, redirect, twiml

TOKEN = "auth_token"
PARAMETERS = [("Caller", "+85512456869"), ("CallStatus", "ringing"), ("Digits", "1 #*"), ("Name", "ស្វាគមន៍")]


@pytest.fixture
def server() -> Iterator[CustomerServer]:
    with CustomerServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[PublicClient]:
    client = PublicClient(allowed=[ip_network("127.0.0.0/8")])
    yield client
    await client.close()


@pytest.fixture
async def documents(client: PublicClient) -> CustomerDocuments:
    return CustomerDocuments(client, TOKEN)


def is_signed(request: Received) -> bool:
    return bool(
        RequestValidator(TOKEN).validate(request.url, dict(request.form), request.headers["x-twilio-signature"])
    )


async def test_a_post_has_its_parameters_in_order_and_the_contracts_headers(
    documents: CustomerDocuments, server: CustomerServer
) -> None:
    url = server.reply("/path", twiml("<Hangup/>"))
    document = await documents.fetch(f"{url}?b=2&a=1", "POST", PARAMETERS)
    assert (document.content, document.url) == (b"<Response><Hangup/></Response>", f"{url}?b=2&a=1")
    (request,) = server.requests
    assert request.method == "POST"
    assert request.form == PARAMETERS
    assert request.query == [("b", "2"), ("a", "1")]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert request.headers["user-agent"] == "TwilioProxy/1.1"
    assert request.headers["accept"] == "text/xml, application/xml, text/html"
    assert request.headers["cache-control"] == "max-age=259200"
    assert is_signed(request)


async def test_a_get_appends_its_parameters_to_the_query(documents: CustomerDocuments, server: CustomerServer) -> None:
    url = server.reply("/path", twiml(""))
    document = await documents.fetch(f"{url}?b=2&a=1", "GET", PARAMETERS)
    (request,) = server.requests
    assert (request.method, request.body) == ("GET", b"")
    assert request.query == [("b", "2"), ("a", "1"), *PARAMETERS]
    assert is_signed(request)
    assert document.url == f"{url}?b=2&a=1"


@pytest.mark.parametrize("method", ["get", "PUT", "", "POST"])
async def test_any_other_method_is_a_post(documents: CustomerDocuments, server: CustomerServer, method: str) -> None:
    await documents.fetch(server.reply("/path", twiml("")), method, PARAMETERS)
    assert server.requests[0].method == "POST"


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirected_request_is_signed_anew(
    documents: CustomerDocuments, server: CustomerServer, status: int
) -> None:
    end = server.reply("/end", twiml(""))
    start = server.reply("/start", redirect("/end", status))
    assert (await documents.fetch(start, "POST", PARAMETERS)).url == end
    assert server.paths() == ["/start", "/end"]
    assert all(is_signed(request) for request in server.requests)
    assert server.requests[1].form == (PARAMETERS if status == 307 else [])


async def test_cookies_last_as_long_as_the_call(
    client: PublicClient, documents: CustomerDocuments, server: CustomerServer
) -> None:
    url = server.reply("/", Reply("<Response/>", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")]))
    await documents.fetch(url, "POST", [])
    await documents.fetch(url, "POST", [])
    await CustomerDocuments(client, TOKEN).fetch(url, "POST", [])
    cookies = [request.headers.get("cookie") for request in server.requests]
    assert cookies == [None, "a=1; b=2", None]


async def test_a_server_cannot_fill_the_memory_with_cookies(
    documents: CustomerDocuments, server: CustomerServer
) -> None:
    headers = [("Set-Cookie", f"cookie{number}=1") for number in range(60)]
    url = server.reply("/", Reply("<Response/>", headers=headers), Reply("<Response/>"))
    await documents.fetch(url, "POST", [])
    await documents.fetch(url, "POST", [])
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_what_is_no_success_is_an_error(
    documents: CustomerDocuments, server: CustomerServer, status: int
) -> None:
    url = server.reply("/", Reply("<Response/>", status))
    with pytest.raises(FetchFailed, match=f"answered with {status}"):
        await documents.fetch(url, "POST", [])
    assert len(server.requests) == 1


async def test_no_content_is_a_document_without_content(documents: CustomerDocuments, server: CustomerServer) -> None:
    assert (await documents.fetch(server.reply("/", Reply(status=204)), "POST", [])).content == b""


async def test_a_document_is_bounded(documents: CustomerDocuments, server: CustomerServer) -> None:
    url = server.reply("/", Reply(b"x" * SIZE_MAXIMUM), Reply(b"x" * (SIZE_MAXIMUM + 1)))
    assert len((await documents.fetch(url, "POST", [])).content) == SIZE_MAXIMUM
    with pytest.raises(FetchFailed, match="more than"):
        await documents.fetch(url, "POST", [])


async def test_credentials_in_a_url_are_sent_and_not_signed(
    documents: CustomerDocuments, server: CustomerServer
) -> None:
    url = server.reply("/", twiml("")).replace("http://", "http://user:secret@")
    document = await documents.fetch(url, "POST", PARAMETERS)
    (request,) = server.requests
    assert request.headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert is_signed(request)
    assert document.url == url


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST"]),
    # No semicolon: the validator drops an empty parameter of a path before it looks at the signature.
    path=st.text(st.sampled_from("aZ09-._~/%:@!$&'()*+,= é"), max_size=12),
    query=st.text(st.sampled_from("aZ=&%2B+ ~/?:é"), max_size=12),
    parameters=st.lists(
        st.tuples(st.sampled_from("ABC"), st.text(max_size=8)), max_size=4, unique_by=lambda pair: pair[0]
    ),
)
async def test_whatever_the_url_is_the_server_finds_its_signature_valid(
    documents: CustomerDocuments,
    server: CustomerServer,
    method: str,
    path: str,
    query: str,
    parameters: list[tuple[str, str]],
) -> None:
    parameters = [(name, value.encode(errors="replace").decode()) for name, value in parameters]
    url = f"{server.url}/{path}?{query}"
    server.requests.clear()
    server.default = twiml("")
    await documents.fetch(url, method, parameters)
    (request,) = server.requests
    assert is_signed(request)
    sent = request.form if method == "POST" else request.query[len(request.query) - len(parameters) :]
    assert sent == parameters


def test_the_signature_is_the_one_of_twilios_documentation() -> None:
    """APP-94, APP-95."""
    url = "https://example.com/path?b=2&a=1"
    assert RequestValidator(TOKEN).validate(url, {"foo": "bar"}, sign(TOKEN, url, [("foo", "bar")]))
    assert RequestValidator(TOKEN).validate(f"{url}&foo=bar", {}, sign(TOKEN, f"{url}&foo=bar"))
    assert str(_with_query(URL(url), "foo=bar")) == f"{url}&foo=bar"


_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=6),
    st.lists(st.sampled_from(["a", "b c", "ö", "%zz", "~", "x+y"]), max_size=3),
    _TEXT.filter(bool),
)
def test_whatever_is_signed_is_found_valid(parameters: dict[str, str], path: list[str], token: str) -> None:
    url = str(parse_url("https://example.com/" + "/".join(path)))
    assert RequestValidator(token).validate(url, parameters, sign(token, url, list(parameters.items())))
