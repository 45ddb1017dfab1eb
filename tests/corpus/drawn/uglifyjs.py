"""uglifyjs: scripts compressed, mangled, beautified, joined with a source map, parsed, and built from a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

FIRST = """\
/* @license MIT: keep this */
/* a remark */
const DEBUG = typeof FLAG !== 'undefined' && FLAG;
function area(width, height) {
    if (DEBUG) { console.log('never'); }
    var unused = 5;
    return width * height * (60 * 60);
}
module.exports = area;
"""
SECOND = """\
class Frog {
    constructor(name) { this.name_ = name; this.greeting = 'žaba'; }
    async speak(...words) { const { length } = words; return `${this.greeting} ${this.name_} ${length ?? 0}`; }
}
new Frog('kvak').speak(1, 2).then((said) => console.log(said));
"""
BUILD = """\
const uglify = require('uglify-js');
const fs = require('fs');
const made = uglify.minify({ 'a.js': fs.readFileSync('/app/first.js', 'utf8') },
  { compress: { global_defs: { FLAG: false } }, mangle: { toplevel: true }, sourceMap: { url: 'a.js.map' } });
if (made.error) throw made.error;
const bad = uglify.minify('var = 1;');
process.stdout.write(JSON.stringify({ code: made.code, sources: JSON.parse(made.map).sources, error: bad.error.message }));
"""


def smoke(box: Box) -> None:
    small(box)
    maps(box)
    forms(box)
    refusals(box)


def small(box: Box) -> None:
    """Compressed and mangled scripts are small, keep what they must, and do the same."""
    made = uglify(box, "/app/first.js", "--compress", "toplevel", "--mangle", "--define", "FLAG=false").out
    expect("3600" in made and "never" not in made and "unused" not in made, f"not compressed: {made!r}")
    kept = uglify(box, "/app/first.js", "--comments").out
    expect("@license MIT" in kept and "a remark" not in kept, f"remarks: {kept!r}")
    (box.volume / "first.js").write_text(made)
    same(node(box, "console.log(require('/volume/first.js')(2, 3))"), "21600\n", "what the small script does")
    uglify(
        box,
        "/app/second.js",
        "-c",
        "passes=2",
        "-m",
        "--mangle-props",
        "regex=/_$/",
        "--toplevel",
        "-o",
        "/volume/second.js",
    )
    second = (box.volume / "second.js").read_text()
    expect("name_" not in second and "greeting" in second, f"names of properties: {second!r}")
    same(box.run("node", "/volume/second.js").out, "žaba kvak 2\n", "what the second script does")
    piped = uglify(box, "--compress", stdin=b"console.log(1 + 2 + 'x');").out
    same(piped, 'console.log("3x");\n', "a script of a pipe")
    ascii_only = uglify(box, "/app/second.js", "-b", "ascii_only=true,beautify=false").out
    expect("\\u017eaba" in ascii_only and ascii_only.isascii(), f"not ASCII: {ascii_only!r}")


def maps(box: Box) -> None:
    """Two scripts joined with a map of their places, and a cache that keeps names the same between runs."""
    uglify(box, "/app/first.js", "/app/second.js", "-m", "-c", "-o", "/volume/all.js",
           "--source-map", "url=all.js.map,root='https://service.test/',includeSources")  # fmt: skip
    found = json.loads((box.volume / "all.js.map").read_text())
    same(found["sources"], ["/app/first.js", "/app/second.js"], "sources of the map")
    same(
        (found["version"], found["sourceRoot"], found["sourcesContent"][1]),
        (3, "https://service.test/", SECOND),
        "the map",
    )
    expect(
        "area" in found["names"] and ";" not in found["mappings"][:1] and len(found["mappings"]) > 200, f"map: {found}"
    )
    expect("//# sourceMappingURL=all.js.map" in (box.volume / "all.js").read_text(), "the script does not name its map")
    for name in ("first", "second"):
        uglify(
            box,
            f"/app/{name}.js",
            "--mangle",
            "--toplevel",
            "--name-cache",
            "/volume/names.json",
            "-o",
            f"/volume/{name}.min.js",
        )
    names = json.loads((box.volume / "names.json").read_text())["vars"]["props"]
    expect({"$area", "$Frog", "$DEBUG"} <= set(names), f"names kept: {names}")
    same(len(set(names.values())), len(names), "every name is kept once")


def forms(box: Box) -> None:
    """Beautified, as a tree, wrapped, with its own options listed, and by a program that requires the module."""
    pretty = uglify(box, "--beautify", "indent_level=2,quote_style=1", stdin=b'function f(a){if(a){return "x"}}').out
    same(pretty, "function f(a) {\n  if (a) {\n    return 'x';\n  }\n}\n", "the beautified script")
    tree = json.loads(uglify(box, "--output", "ast", stdin=b"var a = 1;").out)
    same((tree["_class"], tree["body"][0]["_class"]), ("AST_Toplevel", "AST_Var"), "the tree")
    spider = json.loads(uglify(box, "--output", "spidermonkey", stdin=b"var a = 1;").out)
    same((spider["type"], spider["body"][0]["type"]), ("Program", "VariableDeclaration"), "the tree of ESTree")
    back = uglify(box, "-p", "spidermonkey", stdin=json.dumps(spider).encode()).out
    same(back, "var a=1;\n", "the script of that tree")
    expect("drop_debugger" in uglify(box, "--help", "options").out, "no options")
    expect("function(exports){" in uglify(box, "/app/first.js", "--wrap", "garden").out, "not wrapped")
    tested = uglify(box, "--self", "--compress", "--mangle", "--wrap", "U").out
    expect(len(tested) > 100_000 and "minify" in tested, f"itself: {len(tested)}")
    made = json.loads(box.run("node", "/app/build.js").out)
    expect(made["code"].endswith("//# sourceMappingURL=a.js.map") and "3600" in made["code"], f"built: {made}")
    same((made["sources"], made["error"]), (["a.js"], "Name expected"), "built")


def refusals(box: Box) -> None:
    """A mistake is shown with its line; unknown files and options are named."""
    (box.volume / "bad.js").write_text("var a = 1;\nfunction ( {\n")
    bad = uglify(box, "/volume/bad.js", code=1).err
    expect("Parse error at /volume/bad.js:2,9" in bad and "function ( {" in bad, f"another message: {bad!r}")
    expect("no such file" in uglify(box, "/volume/absent.js", code=1).err, "an absent file")
    wrong = uglify(box, "--compress", "nonsense=1", stdin=b"1", code=1).err
    expect("`nonsense` is not a supported option" in wrong, f"another message: {wrong!r}")


def node(box: Box, program: str) -> str:
    return box.run("node", "-e", program).out


def uglify(box: Box, *words: str, code: int = 0, stdin: bytes = b"") -> Done:
    return box.run("uglifyjs", *words, code=code, stdin=stdin)


APP = App(
    name="uglifyjs",
    packages=("uglifyjs",),
    files={"/app/first.js": FIRST, "/app/second.js": SECOND, "/app/build.js": BUILD},
    entries=("cmd:uglifyjs", "cmd:node /app/build.js", "/app/"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/share/nodejs/uglify-js/lib/mozilla-ast.js"),
        Needed(kind="program", glob="/usr/share/nodejs/uglify-js/lib/sourcemap.js"),
        Needed(kind="data", glob="/usr/share/nodejs/uglify-js/tools/domprops.json"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libnode.so.108"),
    ),
)
