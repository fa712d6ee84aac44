import pytest

from routing import Address, Domain, InvalidRecord, LoadBalancerTarget, Registration, Subscriber, TaskStamp

DIGESTS = {"ha1": "a" * 32, "ha1_sha256": "b" * 64, "ha1_sha512t256": "c" * 64}


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("165.57.32.1", "165.57.32.1"),
        ("165.57.32.1/32", "165.57.32.1"),
        ("165.57.32.9/24", "165.57.32.0/24"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:165.57.32.1", "165.57.32.1"),
    ],
)
def test_a_source_address_has_one_spelling(written: str, stored: str) -> None:
    assert Address(written, 1).source_ip == stored


@pytest.mark.parametrize(
    "written", ["", "example.org", "1.2.3", "1.2.3.4/33", "1.2.3.4:5060", "fe80::1%eth0", None, 7, {}]
)
def test_what_is_no_address_is_refused_by_name(written: object) -> None:
    with pytest.raises(InvalidRecord, match="source_ip"):
        Address(written, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["0.0.0.0/0", "::/0"])
def test_a_permission_for_everybody_is_refused(written: str) -> None:
    with pytest.raises(InvalidRecord, match="whole Internet"):
        Address(written, 1)


@pytest.mark.parametrize("group_id", [-1, "1", None, True, 1.5])
def test_a_group_is_a_whole_number(group_id: object) -> None:
    with pytest.raises(InvalidRecord, match="group_id"):
        Address("1.2.3.4", group_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", list(DIGESTS))
@pytest.mark.parametrize("digest", ["", "secret-in-the-wrong-place", None])
def test_a_wrong_digest_is_named_but_never_shown(field: str, digest: object) -> None:
    with pytest.raises(InvalidRecord, match=f"{field} of subscriber user1") as caught:
        Subscriber("user1", **{**DIGESTS, field: digest})  # type: ignore[arg-type]
    assert "secret-in-the-wrong-place" not in str(caught.value)


def test_digests_do_not_show_when_a_subscriber_is_printed() -> None:
    assert "aaaa" not in repr(Subscriber("user1", **DIGESTS))


@pytest.mark.parametrize("username", ["", "two words", "tab\t", "x" * 256, None])
def test_a_user_name_must_fit_a_sip_uri(username: object) -> None:
    with pytest.raises(InvalidRecord, match="username"):
        Subscriber(username, **DIGESTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "record",
    [
        LoadBalancerTarget("sip:10.0.0.1:5060", 1, "gw", "10.0.0.1:8021", 2, "eu-west-1", TaskStamp("arn", 3, 17)),
        Domain("sip.example.org"),
        Domain("10.0.0.1", TaskStamp("arn", 3)),
        Address("10.0.0.0/8", 2),
        Subscriber("user1", **DIGESTS),
        Registration("user1", "1", "sip:user1@10.0.0.1", "udp:10.0.0.2:5060", expires=5),
    ],
)
def test_a_record_survives_its_item(record: object) -> None:
    assert type(record).from_item(record.to_item()) == record  # type: ignore[attr-defined]


def test_an_item_without_an_attribute_is_refused_by_name() -> None:
    with pytest.raises(InvalidRecord, match="group_id is missing"):
        Address.from_item({"source_ip": "10.0.0.1"})
