"""The switch app: fetches a customer's TwiML and drives each call with it."""
