/**
 * 2022-01-01T00:00:00Z. Every time that a build has to keep (of base images, contexts, SOURCE_DATE_EPOCH) is older in this
 * suite, so a later one is a time of the build itself. When the build started is no help: an engine knows layers by their
 * content and gives a layer that an earlier build made the time of that build.
 */
const FIRST_BUILD_MS = 1_640_995_200_000;

/**
 * Gives times names that two builds can share: a time that has to be kept is itself; a time of the build becomes
 * `build#N`, N counting the distinct ones in order of appearance, so that rows which share a time in one image have to
 * share it in the other.
 */
export class TimeClasses {
  readonly #names = new Map<string, string>();

  /** @param time RFC 3339, as in image configs */
  classOf(time: string): string {
    // Date keeps milliseconds, which is enough to tell old from new.
    if (Date.parse(time) < FIRST_BUILD_MS) return time;
    let name = this.#names.get(time);
    if (name === undefined) {
      name = `build#${this.#names.size + 1}`;
      this.#names.set(time, name);
    }
    return name;
  }
}

/**
 * The same for a file's mtime (`SECONDS.NANOSECONDS`): whole seconds when it has to be kept, else `build`.
 * Docker's own layers keep whole seconds only.
 */
export function mtimeClass(mtime: string): string {
  const seconds = mtime.slice(0, mtime.indexOf('.'));
  return Number(seconds) * 1000 >= FIRST_BUILD_MS ? 'build' : seconds;
}
