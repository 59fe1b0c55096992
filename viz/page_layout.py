"""The first half of the script of a graph's page: what is open, and where it stands.

A layered layout after Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical
system structures" (1981), one for the inside of each frame.
"""

LAYOUT = r"""
const NS = 'http://www.w3.org/2000/svg';
const items = DATA.items, across = DATA.across;
const byId = id => document.getElementById(id);
const stage = byId('stage'), tip = byId('tip');
const open = items.map(item => Boolean(item.frame));
const inside = items.map(() => []), roots = [];
items.forEach((item, i) => (item.in < 0 ? roots : inside[item.in]).push(i));
const pen = document.createElement('canvas').getContext('2d');
const FONT = "Helvetica,Arial,'Liberation Sans',Arimo,sans-serif";

function wide(text, font) { pen.font = font + ' ' + FONT; return pen.measureText(text).width; }

// Boxes: rows of text, measured once ------------------------------------------------------------

const rows = items.map(item => {
  if (item.frame) return [{name: item.name}];
  const said = [{name: item.name}];
  for (const line of item.lines || []) if (line) said.push({faint: line});
  const pair = (word, texts, kind) => (texts || []).forEach(
    (text, k) => said.push({word: k ? '' : word, text, kind}));
  pair('value', item.value, '');
  pair('grad', item.grad, 'slope');
  if (item.strip) said.push({strip: item.strip, faint: item.strip[0]});
  return said;
});
const sizes = rows.map((said, i) => {
  let width = 0;
  for (const row of said) {
    width = Math.max(width,
      row.name !== undefined ? wide(row.name, 'bold 13px') + (items[i].opens ? 18 : 0)
      : row.faint !== undefined ? wide(row.faint, '11px')
      : wide(row.word || '', '11px') + 14 + wide(row.text, '11px'));
  }
  return [Math.ceil(width) + 18, said.length * 15 + 12];
});

// Layout: ranks by the longest way, order by barycentres, places by least squares -----------------

function ranked(children, links) {
  const into = new Map(children.map(c => [c, new Set()]));
  const out = new Map(children.map(c => [c, new Set()]));
  for (const [a, b] of links) { into.get(b).add(a); out.get(a).add(b); }
  const waiting = new Map(children.map(c => [c, into.get(c).size]));
  const left = new Set(children), rank = new Map();
  const ready = children.filter(c => !waiting.get(c));
  while (left.size) {
    if (!ready.length) ready.push(left.values().next().value); // a frame left and re-entered
    const c = ready.shift();
    if (!left.delete(c)) continue;
    let r = 0;
    for (const a of into.get(c)) if (rank.has(a)) r = Math.max(r, rank.get(a) + 1);
    rank.set(c, r);
    for (const b of out.get(c)) {
      waiting.set(b, waiting.get(b) - 1);
      if (!waiting.get(b) && left.has(b)) ready.push(b);
    }
  }
  for (const c of children) { // sources stand right before their first user
    const users = [...out.get(c)].map(b => rank.get(b)).filter(r => r > rank.get(c));
    if (!into.get(c).size && users.length) rank.set(c, Math.min(...users) - 1);
  }
  return rank;
}

function settled(wishes, gaps) { // nearest to the wishes with gaps kept: pool adjacent violators
  const blocks = [];
  let offset = 0;
  const offsets = wishes.map((_, k) => (offset += k ? gaps[k - 1] : 0));
  wishes.forEach((wish, k) => {
    blocks.push({sum: wish - offsets[k], n: 1});
    while (blocks.length > 1) {
      const [p, q] = blocks.slice(-2);
      if (p.sum / p.n <= q.sum / q.n) break;
      blocks.splice(-2, 2, {sum: p.sum + q.sum, n: p.n + q.n});
    }
  });
  const at = [];
  for (const b of blocks) for (let k = 0; k < b.n; k++) at.push(b.sum / b.n + offsets[at.length]);
  return at;
}

function arranged(children, links, size, entered, left) {
  const along = c => size.get(c)[across ? 0 : 1], beside = c => size.get(c)[across ? 1 : 0];
  const rank = ranked(children, links);
  const cells = new Map(), layers = [];
  const put = (key, r, thick) => {
    const cell = {key, r, thick, near: [[], []], at: 0, k: 0};
    (layers[r] = layers[r] || []).push(cell);
    return cell;
  };
  for (const c of children) cells.set(c, put(c, rank.get(c), beside(c)));
  const tied = chain => {
    for (let k = 1; k < chain.length; k++) {
      const [p, q] = [chain[k - 1], chain[k]].sort((one, other) => one.r - other.r);
      if (p.r !== q.r) { p.near[1].push(q); q.near[0].push(p); }
    }
    return chain;
  };
  const ways = links.map(([a, b]) => {
    const chain = [cells.get(a)];
    const [ra, rb] = [rank.get(a), rank.get(b)];
    for (let r = ra + 1; r < rb; r++) chain.push(put(null, r, 6));
    for (let r = ra - 1; r > rb; r--) chain.push(put(null, r, 6));
    chain.push(cells.get(b));
    return tied(chain);
  });
  // edges from outside the frame come in at its side, and go through it between its boxes
  const last = Math.max(0, ...rank.values());
  const ins = entered.map(c => {
    const chain = [];
    for (let r = 0; r < rank.get(c); r++) chain.push(put(null, r, 6));
    return tied([...chain, cells.get(c)]);
  });
  const outs = left.map(c => {
    const chain = [cells.get(c)];
    for (let r = rank.get(c) + 1; r <= last; r++) chain.push(put(null, r, 6));
    return tied(chain);
  });
  for (let r = 0; r < layers.length; r++) layers[r] = layers[r] || [];
  const number = layer => layer.forEach((cell, k) => { cell.k = k; });
  layers.forEach(number);
  const mean = (cell, side, what) => cell.near[side].length
    ? cell.near[side].reduce((sum, n) => sum + n[what], 0) / cell.near[side].length : cell[what];
  for (let sweep = 0; sweep < 10; sweep++) {
    const side = sweep % 2, order = side ? [...layers].reverse() : layers;
    for (const layer of order) {
      const wish = new Map(layer.map(cell => [cell, mean(cell, side, 'k')]));
      layer.sort((a, b) => wish.get(a) - wish.get(b) || a.k - b.k);
      number(layer);
    }
  }
  const gap = (p, q) => (p.thick + q.thick) / 2 + (p.key === null && q.key === null ? 6 : 16);
  const gaps = layers.map(layer => layer.slice(1).map((cell, k) => gap(cell, layer[k])));
  layers.forEach((layer, r) => settled(layer.map(() => 0), gaps[r]).forEach(
    (at, k) => { layer[k].at = at; }));
  for (let sweep = 0; sweep < 12; sweep++) {
    const side = sweep % 2;
    for (let n = 0; n < layers.length; n++) {
      const r = side ? layers.length - 1 - n : n;
      const wishes = layers[r].map(cell => mean(cell, side, 'at'));
      settled(wishes, gaps[r]).forEach((at, k) => { layers[r][k].at = at; });
    }
  }
  let least = Infinity, most = -Infinity, ahead = 0;
  for (const layer of layers) for (const cell of layer) {
    least = Math.min(least, cell.at - cell.thick / 2);
    most = Math.max(most, cell.at + cell.thick / 2);
  }
  const deep = cell => cell.key === null ? 0 : along(cell.key);
  const depth = layers.map(layer => Math.max(0, ...layer.map(deep)));
  const start = depth.map(d => { const s = ahead; ahead += d + 44; return s; });
  const spot = new Map();
  for (const c of children) {
    const cell = cells.get(c), p = start[cell.r] + (depth[cell.r] - along(c)) / 2;
    const s = cell.at - least - cell.thick / 2;
    spot.set(c, across ? [p, s] : [s, p]);
  }
  const bent = chain => chain.flatMap(cell => {
    const s = cell.at - least;
    return [[start[cell.r], s], [start[cell.r] + depth[cell.r], s]]
      .map(([p, q]) => across ? [p, q] : [q, p]);
  });
  const total = [Math.max(0, ahead - 44), Math.max(0, most - least)];
  return {
    spot, total: across ? total : [total[1], total[0]],
    bends: ways.map(chain => bent(chain.slice(1, -1))),
    ins: new Map(entered.map((c, k) => [c, bent(ins[k].slice(0, -1))])),
    outs: new Map(left.map((c, k) => [c, bent(outs[k].slice(1))])),
  };
}

// What is open, and where it stands ---------------------------------------------------------------

let placed = new Map(), drawn = [];

function laidOut() {
  const shown = items.map(() => -1); // what stands for each item
  const visit = (i, stand) => {
    shown[i] = stand >= 0 ? stand : open[i] ? -1 : i;
    for (const child of inside[i]) visit(child, shown[i]);
  };
  roots.forEach(i => visit(i, -1));
  const seen = new Map();
  for (const [a, b, port] of DATA.edges) {
    const p = shown[a], q = shown[b];
    if (p < 0 || q < 0 || p === q) continue;
    const said = q === b ? port : '', key = p + ' ' + q + ' ' + said;
    if (!seen.has(key)) seen.set(key, {from: p, to: q, port: said});
  }
  const edges = [...seen.values()];
  const up = i => {
    const way = [];
    for (; i >= 0; i = items[i].in) way.push(i);
    return way.reverse();
  };
  const entered = new Map(), left = new Map(); // container -> children with edges across its side
  const add = (map, home, c) => map.set(home, (map.get(home) || new Set()).add(c));
  const links = new Map(); // container -> its links
  for (const edge of edges) {
    const a = up(edge.from), b = up(edge.to);
    let k = 0;
    while (a[k] === b[k]) k++;
    const home = k ? a[k - 1] : -1;
    if (!links.has(home)) links.set(home, new Map());
    const mine = links.get(home), key = a[k] + ' ' + b[k];
    if (!mine.has(key)) mine.set(key, {pair: [a[k], b[k]], edges: []});
    mine.get(key).edges.push(edge);
    edge.a = a.slice(k); edge.b = b.slice(k);
    for (let n = 1; n < edge.a.length; n++) add(left, edge.a[n - 1], edge.a[n]);
    for (let n = 1; n < edge.b.length; n++) add(entered, edge.b[n - 1], edge.b[n]);
  }
  const size = new Map(), plans = new Map();
  const measure = (home, children) => {
    for (const c of children) {
      if (!open[c]) { size.set(c, sizes[c]); continue; }
      const [w, h] = measure(c, inside[c]);
      size.set(c, [Math.max(w + 24, sizes[c][0] + 26), h + 44]);
    }
    const mine = [...(links.get(home) || new Map()).values()];
    const pairs = mine.map(link => link.pair);
    const sides = [entered, left].map(map => [...(map.get(home) || [])]);
    const plan = arranged(children, pairs, size, ...sides);
    plans.set(home, {plan, mine, children});
    return plan.total;
  };
  const total = measure(-1, roots);
  placed = new Map();
  const ways = new Map();
  const place = (home, x, y) => {
    const {plan, mine, children} = plans.get(home);
    const moved = points => points.map(([a, b]) => [a + x, b + y]);
    mine.forEach((link, k) => link.edges.forEach(edge => { edge.bends = moved(plan.bends[k]); }));
    plan.ins.forEach((points, c) => ways.set('in' + c, moved(points)));
    plan.outs.forEach((points, c) => ways.set('out' + c, moved(points)));
    for (const c of children) {
      const [a, b] = plan.spot.get(c), [w, h] = size.get(c);
      placed.set(c, [x + a, y + b, w, h]);
      if (open[c]) place(c, x + a + 12, y + b + 32);
    }
  };
  place(-1, 0, 0);
  for (const edge of edges) {
    edge.bends = [
      ...edge.a.slice(1).reverse().flatMap(c => ways.get('out' + c)), ...edge.bends,
      ...edge.b.slice(1).flatMap(c => ways.get('in' + c)),
    ];
  }
  drawn = edges;
  return total;
}
"""
