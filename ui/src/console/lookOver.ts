// Before an answer goes to the customer: says what in it names a person, and
// asks whether it is meant so.
import { useSure } from '@/shared/sure'
import { useWords } from '@/shared/words'
import * as calls from './calls'
import type { FoundPiece } from './types'

/** True when nothing is found, or it is meant so. */
export function useLookOver(): (id: string, texts: readonly string[]) => Promise<boolean> {
  const { t } = useWords()
  const sure = useSure()

  const said = (found: readonly FoundPiece[]): string =>
    found
      .map(({ kind, piece }) =>
        t('console.answer.look_over.piece', { kind: t(`console.answer.look_over.kind.${kind}`), piece }),
      )
      .join(t('console.answer.look_over.separator'))

  return async (id, texts) => {
    const written = texts.filter((text) => text.trim() !== '')
    if (written.length === 0) return true
    // When the hub cannot be reached, sending says so itself.
    const found = await calls.lookOver(id, written).catch(() => [])
    if (found.length === 0) return true
    const pieces = said(found)
    return sure(t('console.answer.look_over.lead', { pieces }), t('console.answer.look_over.send'))
  }
}
