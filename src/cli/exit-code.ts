/** Exit codes of the `vibesflow` command: sysexits where it has one, and the shell's 130 for Ctrl-C. */
export const EXIT_OK = 0;
/** The command line is wrong. */
export const EXIT_USAGE = 64;
/** The input cannot be read as audio. */
export const EXIT_DATA = 65;
/** Ended by Ctrl-C. */
export const EXIT_INTERRUPTED = 130;
