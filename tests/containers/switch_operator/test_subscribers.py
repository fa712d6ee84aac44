"""Subscribers: digests as the platform makes them, and no secret anywhere else."""

from collections.abc import Callable

import pytest

from routing import PutSubscriber, RoutingReader, Subscriber, Table
from switch_operator.credentials import subscriber
from tests.containers.switch_operator.conftest import Operator
from tests.support.digest import credentials
from tests.support.queue_events import DIGESTS
from tests.support.routing_tables import all_rows, journal

USER = Subscriber("user1", DIGESTS["md5_password"], DIGESTS["sha256_password"], DIGESTS["sha512_password"])


def test_digests_are_those_that_the_platform_sends() -> None:
    assert subscriber("user1", "somleng.org", "password") == USER


@pytest.mark.parametrize(("algorithm", "attribute"), [("MD5", "ha1"), ("SHA-256", "ha1_sha256")])
def test_a_client_with_the_password_is_let_in_by_the_digest(algorithm: str, attribute: str) -> None:
    """What a gateway computes of the row is what a client computes of the password."""
    import hashlib

    made = subscriber("tést", "sip.example.org", "pässword")
    challenge = {"realm": "sip.example.org", "nonce": "n", "algorithm": algorithm}
    sent = credentials(challenge, "REGISTER", "sip:sip.example.org", "tést", "pässword")
    digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    request = digest(b"REGISTER:sip:sip.example.org").hexdigest()
    expected = digest(f"{getattr(made, attribute)}:n:00000001:0a4f113b:auth:{request}".encode()).hexdigest()
    assert f'response="{expected}"' in sent


def test_a_subscriber_is_added_replaced_and_removed(operator: Operator, reader: RoutingReader) -> None:
    add = ("subscribers", "add", "user1", "--yes")
    said = [
        operator(*add, typed="s3cret-one\n"),
        operator(*add, typed="s3cret-one\n"),
        operator(*add, typed="s3cret-two\n"),
    ]
    assert [each.out.split(": ", 1)[1][:15] for each in said] == ["added\n", "nothing changed", "has another pas"]
    assert operator.json("subscribers", "list") == {"subscribers": ["user1"]}
    assert reader.snapshot(Table.SUBSCRIBERS).records["user1"] == subscriber("user1", "somleng.org", "s3cret-two")
    said += [operator("subscribers", "list"), operator("subscribers", "remove", "user1", "--yes")]
    assert operator.json("subscribers", "list") == {"subscribers": []}
    assert "there is no subscriber 'user1'" in operator("subscribers", "remove", "user1", "--yes", status=1).err
    shown = "".join(each.out + each.err for each in said) + str(all_rows(Table.ROUTING_CHANGES))
    made = [subscriber("user1", "somleng.org", password) for password in ("s3cret-one", "s3cret-two")]
    digests = [digest for each in made for digest in (each.ha1, each.ha1_sha256, each.ha1_sha512t256)]
    assert not [secret for secret in ("s3cret", *digests) if secret in shown]
    assert [operation for _, _, operation in journal(Table.SUBSCRIBERS)[1]] == ["put", "put", "put", "delete"]


def test_only_names_are_asked_of_dynamodb_for_the_list(
    operator: Operator, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.parsers import ResponseParser

    write(PutSubscriber(USER, 1))
    answers: list[bytes] = []
    parse = ResponseParser.parse

    def note(self: ResponseParser, response: dict[str, bytes], shape: object) -> object:
        answers.append(response["body"])
        return parse(self, response, shape)

    monkeypatch.setattr(ResponseParser, "parse", note)
    assert operator.json("subscribers", "list") == {"subscribers": ["user1"]}
    assert any(b"user1" in answer for answer in answers)
    assert not [digest for digest in DIGESTS.values() for answer in answers if digest.encode() in answer]


def test_a_password_is_typed_twice_at_a_terminal(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["secret", "other", "secret", "secret", ""])
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: next(typed))
    add = ("subscribers", "add", "user1")
    assert "not the same" in operator(*add, interactive=True, typed="yes\n", status=2).err
    operator(*add, interactive=True, typed="yes\n")
    assert "is empty" in operator(*add, interactive=True, typed="yes\n", status=2).err


@pytest.mark.parametrize(
    ("username", "typed", "said"),
    [
        ("user1", "\n", "no password of user1 on standard input"),
        ("user:1", "password\n", "with a colon"),
        ("two words", "password\n", "white space"),
    ],
)
def test_what_is_wrong_is_refused(operator: Operator, username: str, typed: str, said: str) -> None:
    assert said in operator("subscribers", "add", username, "--yes", typed=typed, status=2).err
    assert operator.json("subscribers", "list") == {"subscribers": []}


def test_a_password_that_came_by_standard_input_leaves_nobody_to_ask(operator: Operator) -> None:
    assert "confirm with --yes" in operator("subscribers", "add", "user1", typed="password\nyes\n", status=2).err
