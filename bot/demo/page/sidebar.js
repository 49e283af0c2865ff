// The left side: the workspace, its channels, the app, and who you are.

import { avatar, dismissible, el, icon } from "./dom.js";

/** Draw the sidebar. `state` has team, app, people, person, channels, place, unread; `go` has to(place) and be(person). */
export function drawSidebar(nav, state, go) {
  const rooms = state.channels.filter((channel) => !channel.direct);
  nav.replaceChildren(
    el("div", { class: "workspace" }, el("span", { class: "tile", "aria-hidden": "true" }, state.team.name[0]), el("b", {}, state.team.name)),
    el("div", { class: "rooms" },
      el("h2", {}, "Channels"),
      el("ul", {}, rooms.map((channel) => entry(channel.id, [icon(channel.private ? "lock" : "hash"), channel.name], state, go))),
      !state.person.outsider && el("h2", {}, "Apps"),
      !state.person.outsider && el("ul", {}, entry("home", [avatar("app", state.app.name, { app: true, small: true }), state.app.name], state, go))),
    switcher(state, go),
  );
}

function entry(place, label, state, go) {
  const unread = state.unread.has(place);
  const here = state.place === place || (place === "home" && state.direct && state.place === state.direct);
  return el("li", {}, el("button", {
    type: "button",
    class: `room${unread ? " unread" : ""}`,
    "aria-current": here ? "page" : null,
    onclick: () => go.to(place),
  }, label, unread && el("span", { class: "dot", role: "img", "aria-label": "unread" })));
}

function switcher(state, go) {
  const { person, people } = state;
  const open = el("button", { type: "button", class: "you", "aria-haspopup": "listbox", "aria-expanded": "false", id: "you" },
    avatar(person.id, person.name),
    el("span", {}, el("small", {}, "You are"), el("b", {}, person.name), el("small", { class: "about" }, person.about)),
    icon("chevron"));
  const holder = el("div", { class: "switcher" }, open);
  open.addEventListener("click", () => {
    if (holder.querySelector(".who-list")) return;
    const list = el("div", { class: "who-list", role: "listbox", "aria-label": "Be somebody else" },
      people.map((one) => el("button", {
        type: "button",
        role: "option",
        "aria-selected": String(one.id === person.id),
        onclick: () => { close(); go.be(one); },
      }, avatar(one.id, one.name), el("span", {}, el("b", {}, one.name, tag(one)), el("small", {}, one.about)))));
    const close = dismissible(list, () => { list.remove(); open.setAttribute("aria-expanded", "false"); });
    open.setAttribute("aria-expanded", "true");
    holder.append(list);
    (list.querySelector("[aria-selected=true]") ?? list.firstElementChild).focus();
    list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...list.children];
      all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
    });
  });
  return holder;
}

const tag = (one) => (one.outsider ? el("span", { class: "tag" }, "other workspace") : one.guest && el("span", { class: "tag" }, "guest"));

/** Draw the line above the messages. */
export function drawHead(head, { channel, place, app, direct }, { to, toggleSidebar, togglePanel, panel }) {
  const tabs = app.home && (place === "home" || channel?.direct) && el("div", { class: "tabs", role: "tablist" },
    tab("Home", place === "home", () => to("home")),
    direct && tab("Messages", place !== "home", () => to(direct)));
  const title = place === "home" || channel?.direct
    ? [avatar("app", app.name, { app: true, small: true }), app.name]
    : [icon(channel?.private ? "lock" : "hash"), channel?.name ?? ""];
  head.replaceChildren(...[
    el("button", { type: "button", class: "quiet drawer", "aria-label": "Show channels", onclick: toggleSidebar }, icon("menu")),
    el("h1", {}, title),
    channel && !channel.direct && el("span", { class: "topic" }, channel.topic),
    tabs,
    el("span", { class: "grow" }),
    channel?.shared && el("span", { class: "tag" }, "shared with another workspace"),
    channel && !channel.direct && el("span", { class: "quiet count", title: "Members" }, icon("people"), String(channel.members)),
    panel && el("button", {
      type: "button", class: "quiet", id: "panel-toggle", "aria-label": "What VoIPBIN does right now",
      "aria-expanded": String(panel.open), "aria-controls": "panel", onclick: togglePanel,
    }, icon("pulse"), el("span", { class: "label" }, "VoIPBIN")),
  ].filter(Boolean));
}

const tab = (label, selected, onclick) =>
  el("button", { type: "button", role: "tab", "aria-selected": String(selected), onclick }, label);
