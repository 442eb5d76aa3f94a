import type { Smoothness } from '../lib/gaps';

/** What a process of listeners is asked. */
export type EarsQuestion =
  | { readonly type: 'listen'; readonly urls: Readonly<Record<string, string>> }
  | {
      readonly type: 'heard';
      /** From each listener's first tag on, so much is not judged. */
      readonly settleMs: number;
      /** A second in which somebody who wanted to run waited longer than this is left out. */
      readonly disturbedMs: number;
    };

export type EarsAnswer =
  | { readonly type: 'listening' }
  | {
      readonly type: 'heard';
      readonly heard: readonly ({ readonly name: string } & Smoothness)[];
      /** What the machine did meanwhile, in words. */
      readonly summary: string;
    };
