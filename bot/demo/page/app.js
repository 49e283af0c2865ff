// The page: one person's Slack window onto the simulated workspace.

import { blocks } from "./blocks.js";
import { Composer } from "./composer.js";
import { el } from "./dom.js";
import { focusAgain, MessageList } from "./messages.js";
import { inline } from "./mrkdwn.js";
import { Modals } from "./modals.js";
import { Panel } from "./panel.js";
import { act, people, Screen, suggest } from "./server.js";
import { drawHead, drawSidebar } from "./sidebar.js";

const $ = (id) => document.getElementById(id);
const state = { place: null, unread: new Set(), errors: [], ...(await people()) };
state.person = state.people.find((one) => one.id === sessionStorage.getItem("person")) ?? state.people[0];

const desk = {
  get person() { return state.person; },
  app: state.app,
  commands: [...state.commands, { command: `@${state.app.name}`, usage_hint: "the same words", description: "In threads, too" }],
  shortcuts: state.shortcuts,
  mentions: [{ command: `@${state.app.name}`, description: "The app" },
    ...state.people.map((one) => ({ command: `@${one.name}`, description: one.about, person: one })),
    ...state.groups.map((one) => ({ command: `@${one.name}`, description: "A user group" }))],
  names: () => screen?.names ?? {},
  guide: (channel) => (panel.guide?.channel === channel ? guided(panel.guide, channel) : null),
  types: (line) => say(line, null),
  act,
  suggest,
  globals: state.globals,
  channels: () => [...screen.channels.values()],
  shortcut: (callback_id) => act("global", { user: state.person.id, channel: state.place, callback_id }),
  reply: ({ channel, thread, ts }) => {
    const parent = screen.messages.get(`message/${channel}/${thread ?? ts}`);
    composer.reply(thread ?? ts, inline(parent?.text ?? "", screen.names));
  },
};
const list = new MessageList($("messages"), $("scroller"), $("latest"), desk);
const modals = new Modals(desk);
const panel = new Panel($("panel"));
const composer = new Composer($("composer"), desk, say);
let screen = null;
let frame = null;
let linked = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(location.pathname); // a link to one message
if (linked) state.place = linked[1];

/** Become somebody. */
function be(person) {
  screen?.leave();
  state.person = person;
  state.errors = [];
  state.unread.clear();
  sessionStorage.setItem("person", person.id);
  modals.show([]);
  screen = new Screen(person.id, state.now, changed);
  if (state.place === "home" && person.outsider) state.place = null;
  else if (state.place === "home") act("home", { user: person.id });
}

/** Something changed on the screen of this person. */
function changed(difference) {
  document.body.classList.toggle("lost", Boolean(difference.lost));
  if (difference.lost) return;
  if (!state.place || (state.place !== "home" && !screen.channels.has(state.place))) {
    state.place = [...screen.channels.values()].find((channel) => !channel.direct)?.id ?? "home";
  }
  if (!difference.reset) {
    for (const message of Object.entries(difference.put).filter(([key]) => key.startsWith("message/")).map(([, one]) => one)) {
      if (message.channel !== state.place && message.user !== state.person.id) state.unread.add(unreadPlace(message.channel));
    }
  }
  draw();
  modals.show(screen.views);
  panel.changed();
}

/** The steps of the first minute, and which of them this person has done: seen by the buttons that came. */
function guided(guide, channel) {
  const seen = JSON.stringify(screen.in(channel).map((message) => message.blocks));
  const pressed = guide.ended || seen.includes('"stop.flow"');
  const done = { "activeflow.ask_stop": pressed || seen.includes('"activeflow.ask_stop"'), "stop.flow": pressed, ended: guide.ended };
  return { ...guide, steps: guide.steps.map((step) => ({ ...step, done: done[step.done] })) };
}

const directChannel = () => [...screen.channels.values()].find((channel) => channel.direct)?.id ?? null;
const unreadPlace = (channel) => (channel === directChannel() ? "home" : channel);

function draw() {
  const channel = screen.channels.get(state.place);
  const channels = [...screen.channels.values()];
  drawFrame(channel, channels, directChannel());
  const atHome = state.place === "home";
  $("home").hidden = !atHome;
  $("scroller").hidden = atHome;
  $("composer").hidden = atHome;
  document.title = `${channel ? `#${channel.name}` : state.app.name} – ${state.team.name}`;
  if (atHome) return drawHome();
  composer.at(channel.direct ? channel.name : `#${channel.name}`, state.person.id);
  const messages = [...screen.in(state.place), ...state.errors.filter((one) => one.channel === state.place)];
  list.show(channel, messages.sort((one, other) => (one.ts < other.ts ? -1 : 1)));
  if (linked?.[1] === state.place) list.point(`${linked[2]}.${linked[3]}`);
  linked = null;
}

// Only when something in it changed: a menu that is open must not vanish because a message came.
function drawFrame(channel, channels, direct) {
  const print = JSON.stringify([state.place, state.person, [...state.unread], channels, panel.there, panel.open]);
  if (print === frame) return;
  frame = print;
  const focused = document.activeElement?.closest("#sidebar, #head") && document.activeElement.textContent;
  drawSidebar($("sidebar"), { ...state, channels, direct }, { to, be });
  drawHead($("head"), { channel, place: state.place, app: state.app, direct }, {
    to,
    toggleSidebar: () => document.body.classList.toggle("with-sidebar"),
    togglePanel: () => { panel.toggle(); draw(); },
    panel: panel.there ? panel : null,
  });
  if (focused) [...document.querySelectorAll("#sidebar button, #head button")].find((one) => one.textContent === focused)?.focus();
}

function drawHome() {
  const home = screen.home;
  const press = (spec, block, option) => act("click", {
    user: state.person.id, view: home.id, action_id: spec.action_id, block_id: block.block_id, option,
  });
  const menu = (spec, block) => ({ user: state.person.id, view: home.id, action_id: spec.action_id, block_id: block.block_id });
  const offers = {
    suggest: (spec, block, typed) => suggest({ ...menu(spec, block), typed }),
    choose: (spec, block, option) => act("choose", { ...menu(spec, block), option }),
  };
  const content = home
    ? blocks(home.content.blocks, { names: screen.names, press, ...offers })
    : [el("p", { class: "empty" }, `${state.app.name} has nothing on its Home tab for you yet.`)];
  const print = JSON.stringify([state.person.id, home]);
  if ($("home").dataset.print === print) return;
  $("home").dataset.print = print;
  const focused = $("home").contains(document.activeElement) ? document.activeElement.dataset : null;
  $("home").replaceChildren(el("div", { class: "column" }, content));
  if (focused?.action) focusAgain($("home"), focused);
}

/** Go to a channel or to the app's Home. */
async function to(place) {
  state.place = place;
  state.unread.delete(unreadPlace(place));
  document.body.classList.remove("with-sidebar");
  draw();
  if (place === "home") await act("home", { user: state.person.id });
  else composer.focus();
}

/** Send a line; an error appears where Slack shows it, as a message only this person sees. */
async function say(text, thread) {
  const where = { user: state.person.id, channel: state.place };
  const error = await act("type", { ...where, text, thread });
  if (!error || where.user !== state.person.id) return;
  const ts = (Date.now() / 1000).toFixed(6);
  const words = error.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  state.errors.push({ channel: where.channel, ts, user: "slackbot", system: "Slackbot", text: words, blocks: [], ephemeral: true, thread });
  draw();
}

$("veil").addEventListener("click", () => { document.body.classList.remove("with-sidebar"); panel.toggle(false); draw(); });
await panel.start();
panel.guided = () => screen && draw();
be(state.person);
composer.focus();
