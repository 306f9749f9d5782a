/** Somebody who waits for the files. */
interface Waiting {
  readonly alone: boolean;
  readonly begin: () => void;
}

/**
 * Keeps deployments with steps that may change files apart from all others, which may run beside each other. First come,
 * first served, so that the result is that of running them in the order of the file.
 */
export class FilesLock {
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #isTakenAlone = false;

  /** Does something when it may. @param alone it may change files */
  async during<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ alone, begin });
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#isTakenAlone = false;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#isTakenAlone || (first.alone && this.#running > 0)) return;
      this.#waiting.shift();
      this.#running += 1;
      this.#isTakenAlone = first.alone;
      first.begin();
    }
  }
}
