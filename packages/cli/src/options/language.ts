import type { Language } from '@boxwright/inspect';

/** The language of a page when no flag names one: Chinese where POSIX's locale variables ask for it, else English. */
export function preferredLanguage(env: Readonly<Record<string, string | undefined>>): Language {
  // POSIX base definitions 8.2: the first of these that is set and not empty counts.
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale !== undefined && /^zh(?:[_.@-]|$)/i.test(locale) ? 'zh' : 'en';
}
