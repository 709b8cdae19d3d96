import { describe, expect, it } from 'vitest'
import { hasAfter, hasProgress, isTaskLate } from './progress'
import { isOfBranch, leaderOf, sentReplies } from './replies'
import type { CaseView, TimelineEntry } from '@/shared/types'

function entry(fact: object, delivery = 'at_hub', late_note = false): TimelineEntry {
  return { fact, delivery, late_note } as unknown as TimelineEntry
}

const nothing = { with_experts: false, tasks: [], plan: [], extension: null, paused: null, cycle: 1 }
const noCall = { assigned: null, tries: [], satisfied: null, score: null, causes: [] }

describe("the experts' progress", () => {
  it('is shown where there is some, and not for what the branch alone deals with', () => {
    expect(hasProgress(nothing)).toBe(false)
    expect(hasProgress({ ...nothing, with_experts: true })).toBe(true)
    expect(hasProgress({ ...nothing, cycle: 2 })).toBe(true)
  })

  it('calls a department late only while it has still to report', () => {
    const due_at = '2026-07-21T10:00:00Z'
    const later = Date.parse(due_at) + 1
    expect(isTaskLate({ state: 'accepted', due_at }, later)).toBe(true)
    expect(isTaskLate({ state: 'accepted', due_at }, later - 2)).toBe(false)
    expect(isTaskLate({ state: 'reported', due_at }, later)).toBe(false)
    expect(isTaskLate({ state: 'recalled', due_at }, later)).toBe(false)
  })

  it('has an after with a call-back or a rating, a dissatisfied one too', () => {
    expect(hasAfter({ call_back: noCall, rating: null })).toBe(false)
    expect(hasAfter({ call_back: { ...noCall, satisfied: false }, rating: null })).toBe(true)
    expect(hasAfter({ call_back: noCall, rating: { score: 1, comment: '', at: '' } })).toBe(true)
  })
})

describe('a reply', () => {
  it('tells whether it is still on this computer, each for itself', () => {
    const sent = sentReplies([
      entry({ kind: 'replied', question: 'a', text: '' }),
      entry({ kind: 'noted', text: '' }, 'saved_here'),
      entry({ kind: 'replied', question: 'a', text: '' }, 'saved_here'),
    ])
    expect([...sent]).toEqual([['a', ['at_hub', 'saved_here']]])
  })

  it('that came too late is none', () => {
    expect(sentReplies([entry({ kind: 'replied', question: 'a', text: '' }, 'at_hub', true)]).size).toBe(0)
  })
})

describe('what a complaint is answered with', () => {
  const row = { follows: 'duplicate' } as CaseView['row']
  const link = (to: string, relation = 'duplicate') => entry({ kind: 'linked', to, reference: `R-${to}`, relation })

  it('is the one it was linked to, not one that is only related', () => {
    expect(leaderOf({ row, timeline: [link('1'), link('2', 'related')] })).toBe('R-1')
  })

  it('is none where the link was taken away or is not told', () => {
    expect(leaderOf({ row, timeline: [link('1'), entry({ kind: 'unlinked', to: '1' })] })).toBeNull()
    expect(leaderOf({ row, timeline: [] })).toBeNull()
  })
})

it('tells what the branch wrote, also by rule, from what came from the hub', () => {
  expect(isOfBranch({ actor_role: 'branch_manager', kind: 'replied' })).toBe(true)
  expect(isOfBranch({ actor_role: 'customer', kind: 'replied' })).toBe(false)
  expect(isOfBranch({ actor_role: 'expert', kind: 'answered' })).toBe(false)
  expect(isOfBranch({ actor_role: 'system', kind: 'handed_off' })).toBe(true)
  expect(isOfBranch({ actor_role: 'system', kind: 'closed' })).toBe(false)
})
