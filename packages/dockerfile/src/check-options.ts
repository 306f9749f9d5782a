import { parseBoolean } from './quantities.ts';

/** What `# check=` asks for (https://docs.docker.com/reference/dockerfile/#check). */
export interface CheckOptions {
  /** Rules that are not reported. */
  readonly skip: 'all' | ReadonlySet<string>;
  /** Experimental rules that are reported. */
  readonly experimental: 'all' | ReadonlySet<string>;
  /** True when a warning makes the build fail. */
  readonly error: boolean;
}

/**
 * Reads `skip=RULE,RULE;error=true`. As in BuildKit only the part before the first blank counts, names of rules keep
 * their case, unknown ones are ignored, and the last of two options of one name wins.
 */
export function parseCheckOptions(text: string): CheckOptions | { readonly reason: string } {
  let skip: CheckOptions['skip'] = new Set();
  let experimental: CheckOptions['experimental'] = new Set();
  let error = false;
  const options = text.trim().split(' ')[0] ?? '';
  if (options === '') return { skip, experimental, error };
  for (const option of options.split(';')) {
    const equals = option.indexOf('=');
    const name = equals === -1 ? '' : option.slice(0, equals).trim();
    const value = option.slice(equals + 1).trim();
    if (name === 'skip') {
      skip = ruleSet(value);
    } else if (name === 'experimental') {
      experimental = ruleSet(value);
    } else if (name === 'error') {
      const parsed = parseBoolean(value);
      if (parsed === undefined) return { reason: `check option error=${value} is neither true nor false` };
      error = parsed;
    } else {
      return { reason: `unknown check option "${name || option}"` };
    }
  }
  return { skip, experimental, error };
}

function ruleSet(value: string): 'all' | ReadonlySet<string> {
  return value === 'all' ? 'all' : new Set(value.split(',').map((rule) => rule.trim()));
}
