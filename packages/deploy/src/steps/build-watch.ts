import type { BuildEvent } from '@boxwright/build';

/** Watches a build's events for whether anything had to be done. */
export class BuildWatch {
  readonly #next: (event: BuildEvent) => void;
  /** Steps of the Dockerfile that have not ended yet, or were not in the cache. */
  readonly #work = new Set<string>();

  constructor(next: (event: BuildEvent) => void) {
    this.#next = next;
  }

  onEvent(event: BuildEvent): void {
    // `[2/3] RUN make`, `[base 1/2] FROM debian`: what is done in any case (loading, exporting) has other names.
    if (event.type === 'vertex' && /^\[(?:[^\]]* )?[0-9]+\/[0-9]+\] (?!FROM )/.test(event.name.replace(/ +/g, ' '))) {
      this.#work.add(event.id);
    }
    if (event.type === 'cached') this.#work.delete(event.id);
    this.#next(event);
  }

  /** All steps of the Dockerfile came from the cache. Known at the end. */
  get isCached(): boolean {
    return this.#work.size === 0;
  }
}
