// Reading an amount as people type it.

const LARGEST_MINOR = 4_294_967_295

/** Minor units; null for an empty text, undefined for what is no amount. */
export function parseAmount(text: string): number | null | undefined {
  const plain = text
    .normalize('NFKC')
    .replace(/[\s,，¥￥元]/g, '')
    .replace('。', '.')
  if (plain === '') return null
  if (!/^\d{1,9}(\.\d{0,2})?$/.test(plain)) return undefined
  const minor = Math.round(Number(plain) * 100)
  return minor <= LARGEST_MINOR ? minor : undefined
}
