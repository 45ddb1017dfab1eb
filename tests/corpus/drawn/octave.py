"""octave: a program of its user's with functions beside it, over the numerics, the formats and the network."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import NAMES, Catalogue
from tests.corpus.roots import authority
from tests.corpus.sandbox import HOST

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box

MAIN = r"""
addpath([fileparts(mfilename("fullpath")) "/lib"]);
given = argv();
folder = given{1};
r = struct();

% linear algebra, dense and sparse
A = [4 1 0; 1 3 1; 0 1 2];
r.solution = (A \ [1; 2; 3])';
r.eigen = sort(eig(A))';
[U, S, V] = svd(hilb(4));
r.svd = norm(U * S * V' - hilb(4)) < 1e-12;
B = spdiags([-ones(50, 1) 2 * ones(50, 1) -ones(50, 1)], -1:1, 50, 50);
r.sparse = norm(B * (B \ ones(50, 1)) - 1) < 1e-9;
[L, U, P, Q] = lu(B);
r.umfpack = norm(L * U - P * B * Q, 1) < 1e-12;
r.cholesky = norm(full(chol(B)' * chol(B) - B)) < 1e-12;
r.eigs = round(eigs(B, 1, "sm") * 1e6) / 1e6;

% functions of the standard library
r.fft = round(abs(fft([1 0 0 0 1])) * 1000) / 1000;
r.root = round(fzero(@(x) cos(x) - x, [0 1]) * 1e6) / 1e6;
r.integral = round(quadgk(@(x) exp(-x .^ 2), -Inf, Inf) * 1e6) / 1e6;
[t, y] = ode45(@(t, y) -y, [0 1], 1, odeset("RelTol", 1e-8));
r.ode = round(y(end) * 1e6) / 1e6;
r.poly = polyfit(1:5, (1:5) .^ 2, 2)(1);
r.interp = interp1([1 2 3], [10 20 30], 2.5);
r.minimum = round(fminsearch(@(x) (x(1) - 2) ^ 2 + (x(2) + 1) ^ 2, [0 0], optimset("TolX", 1e-8, "TolFun", 1e-10)) * 100) / 100;
r.glpk = glpk([10; 6; 4], [1 1 1; 10 4 5; 2 2 6], [100; 600; 300], [0; 0; 0], [], "UUU", "CCC", -1)';
r.triangles = rows(delaunay([0 1 0 1], [0 0 1 1]));
r.hull = numel(convhull([0 1 0 1 0.5], [0 0 1 1 0.5])) - 1;
r.median = median(sort([5 3 8 1]));
r.primes = primes(20);

% text, dates, containers, classes, errors
r.words = strjoin(upper(ostrsplit("a,b,c", ",")), "-");
[~, ~, ~, ~, names] = regexp("key=value", '(\w+)=(\w+)');
r.regexp = names{1};
r.date = datestr(datenum(2024, 7, 1, 12, 0, 0), "yyyy-mm-dd HH:MM");
setenv("TZ", "Europe/Bratislava");
r.noon = strftime("%H:%M", localtime(1719828000));
m = containers.Map({"one", "two"}, [1 2]);
r.map = m("two");
r.hash = hash("sha256", "octave");
p = inputParser;
p.addParameter("size", 3);
p.parse("size", 7);
r.parser = p.Results.size;
r.own = garden_area(3, 4);
try
  undefined_thing(1);
catch problem
  r.problem = problem.identifier;
end_try_catch
r.evaluated = evalc("disp(pi)");
r.typecast = class(int8(100) + 100);

% formats
x = magic(4);
for format = {"-text", "-binary", "-hdf5", "-v7", "-zip"}
  file = [folder "/saved" format{1}];
  save(format{1}, file, "x");
  back = load(file);
  r.formats.(["f" strrep(format{1}, "-", "_")]) = isequal(back.x, x);
endfor
csvwrite([folder "/table.csv"], x);
r.csv = isequal(csvread([folder "/table.csv"]), x);
tone = sin(2 * pi * 440 * (0:7999)' / 8000);
audiowrite([folder "/tone.flac"], tone, 8000);
[heard, rate] = audioread([folder "/tone.flac"]);
r.audio = [rate, max(abs(heard - tone)) < 1e-3];
picture = uint8(repmat(0:63, 64, 1) * 4);
imwrite(picture, [folder "/picture.png"]);
r.image = isequal(imread([folder "/picture.png"]), picture);
r.json = jsondecode('{"a": [1, 2, {"b": null}]}').a{2};
gzip([folder "/table.csv"]);
gunzip([folder "/table.csv.gz"], [folder "/back"]);
r.gzip = isequal(csvread([folder "/back/table.csv"]), x);
r.web = jsondecode(urlread(given{2})).items;
[~, ok] = urlread(strrep(given{2}, "items", "absent"));
r.absent = ok;
puts([jsonencode(r) "\n"]);
"""

AREA = """\
## garden_area (A, B)
## The area of a garden of A by B metres.
function area = garden_area (a, b)
  area = a * b;
endfunction

%!assert (garden_area (2, 3), 6)
"""

EXPECTED = {
    "svd": True, "sparse": True, "umfpack": True, "cholesky": True, "eigs": 0.003793,
    "fft": [2, 1.618, 0.618, 0.618, 1.618], "root": 0.739085, "integral": 1.772454, "ode": 0.367879, "interp": 25,
    "minimum": [2, -1], "triangles": 2, "hull": 4, "median": 4, "primes": [2, 3, 5, 7, 11, 13, 17, 19],
    "words": "A-B-C", "regexp": ["key", "value"], "date": "2024-07-01 12:00", "noon": "12:00", "map": 2, "parser": 7,
    "own": 12, "problem": "Octave:undefined-function", "evaluated": "3.1416\n", "typecast": "int8",
    "formats": dict.fromkeys(("f_text", "f_binary", "f_hdf5", "f_v7", "f_zip"), True), "csv": True, "audio": [8000, 1],
    "image": True, "json": 2, "gzip": True, "web": list(NAMES), "absent": False,
    "hash": hashlib.sha256(b"octave").hexdigest(),
}  # fmt: skip


def smoke(box: Box) -> None:
    with box.serve(Catalogue, 9443, tls=authority()):
        command = ("octave-cli", "--quiet", "/app/main.m", "/volume", f"https://{HOST}:9443/items")
        said = json.loads(box.run(*command, env={"LC_ALL": "C.UTF-8"}, timeout=180).out)
    for name, wanted in EXPECTED.items():
        same(said[name], wanted, name)
    same([round(part, 4) for part in said["glpk"]], [33.3333, 66.6667, 0], "the optimum of a linear programme")
    same([round(part, 4) for part in said["eigen"]], [1.2679, 3, 4.7321], "eigenvalues")
    same([round(part, 4) for part in said["solution"]], [0.2222, 0.1111, 1.4444], "solution of a linear system")
    expect(abs(said["poly"] - 1) < 1e-9, f"leading coefficient of the fit: {said['poly']}")
    same(octave(box, "test garden_area").strip(), "PASSES 1 out of 1 test", "the user's own test")
    expect("The area of a garden" in octave(box, "help garden_area"), "no help for the user's function")
    same(octave(box, "disp(exist('quadgk')); which quadgk").split()[0], "2", "a function file")
    wrong = box.run("octave-cli", "--eval", "x = [1 2; 3", code=1)
    expect("parse error" in wrong.err, f"a mistake in the syntax got another message: {wrong.err!r}")


def octave(box: Box, text: str) -> str:
    """What octave prints for an expression, the user's functions on the path."""
    return box.run("octave-cli", "--quiet", "--path", "/app/lib", "--eval", text, env={"LC_ALL": "C.UTF-8"}).out


APP = App(
    name="octave",
    packages=("octave",),
    files={"/app/main.m": MAIN, "/app/lib/garden_area.m": AREA},
    entries=("cmd:octave-cli /app/main.m", "/app/"),
    smoke=smoke,
    needed=(
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libfftw3.so.3*"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/lapack"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/octave/7.3.0/oct/*/audioread.oct"),
        Needed(kind="plugin", glob="/usr/lib/*-linux-gnu/octave/7.3.0/oct/*/__delaunayn__.oct"),
        Needed(kind="program", glob="/usr/share/octave/7.3.0/m/general/quadgk.m"),
        Needed(kind="data", glob="/usr/share/zoneinfo/Europe/Bratislava"),
        Needed(kind="state", glob="/etc/ssl/certs"),
    ),
)
