/** One scrape of `/metrics`, to be asked for values. */
export class MetricsText {
  readonly #samples: { name: string; labels: string; value: number }[] = [];

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match)
        this.#samples.push({ name: match[1] as string, labels: match[2] ?? '', value: Number(match[3]) });
    }
  }

  /**
   * The sum of a metric's samples whose labels contain all of `labels`, e.g. `{ reason: 'killed' }`.
   * @throws {Error} where no metric has that name: a misspelt name must not read as zero
   */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const named = this.#samples.filter((sample) => sample.name === name);
    // A labelled counter has no sample before its first event.
    if (named.length === 0 && Object.keys(labels).length === 0) throw new Error(`no sample of ${name}`);
    return named
      .filter((sample) =>
        Object.entries(labels).every(([key, value]) => sample.labels.includes(`${key}="${value}"`)),
      )
      .reduce((total, sample) => total + sample.value, 0);
  }

  /** The values that a label has in a metric's samples, in their order. */
  labels(name: string, label: string): string[] {
    return this.#samples
      .filter((sample) => sample.name === name)
      .map(({ labels }) => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1])
      .filter((value) => value !== undefined);
  }

  /** Like `sum`, but 0 where the metric has no sample yet: for counters with labels. */
  sumOrZero(name: string): number {
    return this.#samples.some((sample) => sample.name === name) ? this.sum(name) : 0;
  }
}
