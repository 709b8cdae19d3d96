// Reading a reference number as people type it from paper, and telling a slip
// of the finger before anything is asked of the hub (crates/domain, check.rs
// and reference.rs, have the rule).

const MODULUS = 1271
const RADIX = 36

/** Why what was typed is no reference number. */
export type ReferenceProblem = 'form' | 'check'

export type ReadReference = { reference: string } | { problem: ReferenceProblem }

/** Full-width characters as input methods make them, and their plain twins. */
function toHalfWidth(text: string): string {
  return text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
}

/** ISO/IEC 7064, MOD 1271-36: over a whole number the sum is 1. */
function isConsistent(bare: string): boolean {
  let sum = 0
  for (const c of bare) sum = (sum * RADIX + parseInt(c, RADIX)) % MODULUS
  return sum === 1
}

/** With or without dashes and spaces, in lower case, in full width. */
export function readReference(typed: string): ReadReference {
  const bare = toHalfWidth(typed)
    .replace(/[\s\u3000\-‐‑–—]/g, '')
    .toUpperCase()
  const parts = /^([A-Z][A-Z0-9]{1,9})(\d{6})([A-Z]{1,3})(\d{4,9})([A-Z0-9]{2})$/.exec(bare)
  if (parts === null) return { problem: 'form' }
  if (!isConsistent(bare)) return { problem: 'check' }
  return { reference: parts.slice(1).join('-') }
}

/** The four digits, or null when they are not four. */
export function readDigits(typed: string): string | null {
  const digits = toHalfWidth(typed).replace(/[\s\u3000]/g, '')
  return /^\d{4}$/.test(digits) ? digits : null
}
