// Slack's mrkdwn as elements: *bold*, _italic_, ~strike~, `code`, fences, quotes, <tokens>, :emoji:, &amp; &lt; &gt;.
// https://docs.slack.dev/messaging/formatting-message-text

import { dateToken } from "./dates.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";

const decoded = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`", // 1 code
    "<([^<>\\n]+)>", // 2 token
    "(?<![\\w*])\\*(?=\\S)([^*\\n]*?\\S)\\*(?![\\w*])", // 3 bold
    "(?<![\\w_])_(?=\\S)([^_\\n]*?\\S)_(?![\\w_])", // 4 italic
    "(?<![\\w~])~(?=\\S)([^~\\n]*?\\S)~(?![\\w~])", // 5 strike
    ":([a-z0-9_+-]+):", // 6 emoji
  ].join("|"),
  "g",
);

/** Nodes for a mrkdwn text; `names` maps ids to what is shown. */
export function mrkdwn(text, names) {
  const nodes = [];
  text.split(/```\n?([\s\S]*?)\n?```\n?/).forEach((piece, index) => {
    if (index % 2) nodes.push(el("pre", { class: "fence" }, el("code", {}, fenced(piece, names))));
    else nodes.push(...lines(piece, names));
  });
  return nodes;
}

/** Nodes for one line. */
export function inline(text, names) {
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > last) nodes.push(decoded(text.slice(last, found.index)));
    nodes.push(piece(found, names));
    last = found.index + found[0].length;
  }
  if (last < text.length) nodes.push(decoded(text.slice(last)));
  return nodes;
}

/** A link that can only lead to the web, to mail or to a phone; anything else is shown as text. */
export function link(url, label) {
  const safe = /^(https?:\/\/|mailto:|tel:)/i.test(url);
  return safe ? el("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, label) : String(label);
}

/** The badge of a mentioned person or place. */
export const mention = (label, kind = "") => el("span", { class: `mention ${kind}` }, label);

function piece([whole, code, target, bold, italic, strike, shortcode], names) {
  if (code !== undefined) return el("code", { class: "code" }, fenced(code, names));
  if (target !== undefined) return token(target, names);
  if (bold !== undefined) return el("b", {}, inline(bold, names));
  if (italic !== undefined) return el("i", {}, inline(italic, names));
  if (strike !== undefined) return el("s", {}, inline(strike, names));
  return emoji(shortcode) ? el("span", { class: "emoji", role: "img", "aria-label": shortcode }, emoji(shortcode)) : whole;
}

function token(target, names) {
  const bar = target.indexOf("|");
  const [id, label] = bar < 0 ? [target, ""] : [target.slice(0, bar), target.slice(bar + 1)];
  if (id.startsWith("@")) return mention(`@${names[id.slice(1)] ?? (label || id.slice(1))}`);
  if (id.startsWith("#")) return mention(`#${names[id.slice(1)] ?? (label || id.slice(1))}`);
  if (id.startsWith("!subteam^")) return mention(`@${names[id.slice(9)] ?? label.replace("@", "")}`, "loud");
  if (id.startsWith("!date^")) {
    const [, seconds, template, url] = id.split("^");
    const shown = el("time", { title: decoded(label) }, dateToken(Number(seconds), template));
    return url ? link(decoded(url), shown) : shown;
  }
  if (id.startsWith("!")) return mention(`@${id.slice(1)}`, "loud");
  return link(decoded(id), decoded(label || id));
}

// Inside code only tokens that stand for a link keep their look; marks are letters.
function fenced(text, names) {
  return text.split(/<([^<>\n]+)>/).map((part, index) => (index % 2 ? token(part, names) : decoded(part)));
}

function lines(text, names) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index, all) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) nodes.push((quote = el("blockquote", {})));
      else quote.append(el("br"));
      quote.append(...inline(quoted[1], names));
      return;
    }
    quote = null;
    nodes.push(...inline(line, names));
    if (index < all.length - 1) nodes.push(el("br"));
  });
  return nodes;
}
