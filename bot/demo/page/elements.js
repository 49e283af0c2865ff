// Block Kit's interactive elements. https://docs.slack.dev/reference/block-kit/block-elements
//
// A `context` says where they live: `names`, `press(element, block, option)` → error or null, and in a modal `fields`,
// a Map of "block_id/action_id" → function giving the value that is filled in.

import { confirmed } from "./confirm.js";
import { dismissible, el, icon } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { conversationsSelect, externalSelect } from "./menus.js";
import { mrkdwn } from "./mrkdwn.js";

/** A text object as nodes. */
export function text(object, names) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : [withEmoji(object.text)];
}

/** The element as a node; one this page does not know shows its type, so that nothing vanishes silently. */
export function element(spec, block, context) {
  const draw = KINDS[spec.type];
  return draw ? draw(spec, block, context) : el("span", { class: "unknown" }, `[${spec.type}]`);
}

const KINDS = {
  button,
  overflow,
  image: picture,
  static_select: select,
  external_select: (spec, block, context) => externalSelect(spec, block, context, field(block, spec)),
  conversations_select: (spec, block, context) => conversationsSelect(spec, block, context, field(block, spec)),
  radio_buttons: (spec, block, context) => choices(spec, block, context, "radio"),
  checkboxes: (spec, block, context) => choices(spec, block, context, "checkbox"),
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  datepicker: textInput,
  mrkdwn: (spec, _, context) => el("span", {}, text(spec, context.names)),
  plain_text: (spec, _, context) => el("span", {}, text(spec, context.names)),
};

async function press(node, spec, block, option, context) {
  if (node.getAttribute("aria-busy")) return;
  if (spec.confirm && !(await confirmed(spec.confirm, context.names))) return;
  node.setAttribute("aria-busy", "true");
  node.parentElement?.querySelector(".trouble")?.remove();
  const error = await context.press(spec, block, option);
  node.removeAttribute("aria-busy");
  if (error && node.isConnected) {
    node.after(el("span", { class: "trouble", role: "alert", title: error, "aria-label": error }, icon("warning")));
  }
}

function button(spec, block, context) {
  const node = el(
    "button",
    {
      type: "button",
      class: `button ${spec.style ?? ""}`,
      "aria-label": spec.accessibility_label,
      dataset: { action: spec.action_id, block: block.block_id },
      onclick: () => {
        if (spec.url) window.open(spec.url, "_blank", "noopener,noreferrer");
        press(node, spec, block, undefined, context);
      },
    },
    text(spec.text, context.names),
  );
  return node;
}

function overflow(spec, block, context) {
  const open = el("button", {
    type: "button",
    class: "button overflow",
    "aria-label": "More options",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    dataset: { action: spec.action_id, block: block.block_id },
  }, icon("more"));
  const holder = el("span", { class: "menu-holder" }, open);
  open.addEventListener("click", () => {
    const items = spec.options.map((option) => ({
      label: text(option.text, context.names),
      hint: option.description ? text(option.description, context.names) : null,
      chosen: () => press(open, spec, block, option.value, context),
    }));
    menu(holder, open, items);
  });
  return holder;
}

/** Open a menu below `opener`: items of {label, hint, chosen()}; arrows walk, Escape closes. */
export function menu(holder, opener, items) {
  if (holder.querySelector(".menu")) return;
  const list = el("div", { class: "menu", role: "menu" }, items.map((item) => el("button", {
    type: "button",
    role: "menuitem",
    onclick: () => { close(); opener.focus(); item.chosen(); },
  }, item.label, item.hint && el("small", {}, item.hint))));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.children];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  const close = dismissible(list, () => {
    list.remove();
    opener.setAttribute("aria-expanded", "false");
  });
  opener.setAttribute("aria-expanded", "true");
  holder.append(list);
  const floor = holder.closest(".scroller")?.getBoundingClientRect().bottom ?? innerHeight;
  if (list.getBoundingClientRect().bottom > floor - 8) list.classList.add("upward");
  list.firstElementChild?.focus();
}

function picture(spec) {
  const local = /^(data:image\/|\/)/.test(spec.image_url ?? "");
  if (local) return el("img", { class: "picture", src: spec.image_url, alt: spec.alt_text });
  return el("span", { class: "picture absent", role: "img", "aria-label": spec.alt_text }, spec.alt_text);
}

function select(spec, block, context) {
  const groups = spec.option_groups ?? [{ options: spec.options }];
  const chosen = spec.initial_option?.value;
  const options = (group) => group.options.map((option) => el("option", {
    value: option.value,
    selected: option.value === chosen,
  }, text(option.text, context.names)));
  const node = el("select", {
    class: "select",
    id: field(block, spec),
    "aria-label": block.label ? null : (spec.placeholder?.text ?? "Choose"),
    dataset: { action: spec.action_id, block: block.block_id },
    onchange: () => { if (!context.fields || block.type !== "input") press(node, spec, block, node.value, context); },
  }, chosen ? null : el("option", { value: "", selected: true }, spec.placeholder?.text ?? "Choose an option"),
  groups.map((group) => (group.label ? el("optgroup", { label: group.label.text }, options(group)) : options(group))));
  context.fields?.set(`${block.block_id}/${spec.action_id}`, () => node.value || null);
  return node;
}

function choices(spec, block, context, type) {
  const initial = spec.initial_options ?? (spec.initial_option ? [spec.initial_option] : []);
  const box = el("div", { class: "choices", role: "group", "aria-label": block.label?.text ?? spec.action_id });
  spec.options.forEach((option, index) => {
    const id = `${field(block, spec)}-${index}`;
    const input = el("input", {
      type,
      id,
      name: field(block, spec),
      value: option.value,
      checked: initial.some((one) => one.value === option.value),
      onchange: () => { if (block.type !== "input") press(box, spec, block, option.value, context); },
    });
    const hint = option.description && el("small", {}, text(option.description, context.names));
    box.append(el("label", { for: id }, input, el("span", {}, text(option.text, context.names), hint)));
  });
  context.fields?.set(`${block.block_id}/${spec.action_id}`, () => {
    const ticked = [...box.querySelectorAll("input:checked")].map((input) => input.value);
    return type === "radio" ? (ticked[0] ?? null) : ticked;
  });
  return box;
}

const TYPES = { number_input: "number", email_text_input: "email", url_text_input: "url", datepicker: "date" };

function textInput(spec, block, context) {
  const node = el(spec.multiline ? "textarea" : "input", {
    class: "text-input",
    id: field(block, spec),
    type: spec.multiline ? null : (TYPES[spec.type] ?? "text"),
    rows: spec.multiline ? "4" : null,
    maxlength: spec.max_length,
    placeholder: spec.placeholder?.text,
    value: spec.initial_value ?? spec.initial_date ?? "",
    autofocus: spec.focus_on_load,
    autocomplete: "off",
    dataset: { action: spec.action_id, block: block.block_id },
  });
  context.fields?.set(`${block.block_id}/${spec.action_id}`, () => node.value || null);
  return node;
}

/** The id of a field, so that its label can point to it. */
export const field = (block, spec) => `field-${block.block_id}-${spec.action_id}`;
