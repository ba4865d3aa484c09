import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Some bytes as anybody would write them. */
export function formsOf(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex');
  // At the end of a longer text base64 has no padding, and its last character is another one.
  const base64 = bytes.toString('base64').replace(/=+$/, '').slice(0, -1);
  const base64url = base64.replaceAll('+', '-').replaceAll('/', '_');
  const texts = [hex, hex.toUpperCase(), base64, base64url, [...bytes].join(',')];
  return [bytes, ...texts.map((text) => Buffer.from(text))];
}

/** Which of these hold one of the forms. */
export function contentsWith(
  contents: ReadonlyMap<string, Buffer>,
  forms: readonly Buffer[],
): string[] {
  return [...contents.keys()].filter((name) =>
    forms.some((form) => contents.get(name)!.includes(form)),
  );
}

/** Which of these files hold one of the forms. */
export function filesWith(files: readonly string[], forms: readonly Buffer[]): string[] {
  return files.filter(
    (file) => contentsWith(new Map([[file, readFileSync(file)]]), forms).length > 0,
  );
}
