import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, multiline } from './markup.ts';

describe('html', () => {
  it('escapes text and keeps HTML', () => {
    const bold = html`<b>${'a & b'}</b>`;
    expect(html`<p title="${'"x"'}">${bold}${'<i>'}${7}${undefined}${['<', bold]}</p>`.markup).toBe(
      '<p title="&quot;x&quot;"><b>a &amp; b</b>&lt;i&gt;7&lt;<b>a &amp; b</b></p>',
    );
  });

  it('shows controls and turns of direction instead of sending them', () => {
    expect(html`${'a\u001b[2Jb\u202ec\nd'}`.markup).toBe('a\\x1b[2Jb\\u202ec\\nd');
    expect(multiline('a\r\n\tb\u0000<\n').markup).toBe('a\n    b\\x00&lt;\n');
  });

  it('lets no text out of an element or an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const { markup } = html`<a title="${text}">${text}${multiline(text)}</a>`;
        expect(markup.match(/[<>"']/g)).toEqual(['<', '"', '"', '>', '<', '>']);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what must not be there
        expect(markup).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });
});
