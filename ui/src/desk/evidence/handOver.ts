// Hands a file over to the desk piece by piece, so that the largest never has
// to be in memory whole.
import { host } from '../host'

const PIECE = 512 * 1024

function base64(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onerror = () => reject(reader.error ?? new Error('unreadable'))
    reader.onload = () => {
      const address = String(reader.result)
      resolve(address.slice(address.indexOf(',') + 1))
    }
    reader.readAsDataURL(new Blob([bytes as BlobPart]))
  })
}

/** Adds a file to a complaint or form; what cannot be read to its end is not added. */
export async function handOver(id: string, file: File): Promise<void> {
  const number = await host.evidenceBegin(id, file.name)
  let whole = false
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      const bytes = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())
      // Not taken any further: the end tells why.
      if (!(await host.evidencePiece(number, await base64(bytes)))) break
    }
    whole = true
  } finally {
    await host.evidenceEnd(number, whole)
  }
}
