/**
 * A shell command in pieces, one for each line that it would have in a Dockerfile: `&&` begins a line, `;` ends one,
 * except inside quotes and before `do`, `then` and `;;`. Joined, the pieces are the command.
 */
export function commandPieces(command: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quote = '';
  const cut = (at: number): void => {
    pieces.push(command.slice(start, at));
    start = at;
  };
  for (let at = 0; at < command.length; at++) {
    const character = command[at] ?? '';
    if (character === '\\' && quote !== "'") at++;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '&' && command.startsWith(' && ', at - 1)) {
      cut(at);
      at++;
    } else if (
      character === ';' &&
      command[at + 1] === ' ' &&
      !/^ (?:do\b|then\b|;;)/.test(command.slice(at + 1, at + 7))
    ) {
      cut(at + 2);
    }
  }
  pieces.push(command.slice(start));
  return pieces.filter((piece) => piece !== '');
}
