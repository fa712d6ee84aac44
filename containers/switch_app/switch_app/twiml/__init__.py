"""TwiML as text: documents, elements and attributes. Knows no call and no network."""
