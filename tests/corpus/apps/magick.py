"""ImageMagick: conversions between the formats that web sites use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.assets import png
from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box


def smoke(box: Box) -> None:
    (box.volume / "sky.png").write_bytes(png(320, 240))
    for kind in ("jpg", "webp", "tif", "gif", "png"):
        box.run("convert", "/volume/sky.png", "-resize", "50%", f"/volume/small.{kind}")
    for kind, name in (("jpg", "JPEG"), ("webp", "WEBP"), ("tif", "TIFF"), ("gif", "GIF"), ("png", "PNG")):
        said = box.run("identify", "-format", "%m %w %h", f"/volume/small.{kind}").out
        same(said, f"{name} 160 120", f"what identify says of a {kind} file")
    box.run("convert", "-size", "64x64", "gradient:red-blue", "-rotate", "90", "-colorspace", "Gray", "/tmp/made.png")
    same(
        box.run("convert", "/tmp/made.png", "-format", "%[channels] %k", "info:").out.split()[0],
        "gray",
        "channels of a grey picture",
    )
    pixel = box.run("convert", "/volume/small.webp", "-crop", "1x1+159+119", "-depth", "8", "rgb:-").raw
    expect(
        len(pixel) == 3 and pixel[0] > 230 and pixel[1] > 230 and 70 < pixel[2] < 120, f"another colour: {pixel.hex()}"
    )
    refused = box.run("convert", "/volume/sky.png", "/volume/sky.pdf", code=1)
    expect("security policy" in refused.err, f"Debian's policy did not hold: {refused.err!r}")
    broken = box.run("identify", "/volume/absent.png", code=1)
    expect("unable to open image" in broken.err, f"no message of ImageMagick's catalogue: {broken.err!r}")


APP = App(
    name="magick",
    packages=("imagemagick",),
    entries=("/usr/bin/convert", "/usr/bin/identify"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libMagickCore-6.Q16.so.6*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libwebp.so.7*"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/ImageMagick-6*/modules-Q16/coders/webp.so"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/ImageMagick-6*/modules-Q16/coders/jpeg.so"),
        Needed(kind="config", glob="/etc/ImageMagick-6/policy.xml"),
        Needed(kind="state", glob="/etc/alternatives/convert"),
    ),
    s3_mb=98.8,
    fat_mb=278.2,
)
