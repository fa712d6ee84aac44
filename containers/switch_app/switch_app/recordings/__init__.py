"""Recordings, from the disk that the media server writes them to into the bucket, and to the platform."""
