"""FreeSWITCH's side: its event socket, and calls and telephony made of it. Knows no TwiML."""
