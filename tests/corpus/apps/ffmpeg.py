"""ffmpeg: encoding, filters and probing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box


def smoke(box: Box) -> None:
    quiet = ("ffmpeg", "-nostdin", "-loglevel", "error")
    picture = (
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=320x240:rate=25:duration=2",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:duration=2",
    )
    box.run(*quiet, *picture, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "/volume/a.mp4")
    same(probe(box, "/volume/a.mp4"), {("h264", 320, 240), ("aac", None, None)}, "streams of the first film")
    box.run(
        *quiet, "-i", "/volume/a.mp4", "-vf", "scale=160:-2", "-c:v", "libvpx-vp9", "-c:a", "libopus", "/volume/b.webm"
    )
    same(probe(box, "/volume/b.webm"), {("vp9", 160, 120), ("opus", None, None)}, "streams of the second film")
    text = "drawtext=text=corpus:fontsize=40:fontcolor=white:x=20:y=20"
    frame = ("-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    black = ("-f", "lavfi", "-i", "color=black:size=200x80")
    drawn = box.run(*quiet, *black, "-vf", text, *frame).raw
    expect(
        len(drawn) == 200 * 80 and 200 < sum(value > 128 for value in drawn) < 6000, f"no letters in {len(drawn)} bytes"
    )
    box.run(*quiet, "-i", "/volume/a.mp4", "-vn", "-c:a", "libmp3lame", "/volume/c.mp3")
    same(probe(box, "/volume/c.mp3"), {("mp3", None, None)}, "streams of the sound file")
    refused = box.run(*quiet, "-i", "/volume/absent.mp4", "/volume/d.mp4", code=None)
    expect(refused.code != 0 and "No such file" in refused.err, f"another error: {refused.err!r}")


def probe(box: Box, path: str) -> set[tuple[str, int | None, int | None]]:
    """Codec, width and height of every stream of a file, as ffprobe sees them."""
    said = json.loads(box.run("ffprobe", "-v", "error", "-show_streams", "-of", "json", path).out)
    return {(stream["codec_name"], stream.get("width"), stream.get("height")) for stream in said["streams"]}


APP = App(
    name="ffmpeg",
    packages=("ffmpeg",),
    entries=("/usr/bin/ffmpeg", "/usr/bin/ffprobe"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libx264.so.*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libavfilter.so.8*"),
        Needed(kind="data", glob="/usr/share/fonts/truetype/dejavu"),
    ),
    s3_mb=283.1,
    fat_mb=655.1,
)
