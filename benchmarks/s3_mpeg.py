"""What converting a recording costs: time, CPU, memory, initialisation; each beside what it can be compared with.

The function converts recordings of speech that lie in an emulated S3, each in a new process. It is compared with

- bare ffmpeg: the same program with the same codec settings, from one file to another, no storage involved;
- the sequential way: download, `pydub.AudioSegment.from_wav`, `export` with the same settings, upload.

The emulator runs on the same machine, so what it takes is taken from the function: on two cores, the encoder has one
and everything else shares the other. The second table is closer to a function of 1769 MB, which has one core: function
and encoder are bound to one, the emulator to another.

    make bench, or python -m benchmarks.s3_mpeg [--quick] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from lambdas.s3_mpeg.ffmpeg import encode_command, ffmpeg_path
from lambdas.s3_mpeg.mp3_format import mp3_format
from lambdas.s3_mpeg.wav_format import Coding, WavFormat
from local.servers import aws_emulator, credentials, free_port
from local.speech import write_speech

ROOT = Path(__file__).resolve().parent.parent
BUCKET = "recordings"
BIT_RATE = 32_000
WAV = WavFormat(Coding.PCM, 1, 8_000, 2)
GOAL_RATIO = 1.1
GOAL_MEGABYTES = 100
READY = "import lambdas.s3_mpeg.handler"
BARE_CLIENT = "import boto3; boto3.client('s3')"
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
WAYS = {"function": "this function", "bare": "bare ffmpeg, file to file", "sequential": "download, pydub, upload"}


@dataclass(frozen=True)
class Cost:
    """What one conversion cost: seconds of wall and CPU time, and the most memory that was resident, in MB."""

    wall: float
    cpu: float
    peak: float
    encoder_peak: float


def convert_here(way: str, name: str, directory: str, core: str) -> None:
    """Do one conversion in this process, and print what it cost."""
    if core:
        os.sched_setaffinity(0, {int(core)})
    work = {"function": _function, "sequential": _sequential, "bare": _bare}[way](name, Path(directory))
    before, began = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    print("\n" + json.dumps({"wall": wall, "cpu": cpu, "peak": _peak_megabytes("self")}))


def _function(name: str, _: Path) -> Callable[[], None]:
    from lambdas.s3_mpeg.handler import handler

    etag = boto3.client("s3").head_object(Bucket=BUCKET, Key=name)["ETag"].strip('"')
    item = {"key": name, "eTag": etag}
    event = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": item}}]}
    context = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: 900_000)
    return lambda: handler(event, context)


def _sequential(name: str, directory: Path) -> Callable[[], None]:
    os.environ["PATH"] = f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}"  # pydub looks for ffmpeg there
    from pydub import AudioSegment

    s3 = boto3.client("s3")
    source, result = directory / f"downloaded-{name}", directory / f"exported-{name}.mp3"

    def work() -> None:
        s3.download_file(BUCKET, name, str(source))
        segment = AudioSegment.from_wav(str(source))
        settings = _codec_options()
        segment.export(str(result), format="mp3", parameters=settings[settings.index("-b:a") :])
        s3.upload_file(str(result), BUCKET, name.replace(".wav", ".mp3"), ExtraArgs={"ContentType": "audio/mpeg"})

    return work


def _bare(name: str, directory: Path) -> Callable[[], None]:
    command = [str(ffmpeg_path()), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-i", str(directory / name), *_codec_options(), str(directory / f"bare-{name}.mp3")]

    def work() -> None:
        subprocess.run(command, check=True)

    return work


def _codec_options() -> list[str]:
    """Return the function's own options from the codec to the muxer."""
    command = encode_command(mp3_format(WAV, BIT_RATE))
    return command[command.index("-codec:a") : -1]


