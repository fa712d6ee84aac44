"""The signature by which a customer's server knows that a request is the platform's.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hmac
from collections.abc import Sequence


def sign(auth_token: str, url: str, parameters: Sequence[tuple[str, str]] = ()) -> str:
    """Return the value of `X-Twilio-Signature`.

    Args:
        auth_token: the account's.
        url: the whole URL, as the server sees it.
        parameters: of a POST's form; a GET has its own in the URL.

    """
    # A name that comes twice counts once with each of its values: so do the libraries that check it.
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.digest(auth_token.encode(), text.encode(), "sha1")
    return base64.b64encode(digest).decode()
