// Menus that are filled while somebody looks: what an app offers for a typed text, and the channels that one sees.
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
//
// Beside what elements.js says of it, a `context` gives `suggest(element, block, text)` → {error, groups}, `choose(element, block,
// value)` → error or null, and for channels `channels()` and `place`. `labels` is a Map in which a modal keeps what options are called.

import { dismissible, el, icon } from "./dom.js";

const PAUSE = 120; // milliseconds in which somebody types on before the app is asked
const TALLEST = 260; // pixels of an open menu, as in menus.css
let made = 0;

/** A menu to type into: ArrowDown or a press opens it, arrows walk, Enter chooses, Escape closes. */
export function externalSelect(spec, block, context, id) {
  const own = `menu-${(made += 1)}`;
  const labels = context.labels ?? new Map();
  const inForm = Boolean(context.fields) && block.type === "input";
  const input = el("input", {
    class: "text-input", id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", autofocus: spec.focus_on_load,
    placeholder: spec.placeholder?.text ?? "Choose an option",
    "aria-label": block.label ? null : (spec.placeholder?.text ?? "Choose an option"),
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": own,
    dataset: { action: spec.action_id, block: block.block_id },
  });
  const list = el("div", { class: "offered", id: own, role: "listbox", "aria-label": "Options", hidden: true });
  const holder = el("span", { class: "picker" }, input, icon("chevron"), list);
  let [chosen, options, at, asked, timer, leave] = [null, [], 0, 0, null, null];

  const point = () => {
    options.forEach((node, index) => node.setAttribute("aria-selected", String(index === at)));
    if (options.length) input.setAttribute("aria-activedescendant", options[at].id);
    else input.removeAttribute("aria-activedescendant");
    options[at]?.scrollIntoView({ block: "nearest" });
  };
  /** Over all that is around, so that nothing moves under a press elsewhere: below the field, or above where there is no room. */
  const place = () => {
    const field = input.getBoundingClientRect();
    const above = innerHeight - field.bottom < TALLEST && field.top > innerHeight - field.bottom;
    list.style.left = `${field.left}px`;
    list.style.width = `${field.width}px`;
    list.style.top = above ? "auto" : `${field.bottom + 4}px`;
    list.style.bottom = above ? `${innerHeight - field.top + 4}px` : "auto";
  };
  const close = () => {
    removeEventListener("scroll", place, true);
    asked += 1;
    clearTimeout(timer);
    leave = null;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    input.value = labels.get(chosen) ?? "";
  };
  const show = (nodes) => {
    list.replaceChildren(...nodes);
    options = [...list.querySelectorAll("[role=option]")];
    at = 0;
    point();
  };
  const take = async (option) => {
    chosen = option.value;
    labels.set(chosen, option.text.text);
    leave();
    if (inForm) return;
    holder.querySelector(".trouble")?.remove();
    holder.setAttribute("aria-busy", "true");
    const error = await context.choose?.(spec, block, chosen);
    holder.removeAttribute("aria-busy");
    if (error) holder.append(el("span", { class: "trouble", role: "alert", title: error, "aria-label": error }, icon("warning")));
  };
  const drawn = (option, index) => el("div", {
    role: "option", id: `${own}-${index}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(option); },
  }, el("b", {}, option.text.text), option.description && el("small", {}, option.description.text));
  const ask = async () => {
    const mine = (asked += 1);
    show([el("p", { class: "hint", role: "status" }, "Loading…")]);
    const { error, groups } = await (context.suggest?.(spec, block, typed()) ?? { groups: [] });
    if (mine !== asked) return; // somebody has typed on, or closed it
    if (error) { show([el("p", { class: "error", role: "alert" }, icon("warning"), error)]); return; }
    let count = 0;
    const nodes = groups.map((group) => el("div", { role: "group", "aria-label": group.label?.text },
      group.label && el("p", { "aria-hidden": "true" }, group.label.text), group.options.map((option) => drawn(option, (count += 1)))));
    show(count ? nodes : [el("p", { class: "hint", role: "status" }, "No results")]);
    list.taken = groups.flatMap((group) => group.options);
  };
  const typed = () => (input.value === labels.get(chosen) ? "" : input.value);
  const open = () => {
    if (leave) return;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    leave = dismissible(holder, close);
    ask();
    place();
    addEventListener("scroll", place, true);
  };
  input.addEventListener("click", () => { open(); input.select(); });
  input.addEventListener("blur", () => leave?.());
  input.addEventListener("input", () => {
    if (!leave) open();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!leave) { open(); input.select(); }
      else if (options.length) { at = (at + step + options.length) % options.length; point(); }
    } else if (event.key === "Escape" && leave) {
      event.preventDefault(); // or the dialog around it would close, too
    } else if (event.key === "Enter" && leave) {
      event.preventDefault();
      if (options.length) take(list.taken[at]);
    }
  });
  input.restore = (value) => {
    chosen = value;
    input.value = labels.get(value) ?? "";
  };
  context.fields?.set(`${block.block_id}/${spec.action_id}`, () => chosen);
  return holder;
}

/** A menu of the channels that one sees, with the one that was looked at. */
export function conversationsSelect(spec, block, context, id) {
  const kinds = spec.filter?.include;
  const kind = (channel) => (channel.direct ? "im" : channel.private ? "private" : "public");
  const channels = (context.channels?.() ?? []).filter((channel) => !kinds || kinds.includes(kind(channel)));
  const usual = spec.initial_conversation ?? (spec.default_to_current_conversation ? context.place : null);
  const node = el("select", { class: "select", id, dataset: { action: spec.action_id, block: block.block_id } },
    channels.some((channel) => channel.id === usual) ? null : el("option", { value: "", selected: true }, "Choose a channel"),
    channels.map((channel) => el("option", { value: channel.id, selected: channel.id === usual }, `#${channel.name}`)));
  context.fields?.set(`${block.block_id}/${spec.action_id}`, () => node.value || null);
  return node;
}
