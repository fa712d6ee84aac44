import io
import json

import pytest

from switch_app.metrics import Metrics


def test_writes_what_was_counted_and_how_things_are() -> None:
    stream = io.StringIO()
    calls = 3
    metrics = Metrics("switch", {"LiveCalls": lambda: calls}, 60, stream, lambda: 1_700_000_000.5)
    metrics.count("RecordingLost")
    metrics.count("RecordingLost")
    metrics.write()
    calls = 0
    metrics.write()
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["LiveCalls"], first["RecordingLost"], first["ServiceName"]) == (3, 2, "switch")
    (directive,) = first["_aws"]["CloudWatchMetrics"]
    assert first["_aws"]["Timestamp"] == 1_700_000_000_500
    assert (directive["Namespace"], directive["Dimensions"]) == ("SomlengSWITCH", [["ServiceName"]])
    assert {metric["Name"] for metric in directive["Metrics"]} == {"LiveCalls", "RecordingLost"}
    assert second["LiveCalls"] == 0
    assert "RecordingLost" not in second


def test_a_metric_that_nobody_knows_is_not_counted() -> None:
    with pytest.raises(ValueError, match="RecordingLots"):
        Metrics("switch", {}, 60).count("RecordingLots")
