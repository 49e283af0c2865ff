// Building the page out of elements. Everything that is data goes through textContent, never through HTML.

/** An element with attributes (`class`, `aria-label`, `onclick`, `dataset` …) and children (nodes, texts, null). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SHAPES = {
  hash: "M7.5 3 5.5 17M14.5 3l-2 14M3.5 7.5h14M2.5 12.5h14",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  eye: "M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10zM10 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  send: "M3 3.5 17.5 10 3 16.5 5 10zM5 10h7",
  warning: "M10 3 1.8 17h16.400zM10 8v4.5M10 14.8v.2",
  more: "M10 4.5v.01M10 10v.01M10 15.5v.01",
  thread: "M3 4h14v9H9l-4 3.500V13H3zM6.5 7.200h7M6.5 10h4",
  cross: "M4.5 4.5l11 11M15.5 4.5l-11 11",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  people: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5c0-3 2.3-5 5.5-5s5.5 2 5.5 5M13 4a3 3 0 0 1 0 5.5M15 12c2 .6 3 2.3 3 4.5",
  chevron: "M5 7.5 10 12.5l5-5",
  home: "M3 9.5 10 3.5l7 6V17h-5v-4.5H8V17H3z",
  pulse: "M2 10h3.5l2-6 4 12 2.2-6H18",
  check: "M4 10.5l4 4 8-9",
  bolt: "M11 2.500 4.500 11.500H9L8.500 17.500 15.500 8.500H10.500z",
};

const SVG = "http://www.w3.org/2000/svg";

/** A line drawing of 20 × 20 units; decoration only, so hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

const HUES = ["#e01e5a", "#1264a3", "#007a5a", "#b3541e", "#6b3fa0", "#00829b", "#8a6a00", "#a8327f"];

/** The picture of somebody: initials on a colour of their own, or the app's mark. */
export function avatar(id, name, { app = false, small = false } = {}) {
  const classes = `avatar${small ? " avatar-small" : ""}`;
  if (app) return el("img", { class: classes, src: "/page/mark.svg", alt: "" });
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  const face = el("span", { class: classes, "aria-hidden": "true" }, initials);
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  face.style.background = HUES[sum % HUES.length];
  return face;
}

/** Close what is open (a menu, a popup) on Escape, on a press elsewhere, and on losing the focus. */
export function dismissible(box, close) {
  const away = (event) => { if (!box.contains(event.target)) done(); };
  const key = (event) => { if (event.key === "Escape") { event.stopPropagation(); done(); } };
  function done() {
    document.removeEventListener("pointerdown", away, true);
    box.removeEventListener("keydown", key);
    close();
  }
  document.addEventListener("pointerdown", away, true);
  box.addEventListener("keydown", key);
  return done;
}
