import { expect, test } from 'vitest'
import { freshInterview, freshReport, reportLacks } from './report'
import type { Report } from './types'

test('all three parts are needed, and every interview that was begun is whole', () => {
  const draft = freshReport(null)
  expect(Object.keys(reportLacks(draft, '!'))).toEqual(['root_cause', 'impact', 'proposal'])
  Object.assign(draft, { root_cause: 'a', impact: 'b', proposal: ' ' })
  expect(reportLacks(draft, '!')).toEqual({ proposal: '!' })
  draft.proposal = 'c'
  draft.interviews.push({ ...freshInterview(), who: 'x' }, { ...freshInterview(), who: 'y', said: 'z', at: '' })
  expect(reportLacks(draft, '!')).toEqual({ said_0: '!', at_1: '!' })
})

test('a report of an older version opens, and what is changed leaves the first as it is', () => {
  const before = { root_cause: 'a', impact: 'b', proposal: 'c' } as Report
  expect(freshReport(before)).toMatchObject({ compensation_minor: null, interviews: [], attachments: [], related: '' })
  const told = { ...before, interviews: [{ who: 'x', at: '', said: 'y' }], attachments: ['f'] } as unknown as Report
  const draft = freshReport(told)
  draft.interviews.splice(0)
  draft.attachments.splice(0)
  expect(told.interviews).toHaveLength(1)
  expect(told.attachments).toHaveLength(1)
})
