// What the address says: a receipt's code holds number and key behind the #,
// receipts of older desks hold the number alone in the path.

export interface Linked {
  reference: string
  /** Null when only the number is known. */
  key: string | null
}

/** What the address names, or null. */
export function readLink(at: { pathname: string; hash: string }): Linked | null {
  const [, reference, key] = /^#([^.]+)\.([0-9A-Za-z]+)$/.exec(decoded(at.hash)) ?? []
  if (reference !== undefined && key !== undefined) return { reference, key }
  const [, alone] = /^\/s\/([^/]+)\/?$/.exec(decoded(at.pathname)) ?? []
  return alone === undefined ? null : { reference: alone, key: null }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not an address anybody made on purpose: as it stands.
    return text
  }
}
