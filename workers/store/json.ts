/** What a stored text says, or undefined if it is damaged. The caller states its type. */
export function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
