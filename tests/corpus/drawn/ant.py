"""ant: a project compiled, tested, packed and run, with filters, patterns, properties, macros, and a task of its own."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

BUILD = """\
<project name="garden" default="all" basedir=".">
  <description>A small garden</description>
  <property file="build.properties"/>
  <property environment="env"/>
  <property name="out" location="/volume/out"/>
  <tstamp><format property="year" pattern="yyyy" timezone="UTC"/></tstamp>
  <path id="classes"><pathelement location="${out}/classes"/></path>

  <macrodef name="note">
    <attribute name="about"/>
    <sequential><echo file="${out}/notes.txt" append="true" encoding="UTF-8">@{about}: ${owner}&#10;</echo></sequential>
  </macrodef>

  <target name="prepare" description="Make the directories">
    <mkdir dir="${out}/classes"/>
    <copy todir="${out}/data" encoding="UTF-8">
      <fileset dir="data" includes="**/*.txt" excludes="**/old*"/>
      <filterset><filter token="OWNER" value="${owner}"/></filterset>
      <mapper type="glob" from="*.txt" to="*.out"/>
    </copy>
    <native2ascii src="data" dest="${out}/ascii" includes="*.properties" encoding="UTF-8"/>
  </target>

  <target name="compile" depends="prepare" description="Compile">
    <javac srcdir="src" destdir="${out}/classes" includeantruntime="true" encoding="UTF-8" release="17">
      <compilerarg value="-Xlint:all"/>
    </javac>
  </target>

  <target name="pack" depends="compile" description="Pack">
    <jar destfile="${out}/garden.jar" basedir="${out}/classes">
      <manifest><attribute name="Main-Class" value="garden.Main"/></manifest>
    </jar>
    <checksum file="${out}/garden.jar" algorithm="SHA-256" fileext=".sha256"/>
    <tar destfile="${out}/data.tar.gz" compression="gzip" basedir="${out}/data"/>
    <zip destfile="${out}/data.zip" basedir="${out}/data"/>
    <unzip src="${out}/data.zip" dest="${out}/again"/>
  </target>

  <target name="use" depends="pack" description="Run it">
    <taskdef name="rake" classname="garden.Rake" classpathref="classes"/>
    <rake times="3"/>
    <java jar="${out}/garden.jar" fork="true" failonerror="true" output="${out}/said.txt"><arg value="rose"/></java>
    <java classname="garden.Main" classpathref="classes" outputproperty="inner"><arg value="fern"/></java>
    <note about="inner ${inner}"/>
    <exec executable="uname" outputproperty="system" failonerror="true"/>
    <note about="system ${system}"/>
    <xslt in="data/beds.xml" out="${out}/beds.html" style="data/beds.xsl"/>
    <xmlproperty file="data/beds.xml"/>
    <note about="bed ${beds.bed}"/>
    <replaceregexp file="${out}/data/plan.out" match="size (\\d+)" replace="area \\1\\1" encoding="UTF-8"/>
    <loadfile property="plan" srcFile="${out}/data/plan.out" encoding="UTF-8"><filterchain><headfilter lines="1"/></filterchain></loadfile>
    <condition property="good"><and><available file="${out}/beds.html"/><contains string="${plan}" substring="area"/></and></condition>
    <fail unless="good"/>
    <parallel><sleep milliseconds="1"/><note about="parallel"/></parallel>
    <antcall target="called"><param name="word" value="hello"/></antcall>
    <ant antfile="part.xml" inheritall="false"/>
  </target>

  <target name="called"><note about="called ${word}"/></target>
  <target name="web">
    <get src="${url}" dest="${out}/web.json" quiet="true"/>
  </target>
  <target name="wrong"><fail message="on purpose" status="7"/></target>
  <target name="missing"><nosuchtask/></target>
  <target name="all" depends="use" description="Everything"/>
