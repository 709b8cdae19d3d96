// Evidence files as both the desk and the console show them.
import type { EvidenceKind } from './types'

/** How far the contents are on their way to the hub. */
export type EvidenceState = 'waiting' | 'partly' | 'at_hub' | 'elsewhere'

/** One file, ready to be shown. */
export interface EvidenceItem {
  id: string
  name: string
  kind: EvidenceKind
  mediaType: string
  bytes: number
  received: number
  by: string
  at: string
  state: EvidenceState
  /** Where the contents can be had, while they can. */
  address: string | null
  /** Shown in the page when it is a picture or a sound. */
  inline: boolean
  removable: boolean
}

const STEP = 1024
const UNITS = ['B', 'KB', 'MB', 'GB'] as const

/** A size in bytes as people read it. */
export function sizeOf(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP
    unit += 1
  }
  const shown = unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10
  return `${shown} ${UNITS[unit]}`
}

/** How much of a file is at the hub, in whole hundredths; a whole one only when it is. */
export function percentOf({ bytes, received, state }: Pick<EvidenceItem, 'bytes' | 'received' | 'state'>): number {
  if (state === 'at_hub') return 100
  return bytes > 0 ? Math.min(99, Math.floor((received * 100) / bytes)) : 0
}

/** The pictures a paste brings. */
export function pastedFiles(event: ClipboardEvent): File[] {
  const files = [...(event.clipboardData?.files ?? [])]
  return files.filter((file) => file.type.startsWith('image/'))
}
