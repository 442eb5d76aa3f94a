import type { Comparison, Report } from './report';
import type { Plot } from './plot';
import { describeMachine } from './machine';

/** One benchmark: what `npm run bench <name>` runs. */
export interface Bench {
  readonly name: string;
  /** One line for the list. */
  readonly summary: string;
  /** What is measured, how, and against which floor: the text of its `--help`. */
  readonly description: string;
  /** Rounds and seconds of each unless told, and what `--quick` (the guard) takes. */
  readonly defaults: Extent;
  readonly quick: Extent;
  /** Options of its own. */
  readonly options?: readonly BenchOption[];
  /** Whether `bench:check` runs it. */
  readonly isGuard: boolean;
  run(run: BenchRun): Promise<void>;
}

export interface Extent {
  readonly rounds: number;
  readonly seconds: number;
}

export interface BenchOption {
  /** As commander writes it: `--vibes <count>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
}

/** What a benchmark is told, and where it puts what it finds. */
export class BenchRun {
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  /** Its own options, by their long names in camel case. */
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly #name: string;
  readonly #say: (line: string) => void;
  readonly #date = new Date().toISOString();
  readonly #machine = describeMachine();
  readonly #parameters: Record<string, string | number>;
  readonly #measures = new Map<string, { name: string; unit: string; each: number[] }>();
  readonly #comparisons: Comparison[] = [];
  readonly #plots: Plot[] = [];
  readonly #notes: string[] = [];

  /** @param say takes a line of progress */
  constructor(
    name: string,
    told: Extent & { quick: boolean; options: Readonly<Record<string, string | undefined>> },
    say: (line: string) => void,
  ) {
    this.#name = name;
    this.rounds = told.rounds;
    this.seconds = told.seconds;
    this.quick = told.quick;
    this.options = told.options;
    this.#parameters = { rounds: told.rounds, seconds: told.seconds };
    this.#say = say;
  }

  /** Tells whoever waits how far it is. */
  progress(line: string): void {
    this.#say(`${this.#name}: ${line}`);
  }

  /** Notes one more value of something measured. */
  measure(name: string, unit: string, value: number): void {
    const measure = this.#measures.get(name) ?? { name, unit, each: [] };
    this.#measures.set(name, measure);
    measure.each.push(value);
  }

  /** What was measured under this name so far. */
  values(name: string): readonly number[] {
    return this.#measures.get(name)?.each ?? [];
  }

  compare(comparison: Comparison): void {
    this.#comparisons.push(comparison);
  }

  plot(plot: Plot): void {
    this.#plots.push(plot);
  }

  parameter(name: string, value: string | number): void {
    this.#parameters[name] = value;
  }

  /** What a reader of the figures must know. */
  note(text: string): void {
    this.#notes.push(text);
    this.progress(text);
  }

  get report(): Report {
    return {
      bench: this.#name,
      date: this.#date,
      quick: this.quick,
      machine: this.#machine,
      parameters: this.#parameters,
      measures: [...this.#measures.values()],
      comparisons: this.#comparisons,
      plots: this.#plots,
      notes: this.#notes,
    };
  }
}
