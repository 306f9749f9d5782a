import type { RegistryEvent } from '@boxwright/oci';

/** Something about a registry that a person should read. */
export interface RegistryNote {
  readonly type: 'note';
  readonly level: 'retry' | 'warning' | 'info';
  readonly text: string;
}

/** Fewer pulls left than this share of the limit are worth a note. */
const fewPulls = 0.1;

/** Turns what happens with registries into notes. One for a whole command: limits are told once per registry. */
export function registryNotes(): (event: RegistryEvent) => RegistryNote | undefined {
  const told = new Set<string>();
  return (event) => {
    switch (event.kind) {
      case 'warning':
        return { type: 'note', level: 'warning', text: `${event.registry} says: ${event.text}` };
      case 'retry': {
        const wait = event.waitMs === 0 ? '' : ` in ${(event.waitMs / 1000).toFixed(1)}s`;
        return { type: 'note', level: 'retry', text: `${event.why}; trying again${wait}` };
      }
      case 'rate-limit': {
        // Docker Hub: `100;w=21600`, pulls and the seconds that they are counted over.
        const [limit, remaining] = [Number.parseInt(event.limit, 10), Number.parseInt(event.remaining, 10)];
        if (!(remaining <= limit * fewPulls) || told.has(event.registry)) return undefined;
        told.add(event.registry);
        return { type: 'note', level: 'info', text: `${event.registry}: ${remaining} of ${limit} pulls are left` };
      }
      default:
        return event satisfies never;
    }
  };
}
