import type { CorpusCase } from './corpus-case.ts';

/** The flags that `docker buildx build` and `boxwright build` share, from a case; the context directory comes last. */
export function buildArguments(corpusCase: CorpusCase, context: string): string[] {
  const fill = (text: string): string => text.replaceAll('{context}', context);
  const args = ['--network=none', '--progress=plain'];
  if (corpusCase.file !== undefined) args.push('--file', `${context}/${corpusCase.file}`);
  if (corpusCase.target !== undefined) args.push('--target', corpusCase.target);
  if (corpusCase.platform !== undefined) args.push('--platform', corpusCase.platform);
  for (const [key, value] of Object.entries(corpusCase.args ?? {})) args.push('--build-arg', `${key}=${value}`);
  for (const [key, value] of Object.entries(corpusCase.labels ?? {})) args.push('--label', `${key}=${value}`);
  for (const [key, value] of Object.entries(corpusCase.contexts ?? {})) {
    args.push('--build-context', `${key}=${fill(value)}`);
  }
  for (const secret of corpusCase.secrets ?? []) args.push('--secret', fill(secret));
  return [...args, ...(corpusCase.flags ?? []).map(fill), context];
}
