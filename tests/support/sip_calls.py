"""Calls between two peers of a test through a gateway, and clients that know a password."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support import digest
from tests.support.sip_message import Message, audio, build
from tests.support.sip_peer import Headers, Leg, Peer

_CHALLENGES = {
    "SIP/2.0 401": ("WWW-Authenticate", "Authorization"),
    "SIP/2.0 407": ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True)
class Call:
    """An answered call.

    Attributes:
        caller: the caller's side.
        callee: the callee's side.
        invite: what the callee was sent.
        answer: what the caller was answered.

    """

    caller: Leg
    callee: Leg
    invite: Message
    answer: Message


def invite(
    caller: Peer,
    uri: str,
    to: tuple[str, int],
    *,
    user: str = "+85512234567",
    headers: Headers = (),
    body: str | None = None,
    call_id: str = "",
    cseq: int = 1,
) -> str:
    """Send an INVITE, of audio at port 4000 where no body is given, and return its Call-ID."""
    call_id = call_id or uuid.uuid4().hex
    own = [
        ("From", f"<sip:{user}@{caller.says}>;tag=caller-{call_id[:8]}"),
        ("To", f"<{uri}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} INVITE"),
        ("Contact", f"<sip:{user}@{caller.says}:{caller.port}>"),
    ]
    caller.request("INVITE", uri, [*own, *headers], to, audio(caller.says, 4000) if body is None else body)
    return call_id


def acknowledge_refusal(caller: Peer, uri: str, to: tuple[str, int], refusal: Message) -> None:
    """Send the ACK of a final answer that is no 2xx: it is of the INVITE's own transaction (RFC 3261, 17.1.1.3)."""
    number = refusal.header("CSeq").split()[0]
    ends = [(name, refusal.header(name)) for name in ("Via", "From", "To", "Call-ID")]
    caller.send(build(f"ACK {uri} SIP/2.0", [*ends, ("CSeq", f"{number} ACK"), ("Max-Forwards", "70")]), *to)


def answer(caller: Peer, callee: Peer, *, body: str | None = None, headers: Headers = ()) -> Call:
    """Have the callee ring and answer an INVITE that is under way, and the caller acknowledge it."""
    offer = callee.receive("INVITE")
    tag = f"callee-{uuid.uuid4().hex[:8]}"
    own = [("Contact", f"<sip:callee@{callee.says}:{callee.port}>"), *headers]
    callee.respond(offer, "180 Ringing", tag=tag, headers=headers)
    callee.respond(offer, "200 OK", tag=tag, headers=own, body=audio(callee.says, 4000) if body is None else body)
    accepted = caller.receive("SIP/2.0 200")
    legs = Leg.of_caller(caller, accepted), Leg.of_callee(callee, offer, tag)
    legs[0].send("ACK")
    callee.receive("ACK")
    return Call(*legs, offer, accepted)


class Client(Peer):
    """A client of the client gateway: a peer that knows a user name and a password.

    Args:
        address: where it is.
        gateway: where its requests go.
        says: what it takes its own address for.
        domain: the host in the URIs that it calls; by default the gateway.
        algorithm: what it digests its password with.
        port, reaches: see Peer.

    """

    def __init__(
        self,
        address: str,
        gateway: str,
        *,
        port: int = 5060,
        says: str | None = None,
        domain: str | None = None,
        user: str = "user1",
        password: str = "correct horse",
        algorithm: str = "MD5",
        reaches: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(address, port, says=says, reaches=reaches)
        self.gateway, self.domain = gateway, domain or gateway
        self.user, self.password, self.algorithm = user, password, algorithm

    def register(self, contact: str | None = None, *, aor: str | None = None, expires: int = 600) -> Message:
        """Register a contact, by default its own, and return the last answer."""
        uri = f"sip:{self.domain}"
        address = f"<sip:{aor or self.user}@{self.domain}>"
        contact = contact or f"<sip:{self.user}@{self.says}:{self.port}>"
        call_id, tag = uuid.uuid4().hex, uuid.uuid4().hex[:8]
        credentials: Headers = ()
        for number in (1, 2):
            own = [
                ("From", f"{address};tag={tag}"),
                ("To", address),
                ("Call-ID", call_id),
                ("CSeq", f"{number} REGISTER"),
            ]
            own += [("Contact", contact), ("Expires", str(expires)), *credentials]
            self.request("REGISTER", uri, own, (self.gateway, 5060))
            response = self.receive("SIP/2.0")
            if number == 2 or not response.first_line.startswith("SIP/2.0 401"):
                break
            credentials = self._credentials(response, "REGISTER", uri)
        return response

    def invite_without_credentials(self, number: str) -> str:
        """Send an INVITE that will be asked for credentials, and return its Call-ID."""
        return invite(self, f"sip:{number}@{self.gateway}", (self.gateway, 5060), user=self.user)

    def invite(self, number: str, *, headers: Headers = (), body: str | None = None, user: str | None = None) -> str:
        """Send an INVITE, again with credentials when it is asked for them, and return its Call-ID."""
        uri, to = f"sip:{number}@{self.domain}", (self.gateway, 5060)
        call_id = invite(self, uri, to, user=user or self.user, headers=headers, body=body)
        challenge = self.receive("SIP/2.0 407")
        acknowledge_refusal(self, uri, to, challenge)
        known = [*headers, *self._credentials(challenge, "INVITE", uri)]
        return invite(self, uri, to, user=user or self.user, headers=known, body=body, call_id=call_id, cseq=2)

    def _credentials(self, response: Message, method: str, uri: str) -> Headers:
        asks, answers = _CHALLENGES[response.first_line[:11]]
        challenge = digest.choose(response.headers(asks), self.algorithm)
        return [(answers, digest.credentials(challenge, method, uri, self.user, self.password))]
