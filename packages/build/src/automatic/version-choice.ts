/** A version as numbers: `3.12` is [3, 12]. */
type Numbers = readonly number[];

/**
 * The first of the candidates that a range allows: those of Python (`>=3.11,<4`, `~=3.11`, `==3.12.*`, Poetry's `^3.11`)
 * and of npm (`>=20`, `^22.1 || 24.x`, `20 - 22`). A candidate stands for all its patches: `3.12` is allowed by `>=3.12.4`.
 */
export function chooseVersion(candidates: readonly string[], range: string): string | undefined {
  return candidates.find((candidate) => allows(range, numbers(candidate)));
}

function allows(range: string, version: Numbers): boolean {
  return range.split('||').some((part) => {
    const spread = /^\s*v?([\d.]+)\s+-\s+v?([\d.]+)\s*$/.exec(part);
    const clauses = spread === null ? part.match(/[<>=!~^]*\s*v?[\w.*]+/g) : [`>=${spread[1]}`, `<=${spread[2]}`];
    return (clauses ?? []).every((clause) => allowsClause(clause, version));
  });
}

function allowsClause(clause: string, version: Numbers): boolean {
  const [, operator = '', text = ''] = /^([<>=!~^]*)\s*v?([\w.*]+)$/.exec(clause) ?? [];
  if (/^[*xX]/.test(text)) return true;
  const wanted = numbers(text);
  if (wanted.length === 0) return true;
  // Beyond the candidate's own precision everything is open.
  const order = compare(version, wanted.slice(0, version.length));
  switch (operator) {
    case '>=':
      return order >= 0;
    case '>':
      return order > 0 || (order === 0 && wanted.length > version.length);
    case '<=':
      return order <= 0;
    case '<':
      return order < 0 || (order === 0 && wanted.slice(version.length).some((part) => part > 0));
    case '^':
      return order >= 0 && version[0] === wanted[0];
    case '~=':
    case '~':
      // ~=3.11 is 3.*, ~=3.11.2 and ~3.11 are 3.11.*
      return order >= 0 && isPrefix(wanted.slice(0, operator === '~=' ? Math.max(1, wanted.length - 1) : 2), version);
    case '!=':
      return !(order === 0 && (wanted.length <= version.length || text.endsWith('*')));
    default:
      return isPrefix(wanted, version);
  }
}

/** True when the shorter one begins the longer one. */
function isPrefix(wanted: Numbers, version: Numbers): boolean {
  const length = Math.min(wanted.length, version.length);
  return compare(wanted.slice(0, length), version.slice(0, length)) === 0;
}

/** Numbers up to the first part that is none: `22.x` is [22]. */
function numbers(text: string): Numbers {
  const parts = text.split('.').map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : -1));
  const end = parts.indexOf(-1);
  return end === -1 ? parts : parts.slice(0, end);
}

function compare(a: Numbers, b: Numbers): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
