"""What the rating engine reads of a call, as channel variables.

CGRateS takes these from the channel. Nothing else of charging is here: nobody parks a call until it is authorised.
"""

from collections.abc import Mapping

from switch_app.call_properties import BillingParameters


def billing_variables(
    billing: BillingParameters, *, carrier_sid: str, account_sid: str, destination: str
) -> Mapping[str, str]:
    """Return what a call is charged by; a call that is not charged says so, since CGRateS has a default.

    Args:
        billing: how it is charged.
        carrier_sid, account_sid: who charges, and whom.
        destination: what the price depends on.

    """
    if not billing.enabled:
        return {"cgr_reqtype": "*none"}
    return {
        "cgr_tenant": carrier_sid,
        "cgr_account": account_sid,
        "cgr_category": billing.category,
        "cgr_destination": destination,
        "cgr_reqtype": f"*{billing.mode}",
    }
