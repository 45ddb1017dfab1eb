"use strict";
(() => {
  const { data, packages, groups, byId, draw, size, toldAfter } = report;

  // --- one stop for Tab, arrows within ---
  // The frame is HTML: a browser makes an SVG element that listens for focus a stop itself.
  function roving(frame, items, next) {
    if (!items.length) return () => undefined;
    let stop = items[0];
    items.forEach((item) => item.setAttribute("tabindex", "-1"));
    function setStop(item) {
      stop.setAttribute("tabindex", "-1");
      stop = item;
      stop.setAttribute("tabindex", "0");
    }
    setStop(stop);
    frame.addEventListener("focusin", (event) => {
      const item = event.target.closest("[tabindex]");
      if (item) setStop(item);
    });
    frame.addEventListener("keydown", (event) => {
      const item = event.target.closest("[tabindex]");
      if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        item.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        return;
      }
      const to = event.key === "Home" ? items[0] : event.key === "End" ? items[items.length - 1] : next(item, event.key);
      if (to) { event.preventDefault(); to.focus(); }
    });
    return setStop;
  }
  const cut = (text, length) => text.length > length ? text.slice(0, Math.max(1, length - 1)) + "…" : text;

  // --- sizes ---
  const cells = new Map();
  const MOST = 500; // areas that an eye can tell apart; smaller packages share one
  const told = (one) => `${one.name}: ${size(one.before)} before, ${toldAfter(one)}`;
  const sizeAfter = ({ after, hidden, remains }) => hidden && remains > 0 ? Math.max(0, after) + remains : after;
  // Shares of an area: what is on both sides, and what remains of a package that scanners no longer see.
  function shares({ before, after, hidden, remains }) {
    const most = Math.max(before, sizeAfter({ after, hidden, remains }));
    if (hidden && remains < 0) return [0, 1];
    if (before < 0 || after < 0) return [1, 0];
    return [Math.min(before, after) / most, hidden ? remains / most : 0];
  }
  function cellOf(leaf) {
    const cell = draw("g", { class: "cell", role: "button", "aria-label": told(leaf.data) }), index = leaf.data.index;
    cell.addEventListener("click", () => index >= 0 ? report.pickPackage(index) : leaf.data.members ? report.pickMany(leaf.data) : report.pickUnowned());
    cells.set(index, cell);
    return cell;
  }
  function filled(leaf) {
    const { name, index, before, after, hidden, remains } = leaf.data, wide = leaf.x1 - leaf.x0, high = leaf.y1 - leaf.y0;
    const [kept, remaining] = shares(leaf.data), top = Math.max(0, high * (1 - kept - remaining));
    const cell = cells.get(index);
    cell.setAttribute("transform", `translate(${leaf.x0},${leaf.y0})`);
    cell.replaceChildren(draw("title", {}, told(leaf.data)),
      draw("rect", { class: !hidden && after > before ? "come" : "gone", width: wide, height: top }),
      draw("rect", { class: "hidden", width: wide, y: top, height: high * remaining }),
      draw("rect", { class: "rest", width: wide, y: high * (1 - kept), height: high * kept }),
      draw("rect", { class: "whole", width: wide, height: high }));
    const text = (y, words) => cell.append(draw("rect", { class: "label" }), draw("text", { x: 4, y }, cut(words, Math.floor((wide - 8) / 6.6))));
    if (wide > 40 && high > 18) text(13, name);
    if (wide > 110 && high > 34) text(28, hidden ? remains < 0 ? "files remain" : `${size(remains)} remain` : `${size(before)} → ${size(after)}`);
  }
  // A ground for each label; all are measured before the first is drawn, so that the page is laid out once.
  function grounded(frame) {
    const labels = [...frame.querySelectorAll(".label")];
    const boxes = labels.map((label) => label.nextSibling.getBBox());
    labels.forEach((label, at) => {
      const { x, y, width, height } = boxes[at];
      for (const [name, value] of Object.entries({ x: x - 2, y, width: width + 4, height })) label.setAttribute(name, value);
    });
  }
  function treemap() {
    const frame = byId("treemap");
    const known = (leaf) => Math.max(leaf.before, sizeAfter(leaf), 0);
    const leaves = [...packages, { name: "files of no package", index: -1, before: data.unowned[0], after: data.unowned[1] }]
      .filter(known).sort((a, b) => known(b) - known(a));
    const smaller = leaves.splice(MOST);
    leaves.push(...smaller.filter((leaf) => leaf.index === -1));
    const sum = (members, side) => members.reduce((total, one) => total + Math.max(0, one[side]), 0);
    [["", -2, false], [" no longer visible", -3, true]].forEach(([words, index, hidden]) => {
      const members = smaller.filter((leaf) => leaf.index >= 0 && leaf.hidden === hidden);
      const remains = members.some((one) => one.remains < 0) ? -1 : sum(members, "remains");
      if (members.length) leaves.push({ name: `${members.length} smaller packages${words}`, index, hidden, remains, members,
        before: sum(members, "before"), after: sum(members, "after") });
    });
    const tree = d3.hierarchy({ children: leaves }, (leaf) => leaf.children)
      .sum((leaf) => leaf.children ? 0 : known(leaf)).sort((a, b) => b.value - a.value);
    if (!tree.children) {
      byId("sizes-drawn").hidden = true;
      byId("no-sizes").hidden = false;
      return () => undefined;
    }
    const items = tree.children.map(cellOf);
    function fit() {
      const width = frame.clientWidth, height = frame.clientHeight;
      if (!width) return;
      frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
      d3.treemap().size([width, height]).paddingInner(1)(tree);
      tree.children.forEach(filled);
      grounded(frame);
    }
    frame.append(...items);
    fit();
    new ResizeObserver(fit).observe(frame.parentElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    return roving(frame.parentElement, items, (item, key) => items[items.indexOf(item) + (step[key] || NaN)]);
  }
  const stopAtCell = treemap();

  // --- the graph ---
  const nodes = new Map(), places = new Map(), frame = byId("graph-frame"), lines = draw("g");
  function curve(from, to) {
    const middle = (from.y + to.y) / 2;
    return `M${from.y},${from.x}C${middle},${from.x} ${middle},${to.x} ${to.y},${to.x}`;
  }
  function nodeOf(item, apart) {
    const group = item.data;
    const node = draw("g", { class: "node" + (item.depth === 1 ? " root" : ""), role: "button", "data-group": group.index,
      "aria-label": `${group.label}, ${group.kind}, needs ${group.needs.length}, needed by ${group.neededBy.length}`,
      transform: `translate(${item.y},${item.x})` },
      draw("title", {}, group.label), draw("circle", { r: 4 }),
      draw("rect", { x: -6, y: -9, width: apart - 20, height: 18, fill: "transparent" }),
      draw("text", { x: 8, y: 4 }, cut(group.label, Math.floor((apart - 20) / 6.6))));
    node.addEventListener("click", () => report.pickGroup(group));
    nodes.set(group.index, node);
    return node;
  }
  // Shows the place of a group in the middle of the frame, and leaves the page where it is.
  function reveal(index) {
    const box = nodes.get(index).getBoundingClientRect(), around = frame.getBoundingClientRect();
    frame.scrollBy(box.left - around.left - Math.min(220, around.width / 3), box.top - around.top - around.height / 2);
  }
  function graph() {
    const svg = byId("graph"), children = new Map(groups.map((group) => [group.index, []]));
    const roots = [];
    groups.forEach((group) => (group.parent < 0 ? roots : children.get(group.parent)).push(group));
    const tree = d3.hierarchy({ roots }, (item) => item.roots || children.get(item.index));
    // As far apart as lets the drawing fit its frame, within what names can do with.
    const apart = Math.max(140, Math.min(210, Math.floor((frame.clientWidth - 30) / Math.max(1, tree.height))));
    d3.tree().nodeSize([18, apart])(tree);
    const drawn = tree.descendants().filter((item) => item.depth);
    if (!drawn.length) {
      frame.hidden = true;
      byId("no-graph").hidden = false;
      return () => undefined;
    }
    const top = Math.min(...drawn.map((item) => item.x)) - 14, bottom = Math.max(...drawn.map((item) => item.x)) + 14;
    const right = Math.max(...drawn.map((item) => item.y)) + 10;
    svg.setAttribute("width", right);
    svg.setAttribute("height", bottom - top);
    svg.setAttribute("viewBox", `${apart - 20} ${top} ${right} ${bottom - top}`);
    drawn.forEach((item) => places.set(item.data.index, item));
    const joined = drawn.filter((item) => item.depth > 1).map((item) => draw("path", { class: "link", d: curve(item.parent, item) }));
    drawn.sort((a, b) => a.x - b.x || a.y - b.y);
    const items = drawn.map((item) => nodeOf(item, apart));
    svg.append(...joined, lines, ...items);
    const stop = roving(frame, items, (item, key) => {
      const group = groups[Number(item.dataset.group)];
      if (key === "ArrowDown") return items[items.indexOf(item) + 1];
      if (key === "ArrowUp") return items[items.indexOf(item) - 1];
      if (key === "ArrowLeft") return nodes.get(group.parent);
      if (key === "ArrowRight" && children.get(group.index).length) return nodes.get(children.get(group.index)[0].index);
      return undefined;
    });
    const first = (roots.find((group) => group.kind === "entry") || roots[0]).index;
    stop(nodes.get(first));
    reveal(first);
    return stop;
  }
  const stopAtNode = graph();

  function joined(one, two, kind) {
    if (one && two && one !== two) lines.append(draw("path", { class: `link ${kind}`, d: curve(places.get(one.index), places.get(two.index)) }));
  }
  // Marks what is picked, its needs, and the steps that lead to it.
  report.mark = (group, owner, steps) => {
    for (const element of document.querySelectorAll(".picked, .chained")) element.classList.remove("picked", "chained");
    lines.replaceChildren();
    if (cells.has(owner) && owner >= 0) {
      cells.get(owner).classList.add("picked");
      stopAtCell(cells.get(owner));
    }
    if (!group) return;
    group.needs.forEach((other) => joined(group, other, "need"));
    group.neededBy.forEach((other) => joined(other, group, "need"));
    const way = steps.map(report.groupOfNode).filter(Boolean);
    way.forEach((other, at) => {
      nodes.get(other.index).classList.add("chained");
      if (at) joined(way[at - 1], other, "chain");
    });
    nodes.get(group.index).classList.add("picked");
    stopAtNode(nodes.get(group.index));
    reveal(group.index);
  };
  document.documentElement.dataset.ready = "true";
})();
