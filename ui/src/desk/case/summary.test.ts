import { describe, expect, it } from 'vitest'
import type { CaseView } from '@/shared/types'
import { answeredAt } from './summary'

function timeline(...kinds: [string, string][]): Pick<CaseView, 'timeline'> {
  const entries = kinds.map(([kind, at]) => ({ kind, at }))
  return { timeline: entries as CaseView['timeline'] }
}

describe('the printed summary', () => {
  it('bears the time of the answer that stands, not of an earlier cycle', () => {
    const again = timeline(['settled', '1'], ['reopened', '2'], ['answered', '3'], ['rated', '4'])
    expect(answeredAt(again)).toBe('3')
  })
  it('bears none while nothing is answered', () => {
    expect(answeredAt(timeline(['recorded', '1'], ['noted', '2']))).toBeNull()
  })
})
