"""The S3 MPEG function: every WAV that lands in the recordings bucket becomes an MP3 beside it."""
