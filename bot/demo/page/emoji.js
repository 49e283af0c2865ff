// The emoji shortcodes that bots use most; an unknown one stays as it was written.

const CODES = `
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|stop_sign 🛑
warning ⚠️|rotating_light 🚨|bangbang ‼️|exclamation ❗|question ❓|grey_question ❔|information_source ℹ️|bulb 💡
red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣
white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_green_square 🟩|white_large_square ⬜|black_large_square ⬛
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|timer_clock ⏲️|alarm_clock ⏰|clock1 🕐|clock3 🕒|calendar 📅
telephone_receiver 📞|phone ☎️|telephone ☎️|calling 📲|iphone 📱|headphones 🎧|microphone 🎤|studio_microphone 🎙️|loudspeaker 📢|speech_balloon 💬
robot_face 🤖|bust_in_silhouette 👤|busts_in_silhouette 👥|eyes 👀|eye 👁️|wave 👋|raised_hand ✋|raising_hand 🙋|pray 🙏|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|tada 🎉|rocket 🚀|fire 🔥|zap ⚡|boom 💥|skull 💀|ghost 👻|smile 😄|slightly_smiling_face 🙂|thinking_face 🤔|sweat_smile 😅|cry 😢
lock 🔒|unlock 🔓|key 🔑|bell 🔔|no_bell 🔕|mag 🔍|link 🔗|pushpin 📌|memo 📝|clipboard 📋|page_facing_up 📄|bar_chart 📊|chart_with_upwards_trend 📈
arrows_counterclockwise 🔄|repeat 🔁|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|fast_forward ⏩|black_square_for_stop ⏹️|double_vertical_bar ⏸️|arrow_forward ▶️
wrench 🔧|hammer_and_wrench 🛠️|gear ⚙️|satellite_antenna 📡|construction 🚧|seedling 🌱|snail 🐌|sparkles ✨|star ⭐|heart ❤️|green_heart 💚|hourglass_done ⌛|stethoscope 🩺|wastebasket 🗑️|shield 🛡️|scroll 📜|book 📖|inbox_tray 📥|outbox_tray 📤|speaker 🔈|mute 🔇|zzz 💤
`;

const KNOWN = new Map(CODES.trim().split(/[|\n]/).map((pair) => pair.trim().split(" ")));

/** The character for a shortcode without colons, or undefined. */
export const emoji = (code) => KNOWN.get(code);

/** Text with every known `:shortcode:` replaced. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, code) => KNOWN.get(code) ?? whole);
