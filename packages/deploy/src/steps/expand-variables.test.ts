import { expect, it } from 'vitest';
import { expandVariables } from './expand-variables.ts';

// From Python's string.Template.safe_substitute.
it.each<[string, string]>([
  ['echo $A', 'echo one'],
  ['${A}x$A', 'onexone'],
  ['$AB $NONE ${NONE}', '$AB $NONE ${NONE}'],
  ['$$A $$$A', '$A $one'],
  ['cost: $5 $', 'cost: $5 $'],
  ['$A-$B', 'one-$A'],
  ['${A', '${A'],
  ['$toString', '$toString'],
])('%j', (line, expected) => {
  expect(expandVariables(line, { A: 'one', B: '$A' })).toBe(expected);
});
