"""Call data records, from the files that the media server writes to the platform."""
