/** How much of a command's output an error repeats. */
const KEPT_BYTES = 8192;
const KEPT_LINES = 10;

/** The last lines of an output, however long it is. */
export class OutputTail {
  #chunks: Uint8Array[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > 2 * KEPT_BYTES) {
      const joined = Buffer.concat(this.#chunks).subarray(-KEPT_BYTES);
      this.#chunks = [joined];
      this.#size = joined.length;
    }
  }

  get text(): string {
    const lines = Buffer.concat(this.#chunks).subarray(-KEPT_BYTES).toString('utf8').trimEnd().split('\n');
    return lines.slice(-KEPT_LINES).join('\n');
  }
}
