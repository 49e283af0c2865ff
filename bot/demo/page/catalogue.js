// Every message, card and modal in every state, with its JSON, its length and how hard it is to read.

import { blocks } from "./blocks.js";
import { el } from "./dom.js";

const NAMES = { U0ALICE: "@Alice", U0BOB: "@Bob", S0ONCALL: "@oncall", C0INCIDENTS: "#incidents" };
const screens = await (await fetch("/page/catalogue.json")).json();
const drawn = screens.map((screen) => {
  const context = { names: NAMES, press: async () => null, fields: new Map() };
  const shown = screen.blocks.length ? blocks(screen.blocks, context) : el("p", {}, screen.text);
  const json = el("pre", { tabindex: "0" });
  const details = el("details", { ontoggle: () => { json.textContent ||= JSON.stringify(screen.blocks, null, 2); } },
    el("summary", {}, "JSON"), json);
  const figures = `${screen.kind} · ${screen.length} characters · longest sentence ${screen.longest} words · level ${screen.level.toFixed(1)}`;
  return el("li", {}, el("h2", {}, screen.name), el("p", { class: "figures" }, figures),
    el("div", { class: "drawn" }, shown), el("p", { class: "figures" }, `Read aloud: ${screen.text}`), details);
});
document.getElementById("screens").append(...drawn);

const wanted = document.getElementById("wanted");
const count = document.getElementById("count");
function narrow() {
  const words = wanted.value.toLowerCase();
  drawn.forEach((node) => { node.hidden = !node.textContent.toLowerCase().includes(words); });
  count.textContent = `${drawn.filter((node) => !node.hidden).length} of ${drawn.length} screens. Buttons do nothing here.`;
}
wanted.addEventListener("input", narrow);
narrow();