def _peak_megabytes(process: str | int) -> float:
    """Return the most memory that a process has had resident, as the kernel keeps it; 0 once the process is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0


class Laboratory:
    """A directory with recordings, and an emulated S3 with the same."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self._environment = environment | {"PYTHONPATH": str(ROOT)}
        self._s3 = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name="ap-southeast-1")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
        (directory / "bin").mkdir()
        (directory / "bin" / "ffmpeg").symlink_to(ffmpeg_path())

    def record(self, seconds: int) -> str:
        """Put a recording of so many seconds into the directory and the bucket; return its name there."""
        minute, path = self.directory / "minute.wav", self.directory / f"{seconds}.wav"
        if not minute.exists():
            write_speech(minute, 60)
        with wave.open(str(minute)) as once, wave.open(str(path), "wb") as out:
            out.setparams(once.getparams())
            samples = once.readframes(once.getnframes())
            for _ in range(seconds // 60):
                out.writeframesraw(samples)
        self._s3.upload_file(str(path), BUCKET, path.name)
        return path.name

    def convert(self, way: str, name: str, *, core: str = "", watch: bool = False) -> Cost:
        """Convert a recording in a new process; `watch` its encoder's memory too, which takes some time itself."""
        self._s3.delete_object(Bucket=BUCKET, Key=name.replace(".wav", ".mp3"))
        command = [sys.executable, "-m", "benchmarks.s3_mpeg", "--here", way, name, str(self.directory), core]
        encoder_peak = 0.0
        with tempfile.TemporaryFile("w+") as out:
            with subprocess.Popen(command, env=self._environment, cwd=ROOT, stdout=out) as process:
                while watch and process.poll() is None:
                    encoder_peak = max([encoder_peak, *map(_peak_megabytes, _encoders_of(process.pid))])
                    time.sleep(0.003)
            out.seek(0)
            lines = out.read().splitlines()
        if process.returncode:
            raise SystemExit(f"{way} failed on {name}:\n" + "\n".join(lines[-20:]))
        return Cost(encoder_peak=encoder_peak, **json.loads(lines[-1]))

    def bare_python_megabytes(self) -> float:
        """Return what an interpreter with nothing imported has resident."""
        code = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        return int(self._python(code)) / 1024

    def seconds_of(self, code: str) -> float:
        """Return how long a statement takes in a new interpreter."""
        return float(self._python(TIMED.format(code)))

    def _python(self, code: str) -> str:
        environment = self._environment | {"AWS_LAMBDA_FUNCTION_NAME": "s3_mpeg"}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _encoders_of(pid: int) -> Iterator[int]:
    """Yield the children of a process that have become ffmpeg; before that they are a copy of their parent."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                if Path(f"/proc/{child}/comm").read_text().startswith("ffmpeg"):
                    yield int(child)
        except OSError:
            continue


@contextmanager
def laboratory() -> Iterator[tuple[Laboratory, int]]:
    """Start an emulator on a free port; yield the laboratory and the emulator's process; end and remove all of it."""
    with tempfile.TemporaryDirectory(prefix="s3-mpeg-") as name:
        directory, port = Path(name), free_port()
        own = credentials() | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "POWERTOOLS_SERVICE_NAME": "S3Mpeg"}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        os.environ.update(credentials())
        emulator = aws_emulator(directory, port)
        try:
            identity = emulator.start()
            emulator.wait_until_ready(60)
            yield Laboratory(directory, kept | own), identity.pid
        finally:
            emulator.stop()


