// Block Kit's blocks as elements. https://docs.slack.dev/reference/block-kit/blocks

import { el, icon } from "./dom.js";
import { element, field, text } from "./elements.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";

/** Nodes for a list of blocks; see elements.js for `context`. */
export function blocks(list, context) {
  return list.map((block) => {
    const draw = KINDS[block.type];
    return draw ? draw(block, context) : el("div", { class: "unknown" }, `[${block.type}]`);
  });
}

const KINDS = {
  header: (block, { names }) =>
    el("div", { class: "block header", role: "heading", "aria-level": "3" }, text(block.text, names)),
  divider: () => el("hr", { class: "block divider" }),
  section,
  context: (block, context) => el("div", { class: "block context" }, block.elements.map((one) =>
    one.type === "image" ? element(one, block, context) : el("span", {}, text(one, context.names)))),
  actions: (block, context) =>
    el("div", { class: "block actions" }, block.elements.map((one) => element(one, block, context))),
  image: (block, context) => el("figure", { class: "block figure" },
    block.title && el("figcaption", {}, text(block.title, context.names)), element({ ...block, type: "image" }, block, context)),
  input,
  rich_text: (block, { names }) => el("div", { class: "block" }, richText(block, names)),
  markdown: (block) => el("div", { class: "block markdown" }, markdown(block.text)),
  alert: (block, { names }) => el("div", { class: `block alert ${block.level ?? "default"}`, role: "note" },
    icon(block.level === "success" ? "check" : "warning"), el("span", {}, text(block.text, names))),
  card,
  table,
};

function section(block, context) {
  const words = el("div", { class: "words" },
    block.text && el("div", {}, text(block.text, context.names)),
    block.fields && el("div", { class: "fields" }, block.fields.map((one) => el("div", {}, text(one, context.names)))));
  return el("div", { class: "block section" }, words,
    block.accessory && el("div", { class: "accessory" }, element(block.accessory, block, context)));
}

function input(block, context) {
  const error = context.errors?.[block.block_id];
  const node = el("div", { class: `block input${error ? " wrong" : ""}` },
    el("label", { for: field(block, block.element) }, text(block.label, context.names),
      block.optional && el("span", { class: "optional" }, " (optional)")),
    element(block.element, block, context),
    error && el("p", { class: "error", role: "alert" }, icon("warning"), error),
    block.hint && el("p", { class: "hint" }, text(block.hint, context.names)));
  if (error) node.querySelector("input, textarea, select")?.setAttribute("aria-invalid", "true");
  return node;
}

function card(block, context) {
  return el("div", { class: "block card" },
    block.title && el("b", {}, text(block.title, context.names)),
    block.subtitle && el("span", { class: "subtitle" }, text(block.subtitle, context.names)),
    block.body && el("div", {}, text(block.body, context.names)),
    block.actions && el("div", { class: "actions" }, block.actions.map((one) => element(one, block, context))));
}

function table(block, context) {
  const cell = (one) => (one.type === "rich_text" ? richText(one, context.names) : String(one.text ?? one.value ?? ""));
  const row = (cells, tag) => el("tr", {}, cells.map((one) => el(tag, {}, cell(one))));
  const [head, ...rest] = block.rows;
  return el("div", { class: "block table" }, el("table", {},
    el("thead", {}, row(head, "th")), el("tbody", {}, rest.map((cells) => row(cells, "td")))));
}
