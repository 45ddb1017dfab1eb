"use strict";
// What there is, the panel, search and the attack surface; the drawings are in the next script.
const report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 100;
  const byId = (id) => document.getElementById(id);
  document.querySelectorAll("[data-scripted]").forEach((element) => { element.hidden = false; });

  // Text goes in as text alone: nothing here ever parses a name as HTML.
  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const make = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  function size(bytes) {
    if (bytes < 0) return "size unknown";
    if (bytes < 1e3) return bytes + " B";
    return bytes < 1e6 ? (bytes / 1e3).toFixed(1) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
  }

  // --- what there is ---
  // `remains` is of the files that stay behind a package which scanners no longer see.
  const packages = data.packages.map(([name, type, was, is, before, after, change, why, remains], index) =>
    ({ index, name, type, was, is, before, after, change, why: data.strings[why], hidden: change === "no longer visible", remains, files: [] }));
  const left = ({ remains }) => remains < 0 ? "files remain, of unknown size" : `files of ${size(remains)} remain`;
  const toldAfter = (one) => one.hidden ? `no longer visible after, ${left(one)}` : `${size(one.after)} after`;
  const paths = [];
  data.files.rest.forEach((rest, index) => {
    paths.push(index ? paths[index - 1].slice(0, data.files.shared[index]) + rest : rest);
    const owner = data.files.package[index];
    if (owner >= 0) packages[owner].files.push(index);
  });
  const lowered = paths.map((path) => path.toLowerCase());
  const numbers = new Map(paths.map((path, index) => [path, index]));
  const nodeName = (node) => node < paths.length ? paths[node] : data.others[node - paths.length];
  const groups = data.groups.map(([label, kind, owner, parent], index) =>
    ({ index, label, kind, owner, parent, needs: [], neededBy: [] }));
  for (let at = 0; at < data.edges.length; at += 2) {
    groups[data.edges[at]].needs.push(groups[data.edges[at + 1]]);
    groups[data.edges[at + 1]].neededBy.push(groups[data.edges[at]]);
  }
  const groupOf = new Map(groups.filter((group) => group.owner >= 0).map((group) => [group.owner, group]));
  const stateOf = (file) => data.states[data.files.state[file]];
  const there = (file) => data.files.state[file] !== 1 && data.files.state[file] !== 4;
  const groupOfNode = (node) => groupOf.get(data.files.package[node]) || groups[data.group[node]];

  // The steps from an entry point to a node; empty where nothing is known to lead there.
  function chain(node) {
    const steps = [], seen = new Set();
    while (node >= 0 && !seen.has(node)) {
      seen.add(node);
      steps.unshift(node);
      node = data.source[node];
    }
    return steps.length > 1 ? steps : [];
  }
  function shortest(files) {
    let best = [];
    for (const file of files) {
      const steps = chain(file);
      if (steps.length && (!best.length || steps.length < best.length)) best = steps;
    }
    return best;
  }

  // --- the panel ---
  const filesTitle = data.leftOut ? "Files in this report" : "Files";
  const panel = byId("detail");
  let cameFrom = null;
  function link(text, action) {
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", action);
    return button;
  }
  const row = (text, action) => make("li", {}, link(text, action));
  function goBack() {
    if (!cameFrom) return;
    cameFrom.focus({ preventScroll: true });
    const box = cameFrom.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) cameFrom.scrollIntoView({ block: "center", inline: "nearest" });
  }
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") goBack(); });
  // `more` shows a further page of `items`; what it returns begins anew with other items.
  function pages(list, more, row) {
    let items = [], shown = 0;
    function page() {
      const from = list.children.length;
      list.append(...items.slice(shown, shown + PAGE).map(row));
      shown += PAGE;
      more.hidden = shown >= items.length;
      return list.children[from];
    }
    more.addEventListener("click", () => {
      const first = page(), target = first && first.querySelector("button");
      if (more.hidden && target) target.focus({ preventScroll: true });
    });
    return (others) => { list.replaceChildren(); items = others; shown = 0; page(); };
  }
  function paged(items, row) {
    const list = make("ul", { class: "picks" }), more = make("button", { type: "button" }, "Show more");
    pages(list, more, row)(items);
    return [list, more];
  }
  function chainList(steps) {
    const list = make("ol", { class: "chain", "data-chain": "" });
    for (const node of steps) {
      const why = [data.strings[data.kind[node]], data.strings[data.evidence[node]]].filter(Boolean).join(": ");
      const name = node < paths.length ? link(paths[node], () => pickFile(node)) : nodeName(node);
      list.append(make("li", {}, why ? make("span", { class: "quiet" }, why + " ") : "", name));
    }
    return list;
  }
  function show(title, facts, steps, extras) {
    const active = document.activeElement;
    if (active && active !== document.body && !panel.contains(active)) cameFrom = active;
    const list = make("dl");
    for (const [name, value] of facts) if (value) list.append(make("dt", {}, name), make("dd", {}, value));
    panel.replaceChildren(make("h2", {}, title), list);
    if (cameFrom) {
      const back = link("Back (Esc)", goBack);
      back.id = "back";
      panel.prepend(back);
    }
    if (steps) panel.append(make("h3", {}, "Why it is there"),
      steps.length ? chainList(steps) : make("p", {}, data.leftOut ? "No chain from an entry point is in this report." : "No chain from an entry point is known."));
    for (const [name, items, row] of extras || [])
      if (items.length) panel.append(make("h3", {}, `${name} (${items.length})`), ...paged(items, row));
    panel.focus({ preventScroll: true });
    panel.scrollTop = 0;
    const top = panel.getBoundingClientRect().top;
    if (top < 0 || top > innerHeight * 0.7 || getComputedStyle(panel).position !== "sticky") panel.scrollIntoView({ block: "start" });
  }
  function pickFile(file) {
    const owner = data.files.package[file], steps = there(file) ? chain(file) : null;
    report.mark(groupOf.get(owner) || groups[data.group[file]], owner, steps || []);
    show(paths[file], [
      ["State", stateOf(file)],
      ["Size", size(data.files.bytes[file])],
      ["Package", owner >= 0 ? link(packages[owner].name, () => pickPackage(owner)) : "none"],
      ["Reason in the plan", data.strings[data.why[file]]],
    ], steps);
  }
  function pickPackage(index) {
    const one = packages[index], group = groupOf.get(index), steps = group ? shortest(one.files.filter(there)) : null;
    report.mark(group, index, steps || []);
    show(one.name, [
      ["Type", one.type], ["Before", one.was ? `${one.was}, ${size(one.before)}` : "not there"],
      ["After", one.is ? `${one.is}, ${size(one.after)}` : one.hidden ? "no entry" : "not there"],
      ["Change", one.hidden ? `${one.change}: ${left(one)}` : one.change], ["Reason in the plan", one.why],
    ], steps, [...around(group), [filesTitle, [...one.files].sort((a, b) => there(b) - there(a)), (file) => row(`${paths[file]} (${stateOf(file)})`, () => pickFile(file))]]);
  }
  function pickGroup(group) {
    if (group.owner >= 0) return pickPackage(group.owner);
    const files = [...paths.keys()].filter((file) => data.group[file] === group.index);
    const own = data.others.findIndex((_, at) => data.group[paths.length + at] === group.index);
    const steps = files.length ? shortest(files) : own >= 0 ? chain(paths.length + own) : [];
    report.mark(group, -1, steps);
    return show(group.label, [["Kind", group.kind]], group.kind === "entry" || group.kind === "unreached" ? null : steps, [...around(group),
      [filesTitle, files, (file) => row(paths[file], () => pickFile(file))]]);
  }
  function pickUnowned() {
    const files = [...paths.keys()].filter((file) => data.files.package[file] < 0);
    report.mark(undefined, -1, []);
    show("files of no package", [["Before", size(data.unowned[0])], ["After", size(data.unowned[1])]], null,
      [[filesTitle, files, (file) => row(`${paths[file]} (${stateOf(file)})`, () => pickFile(file))]]);
  }
  function pickMany(many) {
    report.mark(undefined, -1, []);
    show(many.name, [["Before", size(many.before)], ["After", many.hidden ? left(many) : size(many.after)]], null,
      [["Packages", many.members, (one) => row(`${one.name}: ${size(one.before)} before, ${toldAfter(one)}`, () => pickPackage(one.index))]]);
  }
  function around(group) {
    if (!group) return [];
    const one = (other) => row(other.label, () => pickGroup(other));
    return [["Needs", group.needs, one], ["Needed by", group.neededBy, one]];
  }

  // --- search ---
  const query = byId("query"), found = byId("found");
  const list = pages(byId("results"), byId("more"), (match) => match < 0
    ? row(`${packages[-match - 1].name} ${packages[-match - 1].is || packages[-match - 1].was} (package${packages[-match - 1].is ? "" : packages[-match - 1].hidden ? ", no longer visible" : ", not there after"})`, () => pickPackage(-match - 1))
    : row(`${paths[match]} (${stateOf(match)})`, () => pickFile(match)));
  const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);
  function search() {
    const words = wordsOf(query), matches = [];
    const all = (text) => words.every((word) => text.includes(word));
    if (words.length) {
      packages.forEach((one) => { if (all(one.name.toLowerCase())) matches.push(-one.index - 1); });
      lowered.forEach((path, file) => { if (all(path)) matches.push(file); });
    }
    list(matches);
    const left = data.leftOut ? `; ${data.leftOut} more files are not in this report` : "";
    found.textContent = (words.length ? `${matches.length} found` : `${packages.length} packages and ${data.listed ? paths.length + " files" : "no files: neither side lists any"}`) + left;
  }
  query.addEventListener("input", search);

  // --- the attack surface: what is there after comes first ---
  const ranks = { added: 0, "newly so": 0, "not known before": 1, kept: 1, "not known after": 2, "no longer so": 3, dropped: 4 };
  const items = data.surface.map(([category, path, owner, detail, state]) => ({ category, path, owner, detail, state,
    text: [data.states[state], category, path, owner >= 0 ? packages[owner].name : "", detail].join(" ").toLowerCase() }))
    .sort((a, b) => ranks[data.states[a.state]] - ranks[data.states[b.state]]);
  const wanted = byId("surface-query");
  const table = pages(byId("surface-items").tBodies[0], byId("surface-more"), (item) => make("tr", {},
    make("td", {}, data.states[item.state]), make("td", {}, item.category),
    make("td", { class: "path" }, numbers.has(item.path) ? link(item.path, () => pickFile(numbers.get(item.path))) : item.path),
    make("td", {}, item.owner >= 0 ? link(packages[item.owner].name, () => pickPackage(item.owner)) : ""), make("td", {}, item.detail)));
  function surfaceSearch() {
    const words = wordsOf(wanted), chosen = items.filter((item) => words.every((word) => item.text.includes(word)));
    table(chosen);
    byId("surface-found").textContent = `${chosen.length} of ${items.length} items`;
  }
  wanted.addEventListener("input", surfaceSearch);
  search();
  surfaceSearch();
  document.querySelectorAll("[data-where]").forEach((place) => {
    const file = numbers.get(place.textContent);
    if (file !== undefined) place.replaceChildren(link(place.textContent, () => pickFile(file)));
  });
  const closed = [];
  window.addEventListener("beforeprint", () => document.querySelectorAll("main details:not([open])").forEach((one) => {
    closed.push(one);
    one.open = true;
  }));
  window.addEventListener("afterprint", () => closed.splice(0).forEach((one) => { one.open = false; }));
  return { data, packages, groups, byId, draw, size, toldAfter, groupOfNode, pickPackage, pickGroup, pickUnowned, pickMany, mark: () => undefined };
})();
