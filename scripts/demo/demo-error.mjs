/** Something that the demo cannot do anything about: shown as a sentence and what to do, without a stack. */
export class DemoError extends Error {
  /**
   * @param {string} message
   * @param {string} [hint]
   */
  constructor(message, hint) {
    super(message);
    this.name = 'DemoError';
    this.hint = hint;
  }
}
