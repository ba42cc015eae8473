// Patching the page in place: a node is touched only where something changed.

/** Set a node's text if it is another one. */
export function put(node, text) {
  const wanted = String(text ?? '');
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Set an attribute, or take it away where the value is null or false. */
export function mark(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const wanted = value === true ? '' : String(value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

/** Show or hide a node. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Set markup made by us from numbers alone; texts never go through here. */
export function draw(node, svg) {
  if (node.drawn !== svg) {
    node.innerHTML = svg;
    node.drawn = svg;
  }
}

/**
 * Bring a list's children in line with `items`, reusing nodes by key.
 *
 * `create(item)` makes a node, `patch(node, item)` brings it up to date. Items of
 * one key have a node each: two reports of one time may bear the same title.
 */
export function list(parent, items, keyOf, create, patch) {
  const known = parent.keyed ?? new Map();
  const next = new Map();
  const times = new Map();
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = keyOf(item);
    const nth = times.get(name) ?? 0;
    times.set(name, nth + 1);
    const key = nth ? `${name}|${nth}` : name;
    const node = known.get(key) ?? create(item);
    next.set(key, node);
    patch(node, item);
    if (node === before) {
      before = before.nextElementSibling;
    } else {
      parent.insertBefore(node, before);
    }
  }
  for (const [key, node] of known) {
    if (next.get(key) !== node) node.remove();
  }
  parent.keyed = next;
}

/** Make an element: tag, class, children (texts stay texts). */
export function el(tag, className = '', ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}
