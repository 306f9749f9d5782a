import { escapeForTerminal } from '@boxwright/errors';
import type { HttpResponse } from '../transport/http.ts';
import type { RegistryEvent } from './registries.ts';

const MAX_WARNINGS = 100;
const MAX_SHOWN = 300;

/** What registries say beside their answers: each warning is passed on once, rate limits when they change. */
export class Notices {
  private readonly emit: (event: RegistryEvent) => void;
  private readonly warned = new Set<string>();
  private readonly limits = new Map<string, string>();

  constructor(emit: (event: RegistryEvent) => void) {
    this.emit = emit;
  }

  read(registry: string, response: HttpResponse): void {
    for (const value of response.headers('warning')) {
      for (const text of warningTexts(value)) this.warn(registry, text);
    }
    const limit = response.header('ratelimit-limit');
    const remaining = response.header('ratelimit-remaining');
    if (limit === undefined || remaining === undefined) return;
    const both = `${limit} ${remaining}`;
    if (this.limits.get(registry) === both) return;
    this.limits.set(registry, both);
    this.emit({ kind: 'rate-limit', registry, limit: short(limit), remaining: short(remaining) });
  }

  private warn(registry: string, text: string): void {
    const key = `${registry} ${text}`;
    if (text === '' || this.warned.has(key) || this.warned.size >= MAX_WARNINGS) return;
    this.warned.add(key);
    this.emit({ kind: 'warning', registry, text: short(text) });
  }
}

/** The texts of a Warning header of the form that the distribution spec ("Warnings") allows: `299 - "text"`. */
function warningTexts(value: string): string[] {
  return [...value.matchAll(/(?:^|,)\s*299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1').trim(),
  );
}

function short(text: string): string {
  return escapeForTerminal(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}