</project>
"""

FILES = {
    "/app/build.xml": BUILD,
    "/app/build.properties": "owner=Anna \\u017daba\n",
    "/app/part.xml": '<project name="part" default="go"><import file="common.xml"/><target name="go" depends="shared"/></project>\n',
    "/app/common.xml": '<project><target name="shared"><echo file="/volume/out/part.txt">${ant.project.name}</echo></target></project>\n',
    "/app/data/plan.txt": "size 4 of @OWNER@\nsecond line\n",
    "/app/data/old.txt": "old\n",
    "/app/data/words.properties": "frog=žaba\n",
    "/app/data/beds.xml": "<beds><bed>ruža</bed></beds>\n",
    "/app/data/beds.xsl": '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    '<xsl:output method="html" encoding="UTF-8"/>'
    '<xsl:template match="/"><p><xsl:value-of select="beds/bed"/></p></xsl:template></xsl:stylesheet>\n',
    "/app/src/garden/Main.java": "package garden;\npublic class Main {\n  public static void main(String[] words) {\n"
    '    System.out.print("grow " + words[0]);\n  }\n}\n',
    "/app/src/garden/Rake.java": "package garden;\nimport org.apache.tools.ant.Task;\npublic class Rake extends Task {\n"
    "  private int times;\n  public void setTimes(int times) { this.times = times; }\n"
    '  @Override public void execute() { log("raked " + times * 2 + " beds"); }\n}\n',
}


def smoke(box: Box) -> None:
    built = ant(box)
    expect("BUILD SUCCESSFUL" in built.out and "[rake] raked 6 beds" in built.out, f"another report: {built.out!r}")
    results(box)
    again = ant(box, "compile")
    expect("[javac]" not in again.out, f"compiled again though nothing changed: {again.out!r}")
    questions(box)
    refusals(box)


def results(box: Box) -> None:
    """What the targets made."""
    out = box.volume / "out"
    same((out / "said.txt").read_text(), "grow rose\n", "what the jar said")
    same((out / "data/plan.out").read_text(), "area 44 of Anna Žaba\nsecond line\n", "the plan, filtered and replaced")
    same((out / "data/old.out").exists(), False, "an excluded file was copied")
    same((out / "ascii/words.properties").read_text().strip(), "frog=\\u017eaba", "ASCII")
    same((out / "beds.html").read_text().strip(), "<p>ruža</p>", "the page made by XSLT")
    wanted = ["inner grow fern", "system Linux", "bed ruža", "parallel", "called hello"]
    same((out / "notes.txt").read_text().splitlines(), [f"{line}: Anna Žaba" for line in wanted], "the notes")
    same((out / "part.txt").read_text(), "part", "what the other project wrote")
    jar = (out / "garden.jar").read_bytes()
    same((out / "garden.jar.sha256").read_text().strip(), hashlib.sha256(jar).hexdigest(), "the checksum")
    with zipfile.ZipFile(out / "garden.jar") as archive:
        names, about = archive.namelist(), archive.read("META-INF/MANIFEST.MF").decode()
    expect("garden/Rake.class" in names and "Main-Class: garden.Main" in about, f"the jar: {names} {about!r}")
    same((out / "again/plan.out").read_text(), "size 4 of Anna Žaba\nsecond line\n", "what was unpacked")


def questions(box: Box) -> None:
    """Targets, diagnostics, a log as XML, and a property given on the command line."""
    listed = ant(box, "-projecthelp").out
    expect("A small garden" in listed and "Everything" in listed, f"targets: {listed!r}")
    said = ant(box, "-diagnostics").out
    expect("Ant diagnostics report" in said and "ant.home: /usr/share/ant" in said, f"diagnostics: {said[:300]!r}")
    ant(
        box,
        "-Downer=Boris",
        "-Dword=line",
        "-logger",
        "org.apache.tools.ant.XmlLogger",
        "-logfile",
        "/volume/log.xml",
        "called",
    )
    expect('<target name="called"' in (box.volume / "log.xml").read_text(), "no log as XML")
    same((box.volume / "out/notes.txt").read_text().splitlines()[-1], "called line: Boris", "a property given")


def refusals(box: Box) -> None:
    """Failures with their place and status: a declared one, an unknown task, an error of the compiler."""
    wrong = ant(box, "wrong", code=7)
    expect("on purpose" in wrong.err and "BUILD FAILED" in wrong.err, f"another message: {wrong.err!r}")
    missing = ant(box, "missing", code=1)
    expect("failed to create task or type nosuchtask" in missing.err, f"another message: {missing.err!r}")
    (box.root / "app/src/garden/Main.java").write_text('package garden;\nclass Main { int n = "text"; }\n')
    error = ant(box, "compile", code=1)
    expect("Main.java:2: error: incompatible types" in error.out + error.err, f"another message: {error!r}")


def ant(box: Box, *words: str, code: int = 0) -> Done:
    return box.run("ant", "-f", "/app/build.xml", *words, code=code, env={"LANG": "C.UTF-8"})


APP = App(
    name="ant",
    packages=("ant", "default-jdk-headless"),
    files=FILES,
    # the build file runs a command
    entries=("cmd:ant -f /app/build.xml", "/app/", "cmd:uname"),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/share/ant/lib/ant-launcher.jar"),
        Needed(kind="program", glob="/usr/share/ant/lib/ant.jar"),
        Needed(kind="program", glob="/usr/bin/uname"),
        Needed(kind="data", glob="/usr/lib/jvm/java-17-openjdk-*/lib/ct.sym"),
        Needed(kind="library", glob="/usr/lib/jvm/java-17-openjdk-*/lib/libjimage.so"),
        Needed(kind="config", glob="/app/build.properties"),
    ),
)
