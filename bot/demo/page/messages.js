// The list of messages of one channel, kept in step with the screen; only what changed is drawn anew.

import { blocks } from "./blocks.js";
import { clock, day, moment } from "./dates.js";
import { avatar, el, icon } from "./dom.js";
import { menu } from "./elements.js";
import { mrkdwn } from "./mrkdwn.js";

const CLOSE_TOGETHER = 300; // seconds in which one writer's messages share a picture

/** `desk` gives `person`, `app`, `shortcuts`, `names()`, `act(what, asked)`, `reply(message)`, `guide(channel)`, `types(line)`. */
export class MessageList {
  constructor(list, scroller, latest, desk) {
    this.list = list;
    this.scroller = scroller;
    this.latest = latest;
    latest.append(icon("chevron"), "New messages");
    latest.addEventListener("click", () => this.toEnd());
    scroller.addEventListener("scroll", () => { if (this.nearEnd()) latest.hidden = true; }, { passive: true });
    this.desk = desk;
    this.drawn = new Map();
    this.channel = null;
  }

  /** Show these messages (oldest first) of a channel, and the person's own error lines among them. */
  show(channel, messages) {
    if (channel.id !== this.channel) {
      this.list.replaceChildren();
      this.drawn.clear();
      this.channel = channel.id;
      this.atEnd = true;
    } else {
      this.atEnd = this.nearEnd();
    }
    this.opening = this.drawn.size === 0;
    const rows = this.rows(channel, messages);
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { node }] of this.drawn) {
      if (!keys.has(key)) { node.remove(); this.drawn.delete(key); }
    }
    let previous = null;
    for (const row of rows) previous = this.place(row, previous);
    if (this.atEnd) this.toEnd();
    else if (rows.at(-1).key !== this.newest) this.latest.hidden = false;
    this.newest = rows.at(-1).key;
  }

  nearEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 80;
  }

  toEnd() {
    this.latest.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Bring one message into view and let it light up, for somebody who followed a link to it. */
  point(ts) {
    const node = this.drawn.get(ts)?.node;
    node?.scrollIntoView({ block: "center" });
    node?.classList.add("fresh");
  }

  place(row, previous) {
    const known = this.drawn.get(row.key);
    let node = known?.node;
    if (known?.print !== row.print) {
      const fresh = row.draw();
      if (known) {
        const focused = node.contains(document.activeElement) ? document.activeElement.dataset : null;
        node.replaceWith(fresh);
        if (focused?.action) focusAgain(fresh, focused);
      }
      else if (!this.opening) fresh.classList.add("fresh");
      node = fresh;
      this.drawn.set(row.key, { node, print: row.print });
    }
    const expected = previous ? previous.nextSibling : this.list.firstChild;
    if (expected !== node) this.list.insertBefore(node, expected);
    return node;
  }

  rows(channel, messages) {
    const guide = this.desk.guide?.(channel.id);
    const rows = [{ key: "start", print: JSON.stringify([channel.name, guide]), draw: () => beginning(channel, guide, this.desk) }];
    const replies = messages.filter((message) => message.thread && message.thread !== message.ts);
    let before = null;
    let date = null;
    for (const message of messages.filter((one) => !replies.includes(one))) {
      if (date !== day(message.ts)) {
        const today = (date = day(message.ts));
        rows.push({ key: `day/${today}`, print: today, draw: () => el("li", { class: "day" }, el("span", {}, today)) });
        before = null;
      }
      const thread = replies.filter((reply) => reply.thread === message.ts);
      const together = goTogether(before, message);
      const print = JSON.stringify([message, thread, together, this.desk.names(), this.desk.person.id]);
      rows.push({ key: message.ts, print, draw: () => this.message(message, { together, thread }) });
      before = thread.length ? null : message;
    }
    return rows;
  }

  message(message, { together = false, thread = [], small = false } = {}) {
    const name = this.desk.names()[message.user] ?? message.user;
    const face = avatar(message.user, message.system ?? name, { app: message.bot, small });
    const time = el("time", { class: "time", title: moment(message.ts) }, clock(message.ts));
    const byline = together ? null : el("div", { class: "byline" },
      el("b", { class: "who" }, message.system ?? name),
      message.bot && el("span", { class: "badge" }, "APP"), time);
    return el(small ? "div" : "li", {
      class: `message${together ? " together" : ""}${message.ephemeral ? " ephemeral" : ""}${small ? " reply" : ""}`,
      dataset: { ts: message.ts },
    },
    message.ephemeral && el("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
    el("div", { class: "gutter" }, together ? time : face),
    el("div", { class: "content" }, byline, this.content(message), this.thread(thread)),
    this.toolbar(message));
  }

  content(message) {
    const names = this.desk.names();
    const where = { channel: message.channel, ts: message.ts };
    const press = (spec, block, option) => // as whoever one is then, not when it was drawn
      this.desk.act("click", { user: this.desk.person.id, ...where, action_id: spec.action_id, block_id: block.block_id, option });
    const menu = (spec, block) => ({ user: this.desk.person.id, ...where, action_id: spec.action_id, block_id: block.block_id });
    const suggest = (spec, block, typed) => this.desk.suggest({ ...menu(spec, block), typed });
    const choose = (spec, block, option) => this.desk.act("choose", { ...menu(spec, block), option });
    const body = message.blocks.length ? blocks(message.blocks, { names, press, suggest, choose }) : [el("div", { class: "block" }, mrkdwn(message.text, names))];
    const edited = message.edited && el("span", { class: "edited" }, "(edited)");
    if (edited && !message.blocks.length) body[0].append(" ", edited);
    return el("div", { class: "blocks" }, body, edited && message.blocks.length ? edited : null);
  }

  thread(replies) {
    if (!replies.length) return null;
    const label = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
    return el("details", { class: "thread", open: true },
      el("summary", {}, label, el("span", {}, ` Last reply ${clock(replies.at(-1).ts)}`)),
      replies.map((reply) => this.message(reply, { small: true })));
  }

  toolbar(message) {
    if (message.ephemeral || message.system) return null;
    const reply = el("button", { type: "button", "aria-label": "Reply in thread", onclick: () => this.desk.reply(message) }, icon("thread"));
    return el("div", { class: "toolbar menu-holder" }, reply, this.desk.shortcuts.length ? this.more(message) : null);
  }

  more(message) {
    const open = el("button", { type: "button", "aria-label": "More actions", "aria-haspopup": "menu" }, icon("more"));
    const asked = { channel: message.channel, ts: message.ts };
    open.addEventListener("click", () => menu(open.parentElement, open, this.desk.shortcuts.map((entry) => ({
      label: entry.name,
      hint: this.desk.app.name,
      chosen: () => this.desk.act("shortcut", { user: this.desk.person.id, ...asked, callback_id: entry.callback_id }),
    }))));
    return open;
  }
}

function beginning(channel, guide, desk) {
  const title = channel.direct ? channel.name : `# ${channel.name}`;
  const about = channel.direct
    ? "This is your conversation with the app."
    : `This is the very beginning of #${channel.name}. ${channel.topic}`;
  return el("li", { class: "beginning" }, el("h2", {}, title), el("p", {}, about), guide && firstMinute(guide, desk));
}

function firstMinute({ steps, then }, desk) {
  const next = steps.findIndex((step) => !step.done);
  return el("section", { class: "guide", "aria-label": "The first minute" }, el("h3", {}, "The first minute"),
    el("ol", {}, steps.map((step, index) => el("li", { class: step.done ? "done" : index === next ? "next" : "" },
      step.told, step.done && el("b", {}, " Done."),
      index === next && step.types && el("button", { type: "button", id: "guide-types", onclick: () => desk.types(step.types) }, "Type it for me")))),
    el("p", {}, then));
}

function goTogether(before, message) {
  return Boolean(before) && before.user === message.user && !message.ephemeral && !before.ephemeral
    && !message.system && Number(message.ts) - Number(before.ts) < CLOSE_TOGETHER;
}

/** Give the focus back to the button that had it before `node` was drawn anew. */
export function focusAgain(node, { action, block }) {
  const all = [...node.querySelectorAll("[data-action]")];
  const alike = all.filter((one) => one.dataset.action === action);
  (alike.find((one) => one.dataset.block === block) ?? alike[0] ?? all[0])?.focus();
}
