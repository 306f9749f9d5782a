export { BoxwrightError, type BoxwrightErrorOptions, UsageError, isBoxwrightError } from './boxwright-error.ts';
export { escapeForTerminal } from './escape.ts';
export { closestMatch } from './closest-match.ts';
