"""What the rating engine reads of a call, as channel variables.

CGRateS takes these from the channel. Nothing else of charging is here: nobody parks a call until it is authorised.
"""

from collections.abc import Mapping

from switch_app.call_properties import CallProperties


def billing_variables(properties: CallProperties, destination: str) -> Mapping[str, str]:
    """Return what a call is charged by; a call that is not charged says so, since CGRateS has a default.

    Args:
        properties: the call.
        destination: what the price depends on.

    """
    if not properties.billing.enabled:
        return {"cgr_reqtype": "*none"}
    return {
        "cgr_tenant": properties.carrier_sid,
        "cgr_account": properties.account_sid,
        "cgr_category": properties.billing.category,
        "cgr_destination": destination,
        "cgr_reqtype": f"*{properties.billing.mode}",
    }
