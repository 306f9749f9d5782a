/** Barks when it was not fed or put to sleep for some time. Cheap to feed for every piece of a body. */
export class Watchdog {
  private readonly bark: (what: string, ms: number) => void;
  private timer: NodeJS.Timeout | undefined;
  private ms = 0;
  private what = '';

  constructor(bark: (what: string, ms: number) => void) {
    this.bark = bark;
  }

  /** From now on at most `ms` milliseconds may pass. @param what is waited for, for the message */
  watch(what: string, ms: number): void {
    if (this.timer !== undefined && this.ms === ms) {
      this.what = what;
      this.timer.refresh();
      return;
    }
    this.sleep();
    this.ms = ms;
    this.what = what;
    this.timer = setTimeout(() => this.bark(this.what, this.ms), ms);
  }

  sleep(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
