"""sbcl: a script with modules of the distribution and a system of its own, compiling, an image, and the listener."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same
from tests.corpus.peers import Catalogue

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

MAIN = r"""(require :asdf)
(require :sb-posix)
(require :sb-md5)
(require :sb-bsd-sockets)
(require :sb-concurrency)
(asdf:load-asd #p"/app/garden.asd")
(handler-bind ((warning #'muffle-warning))
  (let ((*standard-output* (make-broadcast-stream))) (asdf:load-system :garden)))

(defun ask (port)
  (let ((socket (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp)))
    (sb-bsd-sockets:socket-connect
      socket (sb-bsd-sockets:host-ent-address (sb-bsd-sockets:get-host-by-name "service.test")) port)
    (with-open-stream (stream (sb-bsd-sockets:socket-make-stream socket :input t :output t :external-format :utf-8))
      (format stream "GET /items HTTP/1.0~C~C~C~C" #\Return #\Newline #\Return #\Newline)
      (finish-output stream)
      (loop for line = (read-line stream nil) while line finally (return last) for last = line))))

(let ((words (cdr sb-ext:*posix-argv*)))
  (format t "arguments ~{~A~^,~}~%" words)
  (format t "upper ~A~%" (string-upcase "žaba čaj"))
  (format t "big ~D~%" (expt 3 100))
  (format t "ratio ~A~%" (/ 6 4))
  (format t "roman ~@R ~R~%" 1984 42)
  (format t "md5 ~(~{~2,'0X~}~)~%" (coerce (sb-md5:md5sum-string "žaba" :external-format :utf-8) 'list))
  (format t "user ~A~%" (sb-posix:passwd-name (sb-posix:getpwuid 33)))
  (format t "garden ~A~%" (garden:grow "rose" 3))
  (format t "web ~A~%" (ask 9080))
  (let ((box (sb-concurrency:make-mailbox)))
    (dolist (thread (loop for n from 1 to 4 collect
                      (let ((n n)) (sb-thread:make-thread (lambda () (sb-concurrency:send-message box (* n n)))))))
      (sb-thread:join-thread thread))
    (format t "threads ~A~%" (reduce #'+ (sb-concurrency:receive-pending-messages box))))
  (format t "external ~A"
    (with-output-to-string (out) (sb-ext:run-program "/usr/bin/tr" '("a-z" "A-Z") :output out
                                   :input (make-string-input-stream (format nil "tulip~%")))))
  (format t "condition ~A~%" (handler-case (/ 1 (parse-integer "0")) (division-by-zero () "caught")))
  (with-open-file (out "/volume/latin2.txt" :direction :output :external-format :iso-8859-2) (write-string "ľ" out)))
"""

FILES = {
    "/app/main.lisp": MAIN,
    "/app/garden.asd": '(defsystem "garden" :version "1.2" :depends-on ("sb-rotate-byte") :serial t\n'
    ' :components ((:file "package") (:file "grow")))\n',
    "/app/package.lisp": "(defpackage :garden (:use :cl) (:export #:grow))\n",
    "/app/grow.lisp": "(in-package :garden)\n(defmacro twice (form) `(list ,form ,form))\n"
    '(defun grow (name n) (format nil "~{~A~^ ~} ~D" (twice name) (sb-rotate-byte:rotate-byte 2 (byte 8 0) n)))\n',
    "/etc/sbclrc": ';;; the site\'s own\n(defparameter cl-user::*site* "corpus")\n',
}


def smoke(box: Box) -> None:
    script(box)
    compiled(box)
    listener(box)


def script(box: Box) -> None:
    """The script's results: numbers, text, modules, a system, the network, threads, a program, and conditions."""
    with box.serve(Catalogue, 9080):
        said = sbcl(box, "--script", "/app/main.lisp", "one", "two").out
    found = dict(line.split(" ", 1) for line in said.splitlines())
    wanted = {
        "arguments": "one,two", "upper": "ŽABA ČAJ", "big": str(3**100), "ratio": "3/2",
        "roman": "MCMLXXXIV forty-two", "md5": hashlib.md5("žaba".encode()).hexdigest(), "user": "www-data",
        "garden": "rose rose 12", "web": '{"items": ["žaba", "čaj", "jablko", "chlieb"]}', "threads": "30",
        "external": "TULIP", "condition": "caught",
    }  # fmt: skip
    for name, text in wanted.items():
        same(found.get(name), text, name)
    same((box.volume / "latin2.txt").read_bytes(), "ľ".encode("iso-8859-2"), "a letter in another encoding")
    cache = list((box.root / "root/.cache/common-lisp").rglob("grow.fasl"))
    same(len(cache), 1, "the system's compiled file is kept")


def compiled(box: Box) -> None:
    """A file compiled and loaded, and an image saved that is a program of its own."""
    (box.volume / "plus.lisp").write_text(
        '(defun plus (a b) (declare (fixnum a b)) (+ a b))\n(format t "plus ~D~%" (plus 40 2))\n'
    )
    sbcl(box, "--noinform", "--non-interactive", "--eval", '(compile-file "/volume/plus.lisp")')
    same(sbcl(box, "--script", "/volume/plus.fasl").out, "plus 42\n", "the compiled file")
    shown = sbcl(box, "--noinform", "--non-interactive", "--eval", "(disassemble (lambda (x) (car x)))").out
    expect("; disassembly for (LAMBDA (X))" in shown, f"no disassembly: {shown!r}")
    save = '(save-lisp-and-die "/volume/program" :executable t :toplevel (lambda () (format t "image ~D~%" (plus 1 2)) (exit :code 5)))'
    sbcl(box, "--noinform", "--non-interactive", "--load", "/volume/plus.fasl", "--eval", save)
    same(box.run("/volume/program", code=5).out, "image 3\n", "the program")


def listener(box: Box) -> None:
    """Forms from standard input, the site's start file, a restart chosen in the debugger, and a report of a mistake."""
    forms = b"(+ 1 2)\n*site*\n(loop for n below 3 collect (* n n))\n(documentation 'car 'function)\n(car 5)\n0\n"
    done = sbcl(box, "--noinform", stdin=forms)
    said = done.out + done.err
    for text in (
        "* 3\n",
        '"corpus"',
        "debugger invoked on a TYPE-ERROR",
        "(0 1 4)",
        '"Return the 1st object in a list.',
    ):
        expect(text in said, f"the listener lacks {text!r}: {said!r}")
    wrong = sbcl(box, "--non-interactive", "--no-userinit", "--eval", '(error "on purpose ~D" 7)', code=1)
    expect("on purpose 7" in wrong.err and "Backtrace for" in wrong.err, f"another report: {wrong.err!r}")
    expect("SBCL 2.2.9" in sbcl(box, "--version").out, "another version")


def sbcl(box: Box, *words: str, code: int = 0, stdin: bytes = b"") -> Done:
    return box.run("sbcl", *words, code=code, stdin=stdin, env={"LANG": "C.UTF-8"})


APP = App(
    name="sbcl",
    packages=("sbcl",),
    files=FILES,
    # the script runs a command
    entries=("cmd:sbcl --script /app/main.lisp", "/app/", "cmd:tr"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/lib/sbcl/sbcl.core"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libzstd.so.1*"),
        Needed(kind="plugin", glob="/usr/lib/sbcl/contrib/asdf.fasl"),
        Needed(kind="plugin", glob="/usr/lib/sbcl/contrib/sb-rotate-byte.fasl"),
        Needed(kind="config", glob="/etc/sbclrc"),
        Needed(kind="program", glob="/usr/bin/tr"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
)
