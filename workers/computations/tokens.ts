import { ComputationError, ComputationErrorCode } from './errors.ts';

/** A part of an expression, with its place in the text. */
export interface Token {
  readonly kind: 'name' | 'number' | 'sign' | 'end';
  readonly text: string;
  /** From 1; of the first character. */
  readonly column: number;
}

/** Characters of an expression. */
export const MAX_EXPRESSION_LENGTH = 4096;

const pattern = /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<number>[0-9]+)|(?<sign>[-+*(),;=]))/y;

/**
 * Cuts an expression into its parts; the last one is its end.
 *
 * @throws ComputationError EXPRESSION_UNEXPECTED at a character that belongs to nothing,
 * EXPRESSION_TOO_LARGE
 */
export function tokensOf(text: string): Token[] {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw expressionError(ComputationErrorCode.EXPRESSION_TOO_LARGE, MAX_EXPRESSION_LENGTH + 1, {
      problem: `an expression has at most ${MAX_EXPRESSION_LENGTH} characters`,
    });
  }
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) {
      const column = at + text.slice(at).search(/\S/) + 1;
      throw expressionError(ComputationErrorCode.EXPRESSION_UNEXPECTED, column, {
        problem: `"${text[column - 1]}" means nothing here`,
      });
    }
    const { name, number, sign } = match.groups as Partial<Record<Token['kind'], string>>;
    const kind = name !== undefined ? 'name' : number !== undefined ? 'number' : 'sign';
    const found = (name ?? number ?? sign)!;
    at = pattern.lastIndex;
    tokens.push({ kind, text: found, column: at - found.length + 1 });
  }
  tokens.push({ kind: 'end', text: '', column: end + 1 });
  return tokens;
}

/** An error that points at a column. */
export function expressionError(
  code: ComputationErrorCode,
  column: number,
  { problem, ...metadata }: { readonly problem: string; readonly name?: string },
): ComputationError {
  return new ComputationError(code, `column ${column}: ${problem}`, {
    metadata: { column, ...metadata },
  });
}
