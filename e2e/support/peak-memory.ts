import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Watches a command and all processes that it starts; {@link peak} is the sum of what each had at most, in bytes. */
export class PeakMemory {
  readonly #peaks = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(child: ChildProcess) {
    const { pid } = child;
    this.#timer = setInterval(() => {
      if (pid !== undefined) this.#look(pid);
    }, 20);
    child.once('exit', () => clearInterval(this.#timer));
  }

  /** 0 when the command was never seen. */
  get peak(): number {
    return [...this.#peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  #look(pid: number): void {
    try {
      const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (kibibytes !== undefined) this.#peaks.set(pid, Number(kibibytes) * 1024);
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
      for (const child of children) if (child !== '') this.#look(Number(child));
    } catch {
      // It has ended.
    }
  }
}