def bind(pid: int, cores: set[int]) -> None:
    """Bind every thread of a process to these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def times(lab: Laboratory, name: str, rounds: int, *, core: str = "") -> float:
    """Print how long each way takes; return the function's time as a ratio to bare ffmpeg's."""
    costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for _ in range(rounds):  # in turn, so that what else the machine does disturbs all of them alike
        for way in WAYS:
            costs[way].append(lab.convert(way, name, core=core))
    bare = statistics.median(cost.wall for cost in costs["bare"])
    print(f"  {'':28}{'wall s':>8}{'from':>7}{'to':>7}{'CPU s':>8}{'/ bare ffmpeg':>15}")
    for way, label in WAYS.items():
        walls = [cost.wall for cost in costs[way]]
        cpu = statistics.median(cost.cpu for cost in costs[way])
        wall = statistics.median(walls)
        print(f"  {label:28}{wall:8.2f}{min(walls):7.2f}{max(walls):7.2f}{cpu:8.2f}{wall / bare:15.2f}")
    function = statistics.median(cost.wall for cost in costs["function"])
    sequential = statistics.median(cost.wall for cost in costs["sequential"])
    print(f"  function / sequential: {function / sequential:.2f}")
    return function / bare


def memory(lab: Laboratory, names: dict[str, str]) -> None:
    """Print the peak of resident memory for recordings of several lengths."""
    runtime = lab.bare_python_megabytes()
    print(f"\nPeak resident memory, MB; a bare interpreter has {runtime:.0f}")
    print(f"  {'':10}{'function':>10}{'+ ffmpeg':>10}{'above bare':>12}{'sequential':>16}{'function / sequential':>24}")
    above = []
    for length, name in names.items():
        ours, theirs = lab.convert("function", name, watch=True), lab.convert("sequential", name, watch=True)
        both, other = ours.peak + ours.encoder_peak, theirs.peak + theirs.encoder_peak
        above.append(both - runtime)
        print(
            f"  {length:10}{ours.peak:10.0f}{ours.encoder_peak:10.0f}{above[-1]:12.0f}{other:16.0f}{both / other:24.2f}"
        )
    print(f"  goal: under {GOAL_MEGABYTES} above bare: {_verdict(max(above) < GOAL_MEGABYTES)}; ", end="")
    print(f"flat: the longest has {above[-1] - above[0]:+.0f} MB beside the shortest")


def initialisation(lab: Laboratory, samples: int) -> None:
    """Print how long it takes until the function is ready for its first event."""
    lab.seconds_of(READY)  # writes byte code and warms the disk
    pairs = [(lab.seconds_of(READY) * 1000, lab.seconds_of(BARE_CLIENT) * 1000) for _ in range(samples)]
    ready, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"\nInitialisation, median of {samples}")
    print(f"  import to ready              {ready:6.0f} ms")
    print(f"  boto3 with an S3 client      {bare:6.0f} ms   ratio {ready / bare:.2f}")


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="ten minutes instead of an hour, one instead of six")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", nargs=4, help=argparse.SUPPRESS)
    arguments: Any = parser.parse_args()
    if arguments.here:
        convert_here(*arguments.here)
        return
    hour = 600 if arguments.quick else 3600
    lengths = {"1 min": 60, "10 min": 600, "1 h": 3600} if arguments.quick else {"1 min": 60, "1 h": 3600, "6 h": 21600}
    cores = sorted(os.sched_getaffinity(0))
    with laboratory() as (lab, emulator):
        names = {length: lab.record(seconds) for length, seconds in lengths.items()}
        name = names["10 min" if arguments.quick else "1 h"]
        print(f"{hour // 60} minutes of 8 kHz mono to {BIT_RATE // 1000} kbit/s, median of {arguments.rounds}")
        print(f"\nWhole machine ({len(cores)} cores, the emulator's work among theirs)")
        ratio = times(lab, name, arguments.rounds)
        print(f"  goal: at most {GOAL_RATIO} of bare ffmpeg: {_verdict(ratio <= GOAL_RATIO)}")
        if len(cores) > 1:
            print("\nOne core for function and encoder, as 1769 MB of Lambda have; the emulator on another")
            bind(emulator, {cores[1]})
            times(lab, name, arguments.rounds, core=str(cores[0]))
            bind(emulator, set(cores))
        memory(lab, names)
        initialisation(lab, 3 if arguments.quick else 11)


if __name__ == "__main__":
    main()
