// The look-up's token, kept as long as the tab: a telephone that opens its
// camera may put the page away and load it again.

const KEY = 'suda.status'

interface Kept {
  token: string
  until: number
}

export function keepToken(token: string, lastsS: number): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ token, until: Date.now() + lastsS * 1000 } satisfies Kept))
  } catch {
    // Switched off by policy: then it lasts until the page is left.
  }
}

export function keptToken(): string | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Partial<Kept> | null
    const holds = typeof kept?.token === 'string' && typeof kept.until === 'number' && Date.now() < kept.until
    return holds ? (kept.token ?? null) : null
  } catch {
    return null
  }
}

export function dropToken(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // See keepToken().
  }
}
