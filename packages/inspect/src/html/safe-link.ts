import { type Html, html } from './markup.ts';

/** Longer ones are shown as text. */
const maxLength = 2048;

/**
 * The address as a browser may be sent there; undefined for what is no whole `http:` or `https:` URL: `javascript:`,
 * `data:` and the like never become links, nor do URLs with a user name, which look like another host.
 */
export function safeUrl(text: string): string | undefined {
  // The URL parser drops blanks and controls; a label with them is not what it seems.
  if (text.length > maxLength || !/^https?:\/\/[!-~\u00a1-\uffff]+$/i.test(text)) return undefined;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const web = url.protocol === 'http:' || url.protocol === 'https:';
  return web && url.username === '' && url.password === '' && url.hostname !== '' ? url.href : undefined;
}

/** A text as a link to itself where it is a safe URL, else as text. The page that is linked does not learn where from. */
export function linked(text: string): Html {
  const url = safeUrl(text);
  return url === undefined ? html`${text}` : html`<a href="${url}" rel="noopener noreferrer nofollow">${text}</a>`;
}
