// @ts-check
/** The one part of a chat that scrolls: its messages. */
const NEAR_END = 160;
const place = () => document.getElementById("transcript") ?? document.documentElement;

export const isNearEnd = () => place().scrollHeight - place().scrollTop - place().clientHeight < NEAR_END;
export const scrollToEnd = () => place().scrollTo(0, place().scrollHeight);
