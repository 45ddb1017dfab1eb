"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 100;
  const byId = (id) => document.getElementById(id);

  // Text goes in as text alone: nothing here ever parses a name as HTML.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function size(bytes) {
    if (bytes < 0) return "size unknown";
    if (bytes < 1e3) return bytes + " B";
    return bytes < 1e6 ? (bytes / 1e3).toFixed(1) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
  }

  // --- what there is ---
  const packages = data.packages.map(([name, type, was, is, before, after, change, why], index) =>
    ({ index, name, type, was, is, before, after, change, why: data.strings[why], files: [] }));
  const paths = [];
  data.files.rest.forEach((rest, index) => {
    paths.push(index ? paths[index - 1].slice(0, data.files.shared[index]) + rest : rest);
    const owner = data.files.package[index];
    if (owner >= 0) packages[owner].files.push(index);
  });
  const lowered = paths.map((path) => path.toLowerCase());
  const nodeName = (node) => node < paths.length ? paths[node] : data.others[node - paths.length];
  const groups = data.groups.map(([label, kind, owner, parent], index) =>
    ({ index, label, kind, owner, parent, needs: [], neededBy: [] }));
  for (let at = 0; at < data.edges.length; at += 2) {
    groups[data.edges[at]].needs.push(groups[data.edges[at + 1]]);
    groups[data.edges[at + 1]].neededBy.push(groups[data.edges[at]]);
  }
  const groupOf = new Map(groups.filter((group) => group.owner >= 0).map((group) => [group.owner, group]));

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
  const there = (file) => data.files.state[file] !== 1 && data.files.state[file] !== 4;
  function shortest(files) {
    let best = [];
    for (const file of files) {
      const steps = chain(file);
      if (steps.length && (!best.length || steps.length < best.length)) best = steps;
    }
    return best;
  }

  // --- the panel ---
  const panel = byId("detail");
  function link(text, action) {
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", action);
    return button;
  }
  function paged(list, items, row) {
    let shown = 0;
    const more = make("button", { type: "button" }, "Show more");
    function page() {
      list.append(...items.slice(shown, shown + PAGE).map(row));
      shown += PAGE;
      more.hidden = shown >= items.length;
    }
    more.addEventListener("click", page);
    page();
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
    const list = make("dl");
    for (const [name, value] of facts) if (value) list.append(make("dt", {}, name), make("dd", {}, value));
    panel.replaceChildren(make("h2", {}, title), list);
    if (steps) panel.append(make("h3", {}, "Why it is there"),
      steps.length ? chainList(steps) : make("p", {}, "No chain from an entry point is known."));
    for (const [name, items, row] of extras || [])
      if (items.length) panel.append(make("h3", {}, `${name} (${items.length})`), ...paged(make("ul", { class: "picks" }), items, row));
    panel.focus({ preventScroll: true });
    panel.scrollTop = 0;
  }
  const row = (text, action) => make("li", {}, link(text, action));
  function pickFile(file) {
    const owner = data.files.package[file], why = data.strings[data.why[file]];
    mark(owner >= 0 ? groupOf.get(owner) : undefined, owner);
    show(paths[file], [
      ["State", data.states[data.files.state[file]]],
      ["Size", size(data.files.bytes[file])],
      ["Package", owner >= 0 ? link(packages[owner].name, () => pickPackage(owner)) : "none"],
      ["Reason of the plan", why],
    ], there(file) ? chain(file) : null);
  }
  function pickPackage(index) {
    const one = packages[index], group = groupOf.get(index);
    mark(group, index);
    show(one.name, [
      ["Type", one.type], ["Before", one.was ? `${one.was}, ${size(one.before)}` : "not there"],
      ["After", one.is ? `${one.is}, ${size(one.after)}` : "not there"], ["Change", one.change], ["Reason of the plan", one.why],
    ], group ? shortest(one.files.filter(there)) : null, [...around(group),
      ["Files", one.files, (file) => row(`${paths[file]} (${data.states[data.files.state[file]]})`, () => pickFile(file))]]);
  }
  function pickGroup(group) {
    if (group.owner >= 0) return pickPackage(group.owner);
    mark(group, -1);
    const files = paths.map((_, file) => file).filter((file) => data.files.package[file] < 0 && there(file)
      && (group.kind === "files" || (group.kind === "directory" && paths[file].slice(0, paths[file].lastIndexOf("/") + 1) === group.label)));
    return show(group.label, [["Kind", group.kind]], group.kind === "directory" ? shortest(files) : null, [...around(group),
      ["Files", files, (file) => row(paths[file], () => pickFile(file))]]);
  }
  function around(group) {
    if (!group) return [];
    const one = (other) => row(other.label, () => pickGroup(other));
    return [["Needs", group.needs, one], ["Needed by", group.neededBy, one]];
  }

  // --- search ---
  const query = byId("query"), results = byId("results"), found = byId("found"), more = byId("more");
  let matches = [], listed = 0;
  function page() {
    results.append(...matches.slice(listed, listed + PAGE).map((match) => match < 0
      ? row(`${packages[-match - 1].name} ${packages[-match - 1].is || packages[-match - 1].was} (package${packages[-match - 1].is ? "" : ", not there after"})`, () => pickPackage(-match - 1))
      : row(`${paths[match]} (${data.states[data.files.state[match]]})`, () => pickFile(match))));
    listed += PAGE;
    more.hidden = listed >= matches.length;
  }
  function search() {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = (text) => words.every((word) => text.includes(word));
    matches = [];
    if (words.length) {
      packages.forEach((one) => { if (all(one.name.toLowerCase())) matches.push(-one.index - 1); });
      lowered.forEach((path, file) => { if (all(path)) matches.push(file); });
    }
    results.replaceChildren();
    listed = 0;
    page();
    const left = data.leftOut ? `; ${data.leftOut} more files are not in this report` : "";
    found.textContent = (words.length ? `${matches.length} found` : `${packages.length} packages and ${paths.length} files`) + left;
  }
  query.addEventListener("input", search);
  more.addEventListener("click", page);
  search();

  // --- one stop for Tab, arrows within ---
  // The frame is HTML: a browser makes an SVG element that listens for focus a stop itself.
  function roving(frame, items, next) {
    if (!items.length) return;
    items.forEach((item) => item.setAttribute("tabindex", "-1"));
    items[0].setAttribute("tabindex", "0");
    frame.addEventListener("focusin", (event) => {
      const item = event.target.closest("[tabindex]");
      if (!item) return;
      items.forEach((other) => { if (other !== item && other.getAttribute("tabindex") === "0") other.setAttribute("tabindex", "-1"); });
      item.setAttribute("tabindex", "0");
    });
    frame.addEventListener("keydown", (event) => {
      const item = event.target.closest("[tabindex]");
      if (!item) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        item.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        return;
      }
      const to = event.key === "Home" ? items[0] : event.key === "End" ? items[items.length - 1] : next(item, event.key);
      if (to) { event.preventDefault(); to.focus(); }
    });
  }

  // --- sizes ---
  const cells = new Map();
  function treemap() {
    const frame = byId("treemap"), width = frame.clientWidth || 900, height = frame.clientHeight || 416;
    const leaves = packages.map((one) => ({ name: one.name, index: one.index, before: one.before, after: one.after }));
    leaves.push({ name: "files of no package", index: -1, before: data.unowned[0], after: data.unowned[1] });
    const tree = d3.hierarchy({ children: leaves.filter((leaf) => leaf.before || leaf.after) })
      .sum((leaf) => Math.max(leaf.before || 0, leaf.after || 0)).sort((a, b) => b.value - a.value);
    frame.replaceChildren();
    cells.clear();
    if (!tree.children) return;
    frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
    d3.treemap().size([width, height]).paddingInner(1)(tree);
    const items = tree.leaves().map((leaf) => {
      const { name, index, before, after } = leaf.data, wide = leaf.x1 - leaf.x0, high = leaf.y1 - leaf.y0;
      const part = Math.min(1, after / Math.max(before, after));
      const text = `${name}: ${size(before)} before, ${size(after)} after`;
      const cell = draw("g", { class: "cell", role: "button", "aria-label": text, transform: `translate(${leaf.x0},${leaf.y0})` },
        draw("title", {}, text), draw("rect", { class: "whole", width: wide, height: high }),
        draw("rect", { class: "rest", width: wide, y: high * (1 - part), height: high * part }));
      if (wide > 34 && high > 14) cell.append(draw("text", { x: 3, y: 12 }, name.slice(0, Math.floor(wide / 7))));
      cell.addEventListener("click", () => index >= 0 ? pickPackage(index) : pickGroup(groups.find((group) => group.kind === "files") || { label: name, kind: "files", owner: -1, needs: [], neededBy: [] }));
      cells.set(index, cell);
      return cell;
    });
    frame.append(...items);
    roving(frame.parentElement, items, (item, key) => items[items.indexOf(item) + ({ ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key] || NaN)]);
  }
  treemap();

  // --- the graph ---
  const nodes = new Map(), places = new Map();
  let lines;
  function graph() {
    const frame = byId("graph"), children = new Map(groups.map((group) => [group.index, []]));
    const roots = [];
    groups.forEach((group) => (group.parent < 0 ? roots : children.get(group.parent)).push(group));
    const tree = d3.hierarchy({ roots }, (item) => item.roots || children.get(item.index));
    d3.tree().nodeSize([18, 210])(tree);
    const drawn = tree.descendants().filter((item) => item.depth);
    if (!drawn.length) return;
    const top = Math.min(...drawn.map((item) => item.x)) - 14, bottom = Math.max(...drawn.map((item) => item.x)) + 14;
    const right = Math.max(...drawn.map((item) => item.y)) + 30;
    frame.setAttribute("width", right);
    frame.setAttribute("height", bottom - top);
    frame.setAttribute("viewBox", `190 ${top} ${right} ${bottom - top}`);
    drawn.forEach((item) => places.set(item.data.index, item));
    const joined = drawn.filter((item) => item.depth > 1).map((item) => draw("path", { class: "link", d: curve(item.parent, item) }));
    lines = draw("g");
    drawn.sort((a, b) => a.x - b.x || a.y - b.y);
    const items = drawn.map((item) => {
      const group = item.data;
      const node = draw("g", { class: "node" + (item.depth === 1 ? " root" : ""), role: "button", "data-group": group.index,
        "aria-label": `${group.label}, ${group.kind}, needs ${group.needs.length}, needed by ${group.neededBy.length}`,
        transform: `translate(${item.y},${item.x})` },
        draw("title", {}, group.label), draw("circle", { r: 4 }),
        draw("rect", { x: -6, y: -9, width: 190, height: 18, fill: "transparent" }),
        draw("text", { x: 8, y: 4 }, group.label.length > 28 ? group.label.slice(0, 27) + "…" : group.label));
      node.addEventListener("click", () => pickGroup(group));
      nodes.set(group.index, node);
      return node;
    });
    frame.append(...joined, lines, ...items);
    roving(frame.parentElement, items, (item, key) => {
      const group = groups[Number(item.dataset.group)];
      if (key === "ArrowDown") return items[items.indexOf(item) + 1];
      if (key === "ArrowUp") return items[items.indexOf(item) - 1];
      if (key === "ArrowLeft") return nodes.get(group.parent);
      if (key === "ArrowRight" && children.get(group.index).length) return nodes.get(children.get(group.index)[0].index);
      return undefined;
    });
  }
  function curve(from, to) {
    const middle = (from.y + to.y) / 2;
    return `M${from.y},${from.x}C${middle},${from.x} ${middle},${to.x} ${to.y},${to.x}`;
  }
  function mark(group, owner) {
    for (const element of document.querySelectorAll(".picked, .near")) element.classList.remove("picked", "near");
    if (cells.has(owner)) cells.get(owner).classList.add("picked");
    if (lines) lines.replaceChildren();
    if (!group || !nodes.has(group.index)) return;
    nodes.get(group.index).classList.add("picked");
    for (const [others, forward] of [[group.needs, true], [group.neededBy, false]])
      for (const other of others) {
        const one = places.get(group.index), two = places.get(other.index);
        if (!one || !two) continue;
        nodes.get(other.index).classList.add("near");
        lines.append(draw("path", { class: "link need", d: forward ? curve(one, two) : curve(two, one) }));
      }
  }
  graph();

  // --- the attack surface ---
  const items = data.surface.map(([category, path, owner, detail, state]) =>
    [category, path, owner >= 0 ? packages[owner].name : "", detail, data.states[state]]);
  const wanted = byId("surface-query"), body = byId("surface-items").tBodies[0], further = byId("surface-more");
  let chosen = items, rows = 0;
  function surfacePage() {
    body.append(...chosen.slice(rows, rows + PAGE).map((cellsOf) => make("tr", {}, ...cellsOf.map((text) => make("td", {}, text)))));
    rows += PAGE;
    further.hidden = rows >= chosen.length;
  }
  function surfaceSearch() {
    const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
    chosen = items.filter((item) => { const text = item.join(" ").toLowerCase(); return words.every((word) => text.includes(word)); });
    body.replaceChildren();
    rows = 0;
    surfacePage();
    byId("surface-found").textContent = `${chosen.length} of ${items.length} items`;
  }
  wanted.addEventListener("input", surfaceSearch);
  further.addEventListener("click", surfacePage);
  surfaceSearch();
  document.documentElement.dataset.ready = "true";
})();
