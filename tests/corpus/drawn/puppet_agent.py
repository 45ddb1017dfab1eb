"""puppet-agent: a manifest with modules, templates, data and facts applied, looked at, and refused when wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.corpus.model import App, Needed, expect, same

if TYPE_CHECKING:
    from tests.corpus.sandbox import Box, Done

CODE = "/etc/puppet/code/environments/production"

SITE = """\
node default {
  include garden
  $beds = lookup('garden::beds')
  $beds.each |String $name, Hash $bed| {
    garden::bed { $name: * => $bed }
  }
  file { '/srv/garden/link':
    ensure => link,
    target => '/srv/garden/plan.txt',
  }
  exec { 'sort the list':
    command => '/usr/bin/sort -o /srv/garden/sorted.txt /srv/garden/list.txt',
    creates => '/srv/garden/sorted.txt',
    require => File['/srv/garden/list.txt'],
  }
  notice("family ${facts['os']['family']}")
}
"""

MODULE = {
    "manifests/init.pp": """\
# A garden: its directory, its plan and its list.
class garden (
  String $owner,
  Integer[1] $size = 10,
  Optional[Sensitive[String]] $secret = Sensitive('hidden'),
) {
  file { '/srv/garden':
    ensure => directory,
    owner  => $owner,
    mode   => '0750',
  }
  file { '/srv/garden/plan.txt':
    content => epp('garden/plan.epp', { size => $size, owner => $owner }),
    owner   => $owner,
    mode    => '0640',
  }
  file { '/srv/garden/list.txt':
    content => template('garden/list.erb'),
  }
  file { '/srv/garden/logo.txt':
    source => 'puppet:///modules/garden/logo.txt',
  }
}
""",
    "manifests/bed.pp": """\
# One bed with its plants.
define garden::bed (Array[String] $plants, Boolean $frost = false) {
  file { "/srv/garden/${title}.json":
    content => garden::pretty({ 'plants' => $plants.sort, 'frost' => $frost }),
    require => File['/srv/garden'],
  }
}
""",
    "templates/plan.epp": "<%- | Integer $size, String $owner | -%>\nsize <%= $size * 2 %> of <%= $owner.upcase %>\n",
    "templates/list.erb": "<% ['pear', 'apple', @size.to_s].each do |name| -%>\n<%= name %>\n<% end -%>\n",
    "files/logo.txt": "-- žaba --\n",
    "lib/puppet/functions/garden/pretty.rb": """\
require 'json'
Puppet::Functions.create_function(:'garden::pretty') do
  dispatch :pretty do
    param 'Hash', :value
  end
  def pretty(value)
    JSON.pretty_generate(value)
  end
end
""",
    "lib/facter/soil.rb": """\
Facter.add(:soil) do
  setcode { File.exist?('/etc/soil') ? File.read('/etc/soil').strip : 'unknown' }
end
""",
}

HIERA = """\
---
version: 5
defaults:
  datadir: data
  data_hash: yaml_data
hierarchy:
  - name: soil
    path: "soil/%{facts.soil}.yaml"
  - name: common
    path: common.yaml
"""

COMMON = """\
---
garden::owner: www-data
garden::size: 4
garden::beds:
  north:
    plants: [rose, fern]
  south:
    plants: [melon]
    frost: true
lookup_options:
  garden::beds:
    merge: deep
