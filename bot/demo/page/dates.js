// Times as Slack writes them, in the zone of whoever looks.

const format = (date, options) => new Intl.DateTimeFormat(undefined, options).format(date);
const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
const days = (date) => Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
const pretty = (date, other) => ({ 0: "Today", 1: "Yesterday", "-1": "Tomorrow" })[days(date)] ?? other;

const PARTS = {
  date_num: (d) => [d.getFullYear(), d.getMonth() + 1, d.getDate()].map((n) => String(n).padStart(2, "0")).join("-"),
  date_slash: (d) => format(d, { day: "2-digit", month: "2-digit", year: "numeric" }),
  date: (d) => format(d, { day: "numeric", month: "long", year: "numeric" }),
  date_short: (d) => format(d, { day: "numeric", month: "short", year: "numeric" }),
  date_long: (d) => format(d, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  time: (d) => format(d, { timeStyle: "short" }),
  time_secs: (d) => format(d, { timeStyle: "medium" }),
  ago: (d) => ago(d),
};
for (const part of ["date", "date_short", "date_long"]) {
  PARTS[`${part}_pretty`] = (d) => {
    const word = pretty(d, PARTS[part](d));
    return /^(Today|Yesterday|Tomorrow)$/.test(word) ? word.toLowerCase() : word;
  };
}

/** `<!date^…>`'s template filled in: seconds of the epoch, "{date_short_pretty} at {time}". */
export function dateToken(seconds, template) {
  const date = new Date(seconds * 1000);
  const filled = template.replace(/\{(\w+)\}/g, (whole, part) => PARTS[part]?.(date) ?? whole);
  return filled.charAt(0).toUpperCase() + filled.slice(1);
}

/** "12:03" for a message's ts. */
export const clock = (ts) => PARTS.time(new Date(Number(ts) * 1000));

/** "Today at 12:03:10", for the tooltip. */
export const moment = (ts) => dateToken(Number(ts), "{date_long_pretty} at {time_secs}");

/** "Today", or the day in full: the line between days. */
export const day = (ts) => pretty(new Date(Number(ts) * 1000), PARTS.date_long(new Date(Number(ts) * 1000)));

/** "3 min ago". */
export function ago(date) {
  const seconds = Math.max(0, Math.round((Date.now() - date.getTime()) / 1000));
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
  if (seconds < 60) return relative.format(-seconds, "second");
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), "hour");
  return relative.format(-Math.floor(seconds / 86_400), "day");
}
