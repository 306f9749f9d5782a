/**
 * Splits one CSV record as Go's encoding/csv does: a field that starts with a double quote ends with one, `""` inside
 * is a quote; other double quotes are errors.
 */
export function parseCsvRecord(text: string): { readonly fields: readonly string[] } | { readonly reason: string } {
  if (text === '') return { reason: 'empty' };
  const fields: string[] = [];
  let index = 0;
  for (;;) {
    let field = '';
    if (text[index] === '"') {
      index++;
      for (;;) {
        const quote = text.indexOf('"', index);
        if (quote === -1) return { reason: 'a quoted field does not end at a comma' };
        field += text.slice(index, quote);
        index = quote + 1;
        if (text[index] !== '"') break;
        field += '"';
        index++;
      }
      if (index < text.length && text[index] !== ',') return { reason: 'a quoted field does not end at a comma' };
    } else {
      const comma = text.indexOf(',', index);
      field = text.slice(index, comma === -1 ? text.length : comma);
      if (field.includes('"')) return { reason: 'a quote inside a field that does not start with one' };
      index += field.length;
    }
    fields.push(field);
    if (index >= text.length) return { fields };
    index++;
  }
}