"""

CLAY = "---\ngarden::beds:\n  south:\n    plants: [carrot]\n  west:\n    plants: [reed]\n"

FILES = {
    f"{CODE}/manifests/site.pp": SITE,
    f"{CODE}/hiera.yaml": HIERA,
    f"{CODE}/data/common.yaml": COMMON,
    f"{CODE}/data/soil/clay.yaml": CLAY,
    "/etc/soil": "clay\n",
    **{f"{CODE}/modules/garden/{name}": text for name, text in MODULE.items()},
}


def smoke(box: Box) -> None:
    application(box)
    questions(box)
    refusals(box)


def application(box: Box) -> None:
    """The site applied: everything made as described, nothing done a second time, a change mended."""
    made = puppet(box, "apply", "--detailed-exitcodes", f"{CODE}/manifests/site.pp", code=2)
    expect("family Debian" in made.out, f"no message about the family: {made.out!r}")
    garden = box.root / "srv/garden"
    status = (garden / "plan.txt").stat()
    same((status.st_uid, oct(status.st_mode & 0o777)), (33, "0o640"), "owner and mode of the plan")
    same((garden / "plan.txt").read_text(), "size 8 of WWW-DATA\n", "the plan, by EPP")
    same((garden / "list.txt").read_text(), "pear\napple\n4\n", "the list, by ERB")
    same((garden / "sorted.txt").read_text(), "4\napple\npear\n", "the list sorted by a command")
    same((garden / "logo.txt").read_text(), "-- žaba --\n", "a file of the module")
    same(str((garden / "link").readlink()), "/srv/garden/plan.txt", "the link")
    south = json.loads((garden / "south.json").read_text())
    same(south, {"plants": ["carrot", "melon"], "frost": True}, "a bed whose data are merged by a custom fact")
    puppet(box, "apply", "--detailed-exitcodes", f"{CODE}/manifests/site.pp", code=0)
    (garden / "logo.txt").write_text("scribble\n")
    mended = puppet(box, "apply", "--detailed-exitcodes", "--show_diff", f"{CODE}/manifests/site.pp", code=2)
    expect("-scribble" in mended.out and "+-- žaba --" in mended.out, f"no difference is shown: {mended.out!r}")
    same((garden / "logo.txt").read_text(), "-- žaba --\n", "the file mended")
    summary = (box.root / "var/cache/puppet/public/last_run_summary.yaml").read_text()
    expect("changed: 1" in summary, f"the summary tells something else: {summary!r}")


def questions(box: Box) -> None:
    """Facts, data, settings, and the state of resources."""
    facts = json.loads(box.run("facter", "--json", "os", "networking.hostname", "processors.count", "path").out)
    same((facts["os"]["family"], facts["os"]["release"]["major"]), ("Debian", "12"), "facts of the system")
    same(facts["networking.hostname"], "box", "the host's name")
    expect(facts["processors.count"] >= 1, f"no processors: {facts!r}")
    same(json.loads(puppet(box, "facts", "show", "soil", "--render-as", "json").out), {"soil": "clay"}, "own fact")
    asked = json.loads(puppet(box, "lookup", "garden::beds", "--render-as", "json").out)
    same(sorted(asked), ["north", "south", "west"], "the data merged")
    explained = puppet(box, "lookup", "garden::size", "--explain").out
    expect('Path "' in explained and "data/common.yaml" in explained, f"no explanation: {explained!r}")
    same(puppet(box, "config", "print", "certname").out.strip(), "box", "a setting")
    user = puppet(box, "resource", "user", "www-data").out
    expect("'/var/www'" in user and "33" in user, f"the user is described otherwise: {user!r}")
    file = puppet(box, "resource", "file", "/srv/garden/link").out
    expect("'link'" in file and "'/srv/garden/plan.txt'" in file, f"the link is described otherwise: {file!r}")
    expect("puppet-apply" in box.run("puppet", "help", "apply").out, "no help")


def refusals(box: Box) -> None:
    """Mistakes in manifests are found by name and line, before and while applying."""
    (box.volume / "open.pp").write_text("file { '/tmp/x':\n  ensure => file,\n")
    wrong = puppet(box, "parser", "validate", "/volume/open.pp", code=1)
    expect("Syntax error at end of input" in wrong.err, f"another message: {wrong.err!r}")
    (box.volume / "type.pp").write_text("class { 'garden': owner => 5 }\n")
    wrong = puppet(box, "apply", "/volume/type.pp", code=1)
    expect("parameter 'owner' expects a String value, got Integer" in wrong.err, f"another message: {wrong.err!r}")
    (box.volume / "fail.pp").write_text("exec { '/bin/false': }\n")
    failed = puppet(box, "apply", "--detailed-exitcodes", "/volume/fail.pp", code=4)
    expect("returned 1 instead of one of [0]" in failed.err, f"another message: {failed.err!r}")


def puppet(box: Box, *words: str, code: int = 0) -> Done:
    """Puppet without colours."""
    return box.run("puppet", *words, "--color=false", code=code, env={"LANG": "C.UTF-8"})


APP = App(
    name="puppet-agent",
    packages=("puppet-agent",),
    files=FILES,
    # the site's commands are its own: sort and false
    entries=(
        f"cmd:puppet apply {CODE}/manifests/site.pp", "/etc/puppet/", "cmd:facter", "cmd:sort", "cmd:/bin/false",
    ),
    smoke=smoke,
    needed=(
        Needed(kind="program", glob="/usr/lib/ruby/vendor_ruby/puppet/type/exec.rb"),
        Needed(kind="program", glob="/usr/lib/ruby/vendor_ruby/facter.rb"),
        Needed(kind="program", glob="/usr/share/rubygems-integration/all/gems/concurrent-ruby-*/lib/concurrent-ruby/concurrent.rb"),
        Needed(kind="plugin", glob="/usr/lib/ruby/vendor_ruby/puppet/provider/exec/posix.rb"),
        Needed(kind="library", glob="/usr/lib/*-linux-gnu/libyaml-0.so.2*"),
        Needed(kind="config", glob=f"{CODE}/hiera.yaml"),
        Needed(kind="state", glob="/etc/passwd"),
    ),
)  # fmt: skip
