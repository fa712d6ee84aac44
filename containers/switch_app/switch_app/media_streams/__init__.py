"""A call's audio to and from a WebSocket, by Twilio's Media Streams protocol. Knows no TwiML and no FreeSWITCH."""
