/** Longest part of a caller's text that an error repeats: a longer one would not fit a gRPC status. */
const LONGEST = 200;

/** A caller's text as an error may repeat it. */
export const shown = (text: string, longest = LONGEST): string => (text.length <= longest ? text : `${text.slice(0, longest - 1)}…`);
