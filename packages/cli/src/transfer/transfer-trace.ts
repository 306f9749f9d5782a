import type { PartKind, PartOutcome, TransferEvent } from './transfer-event.ts';

/** A part of an image and how far it is. Times are milliseconds since 1970. */
export interface Part {
  readonly id: string;
  kind: PartKind;
  size: number | undefined;
  /** Bytes of it that have arrived. */
  done: number;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  outcome: PartOutcome | undefined;
  /** For its rate. */
  readonly speed: Speed;
}

/** Bytes per second over the last few seconds, from amounts looked at now and then. */
export class Speed {
  readonly #samples: { readonly time: number; readonly bytes: number }[] = [];

  /** Takes note of an amount and gives the rate; undefined until there is something to tell. */
  look(time: number, bytes: number): number | undefined {
    this.#samples.push({ time, bytes });
    while (this.#samples.length > 2 && time - (this.#samples[1]?.time ?? time) >= window) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || time - first.time < shortest) return undefined;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (time - first.time));
  }
}

/** Rates are those of so many milliseconds. */
const window = 3000;
/** Less than so many milliseconds say nothing about a rate. */
const shortest = 400;

/** The state of a transfer, built from its events. */
export class TransferTrace {
  /** In the order in which they came. */
  readonly parts: Map<string, Part> = new Map();
  readonly notes: string[] = [];
  title = '';
  /** Bytes of all parts that have arrived here, in this run. */
  bytes = 0;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The part that the event is about. */
  apply(event: TransferEvent): Part | undefined {
    switch (event.type) {
      case 'image':
        this.title = event.title;
        return undefined;
      case 'found': {
        const part = this.#part(event.id, event.kind);
        part.size = event.size;
        return part;
      }
      case 'started': {
        const part = this.#part(event.id, event.kind);
        part.startedAt ??= this.#now();
        return part;
      }
      case 'bytes': {
        const part = this.parts.get(event.id);
        if (part === undefined) return undefined;
        part.done += event.count;
        this.bytes += event.count;
        return part;
      }
      case 'finished': {
        const part = this.#part(event.id, event.kind);
        part.size = event.size;
        part.done = event.size;
        part.finishedAt = this.#now();
        part.outcome = event.outcome;
        return part;
      }
      case 'note':
        this.notes.push(event.level === 'info' ? event.text : `${event.level}: ${event.text}`);
        return undefined;
      default:
        return event satisfies never;
    }
  }

  /** Sizes of all parts that are known so far. */
  get total(): number {
    let sum = 0;
    for (const part of this.parts.values()) sum += part.size ?? part.done;
    return sum;
  }

  /** Bytes of {@link total} that are at the destination. */
  get arrived(): number {
    let sum = 0;
    for (const part of this.parts.values()) sum += part.done;
    return sum;
  }

  get finished(): number {
    let count = 0;
    for (const part of this.parts.values()) if (part.outcome !== undefined) count++;
    return count;
  }

  #part(id: string, kind: PartKind): Part {
    const known = this.parts.get(id);
    if (known !== undefined) return known;
    const part: Part = {
      id,
      kind,
      size: undefined,
      done: 0,
      startedAt: undefined,
      finishedAt: undefined,
      outcome: undefined,
      speed: new Speed(),
    };
    this.parts.set(id, part);
    return part;
  }
}
