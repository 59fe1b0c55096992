"""The second half of the script of a graph's page: drawing, moving, opening, tips, searching.

No part of it is text from a graph: that comes as data, and enters the page as text nodes.
"""

from .page_layout import LAYOUT

SCRIPT = (
    LAYOUT
    + r"""
// Drawing ---------------------------------------------------------------------------------------

function made(tag, attributes, parent) {
  const element = document.createElementNS(NS, tag);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.appendChild(element);
  return element;
}

function words(parent, text, x, y, kind, anchor) {
  const element = made('text', {x, y, class: kind, 'text-anchor': anchor || 'start'}, parent);
  element.textContent = text;
}

const round = n => Math.round(n * 10) / 10;

function path(edge) {
  const [x, y, w, h] = placed.get(edge.from), [u, v, s, t] = placed.get(edge.to);
  const points = across
    ? [[x + w, y + h / 2], ...edge.bends, [u - 2, v + t / 2]]
    : [[x + w / 2, y + h], ...edge.bends, [u + s / 2, v - 2]];
  let way = 'M' + points[0].map(round);
  for (let k = 1; k < points.length; k++) {
    const [a, b] = [points[k - 1], points[k]];
    const half = across ? (b[0] - a[0]) / 2 : (b[1] - a[1]) / 2;
    const bow = Math.abs(half) < 12 ? Math.sign(half || 1) * 12 : half;
    const [dx, dy] = across ? [bow, 0] : [0, bow];
    const c = [[a[0] + dx, a[1] + dy], [b[0] - dx, b[1] - dy]];
    way += 'C' + [...c, b].map(p => p.map(round)).join(' ');
  }
  return way;
}

let moved = false, view = null, extent = [0, 0, 100, 100];
let svg = null, groups = new Map(), lines = [];

function draw() {
  const [w, h] = laidOut();
  extent = [-16, -16, w + 32, h + 32];
  const next = made('svg', {role: 'group', 'aria-label': document.title});
  const marker = made('marker', {id: 'tip-of-edge', viewBox: '0 0 8 8', refX: 7, refY: 4,
    markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse'}, made('defs', {}, next));
  made('path', {d: 'M0 0L8 4L0 8z', fill: 'var(--faint)'}, marker);
  groups = new Map();
  const order = [...placed.keys()].sort((a, b) => depthOf(a) - depthOf(b) || a - b);
  for (const i of order) if (open[i]) groups.set(i, frame(next, i));
  lines = drawn.map(edge => {
    const line = made('path', {class: 'edge', d: path(edge)}, next);
    line.setAttribute('marker-end', 'url(#tip-of-edge)');
    if (edge.port) made('title', {}, line).textContent = edge.port;
    return line;
  });
  for (const i of order) if (!open[i]) groups.set(i, box(next, i));
  if (svg) svg.remove();
  svg = next;
  stage.appendChild(svg);
  const boxes = order.filter(i => !open[i] && items[i].ops).length;
  byId('caption').textContent = DATA.ops + ' ops shown as ' + boxes;
  look();
}

function depthOf(i) { let d = 0; for (; i >= 0; i = items[i].in) d++; return d; }

function frame(parent, i) {
  const [x, y, w, h] = placed.get(i);
  const group = made('g', {class: 'frame', 'data-item': i}, parent);
  made('rect', {x, y, width: w, height: h, rx: 6}, group);
  const name = items[i].name;
  const handle = made('g', {class: 'handle', tabindex: 0, role: 'button', 'aria-expanded': 'true',
    'aria-label': 'close ' + name}, group);
  made('rect', {x: x + 5, y: y + 5, width: 16, height: 16, rx: 3, fill: 'var(--page)',
    stroke: 'var(--faint)'}, handle);
  words(handle, '−', x + 13, y + 17, 'name', 'middle');
  words(handle, name, x + 27, y + 17, 'faint');
  return group;
}

function box(parent, i) {
  const [x, y, w, h] = placed.get(i), item = items[i];
  const kind = item.frame ? 'group' : item.as;
  const told = rows[i].map(r => r.name || r.faint || [r.word, r.text].join(' ')).join(', ');
  const group = made('g', {class: 'box ' + kind, 'data-item': i, tabindex: 0}, parent);
  group.setAttribute('aria-label', told);
  group.setAttribute('role', inside[i].length ? 'button' : 'img');
  if (inside[i].length) group.setAttribute('aria-expanded', 'false');
  const rect = made('rect', {x, y, width: w, height: h}, group);
  if (kind === 'value' || kind === 'result') rect.setAttribute('rx', 9);
  rows[i].forEach((row, k) => {
    const at = y + 18 + k * 15;
    if (row.name !== undefined) {
      words(group, row.name, x + 9, at, kind === 'constant' ? 'faint' : 'name');
      if (inside[i].length) words(group, '+', x + w - 9, at, 'name', 'end');
    } else if (row.strip) {
      const [text, color, ink] = row.strip;
      const strip = made('rect', {x: x + 5, y: at - 12, width: w - 10, height: 15},
        made('g', {}, group));
      strip.style.fill = color;
      words(group, text, x + 9, at, '');
      group.lastChild.style.fill = ink;
    } else if (row.faint !== undefined) {
      words(group, row.faint, x + 9, at, 'faint');
    } else {
      if (row.word) words(group, row.word, x + 9, at, 'faint');
      words(group, row.text, x + w - 9, at, row.kind, 'end');
    }
  });
  return group;
}

// Moving ----------------------------------------------------------------------------------------

function look() { svg.setAttribute('viewBox', view.map(round).join(' ')); }

function fitted() {
  const {width, height} = stage.getBoundingClientRect();
  const [x, y, w, h] = extent;
  // never larger than life, and never so small that nothing can be read: then the start is shown
  const scale = Math.max(Math.min(1.25, width / w, height / h), 0.75);
  const wide = width / scale, high = height / scale;
  view = [w > wide ? x : x + w / 2 - wide / 2, h > high ? y : y + h / 2 - high / 2, wide, high];
}

function zoom(factor, px, py) {
  moved = true;
  const {left, top, width, height} = stage.getBoundingClientRect();
  const fx = px === undefined ? 0.5 : (px - left) / width;
  const fy = py === undefined ? 0.5 : (py - top) / height;
  const [x, y, w, h] = view;
  view = [x + (w - w / factor) * fx, y + (h - h / factor) * fy, w / factor, h / factor];
  look();
}

function shift(dx, dy) { moved = true; view[0] += dx * view[2]; view[1] += dy * view[3]; look(); }

function centred(i) {
  moved = true;
  const [x, y, w, h] = placed.get(i);
  const {width, height} = stage.getBoundingClientRect();
  const scale = Math.max(Math.min(view[2] / width, 1.2), 0.7);
  const wide = width * scale, high = height * scale;
  view = [x + w / 2 - wide / 2, y + h / 2 - high / 2, wide, high];
  look();
}

stage.addEventListener('wheel', event => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX, event.clientY);
}, {passive: false});

let grip = null;
stage.addEventListener('pointerdown', event => { grip = [event.clientX, event.clientY, false]; });
window.addEventListener('pointermove', event => {
  if (!grip) return;
  const [x, y] = grip, dx = event.clientX - x, dy = event.clientY - y;
  if (!grip[2] && Math.hypot(dx, dy) < 4) return;
  const {width, height} = stage.getBoundingClientRect();
  stage.classList.add('moving');
  hush();
  view[0] -= dx * view[2] / width; view[1] -= dy * view[3] / height;
  grip = [event.clientX, event.clientY, moved = true];
  look();
});
let dragged = false;
window.addEventListener('pointerup', () => {
  dragged = Boolean(grip && grip[2]);
  grip = null;
  stage.classList.remove('moving');
});

// Opening and closing ---------------------------------------------------------------------------

function turn(i) {
  moved = true;
  const before = placed.get(i).slice();
  open[i] = !open[i];
  draw();
  const after = placed.get(i); // what was clicked stays where it was
  view[0] += after[0] - before[0]; view[1] += after[1] - before[1];
  look();
  const group = groups.get(i), handle = group.querySelector('.handle') || group;
  handle.focus({preventScroll: true});
}

function itemOf(target) {
  const group = target.closest && target.closest('[data-item]');
  return group ? Number(group.dataset.item) : -1;
}

stage.addEventListener('click', event => {
  const i = itemOf(event.target);
  if (dragged || i < 0) return;
  if (!open[i] ? inside[i].length : event.target.closest('.handle')) turn(i);
});

stage.addEventListener('keydown', event => {
  const i = itemOf(event.target);
  const far = 0.1;
  const moves = {
    ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far],
  };
  if ((event.key === 'Enter' || event.key === ' ') && i >= 0 && inside[i].length) turn(i);
  else if (moves[event.key]) shift(...moves[event.key]);
  else if (event.key === '+' || event.key === '=') zoom(1.25);
  else if (event.key === '-') zoom(0.8);
  else if (event.key === '0') { fitted(); look(); }
  else return;
  event.preventDefault();
});

// Tips ------------------------------------------------------------------------------------------

function tell(i) {
  hush();
  if (open[i] || !items[i].about && !items[i].frame) return;
  const list = document.createElement('dl');
  for (const [word, text] of items[i].about || [['module', items[i].name]]) {
    list.appendChild(document.createElement('dt')).textContent = word;
    list.appendChild(document.createElement('dd')).textContent = text;
  }
  tip.replaceChildren(list);
  tip.hidden = false;
  groups.get(i).classList.add('tip-of');
  drawn.forEach((edge, k) => {
    if (edge.from === i || edge.to === i) lines[k].classList.add('near');
  });
  const around = stage.parentElement.getBoundingClientRect();
  const at = groups.get(i).getBoundingClientRect(), own = tip.getBoundingClientRect();
  const below = at.bottom + 6 + own.height < around.bottom;
  const x = Math.min(Math.max(at.left - around.left, 4), around.width - own.width - 4);
  const y = below ? at.bottom - around.top + 6 : at.top - around.top - own.height - 6;
  tip.style.left = Math.max(4, x) + 'px';
  tip.style.top = Math.max(4, y) + 'px';
}

function hush() {
  tip.hidden = true;
  for (const element of stage.querySelectorAll('.tip-of,.near')) {
    element.classList.remove('tip-of', 'near');
  }
}

stage.addEventListener('pointerover', event => {
  const i = itemOf(event.target);
  if (!grip) { if (i >= 0) tell(i); else hush(); }
});
stage.addEventListener('pointerleave', hush);
stage.addEventListener('focusin', event => {
  const i = itemOf(event.target);
  if (i >= 0 && event.target.matches(':focus-visible')) tell(i);
});
stage.addEventListener('focusout', hush);

// Searching -------------------------------------------------------------------------------------

const search = byId('search'), found = byId('found');
const texts = items.map((item, i) => [
  ...rows[i].map(r => r.name || r.faint || ''), item.path || '',
  ...(item.about || []).flat(),
].join('\n').toLowerCase());
let hits = [], at = -1;

function reveal(i) {
  let changed = false;
  for (let p = items[i].in; p >= 0; p = items[p].in) if (!open[p]) open[p] = changed = true;
  if (changed) draw();
  stage.querySelectorAll('.hit').forEach(e => e.classList.remove('hit'));
  groups.get(i).classList.add('hit');
  centred(i);
}

function step(by) {
  if (!hits.length) return;
  at = (at + by + hits.length) % hits.length;
  found.textContent = (at + 1) + ' of ' + hits.length;
  reveal(hits[at]);
}

search.addEventListener('input', () => {
  const wanted = search.value.trim().toLowerCase();
  stage.querySelectorAll('.hit').forEach(e => e.classList.remove('hit'));
  hits = wanted ? items.map((_, i) => i).filter(i => texts[i].includes(wanted)) : [];
  // what is called so comes before what only mentions it
  const called = i => items[i].name.toLowerCase().includes(wanted) ? 0 : 1;
  hits.sort((a, b) => called(a) - called(b) || a - b);
  at = -1;
  found.textContent = wanted ? (hits.length ? '' : 'nothing found') : '';
  step(1);
});
search.addEventListener('keydown', event => {
  if (event.key === 'Enter') { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
});
byId('tools').addEventListener('submit', event => event.preventDefault());

window.addEventListener('keydown', event => {
  if (event.key === '/' && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
  if (event.key === 'Escape') { hush(); if (document.activeElement === search) search.blur(); }
});

function all(state) {
  items.forEach((item, i) => { if (inside[i].length) open[i] = state; });
  draw(); fitted(); look();
}
byId('open').addEventListener('click', () => all(true));
byId('close').addEventListener('click', () => all(false));
byId('in').addEventListener('click', () => zoom(1.25));
byId('out').addEventListener('click', () => zoom(0.8));
byId('fit').addEventListener('click', () => { fitted(); look(); });

byId('static').hidden = true;
byId('static').style.display = 'none';
for (const id of ['stage', 'tools', 'legend']) byId(id).hidden = false;
view = [0, 0, 100, 100];
draw();
fitted();
look();
window.addEventListener('resize', () => {
  const {width, height} = stage.getBoundingClientRect();
  const middle = view[1] + view[3] / 2; // what is looked at stays in sight
  view[3] = view[2] * height / width;
  view[1] = middle - view[3] / 2;
  if (!moved) fitted();
  look();
});
"""
)
