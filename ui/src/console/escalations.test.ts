import { expect, test } from 'vitest'
import { keyOf } from './escalations'
import type { WorkOrder } from './types'

const DUE = '2026-11-23T10:00:00Z'

test('the key tells levels and deadlines apart', () => {
  const order = { id: '1' } as WorkOrder
  const escalation = { clock: 'feedback', task: null, level: 'copy', due: DUE, at: DUE, texted: false } as const
  const key = keyOf({ escalation, order })
  expect(keyOf({ escalation: { ...escalation, at: 'later' }, order })).toBe(key)
  expect(keyOf({ escalation: { ...escalation, level: 'report' }, order })).not.toBe(key)
  expect(keyOf({ escalation: { ...escalation, due: 'later' }, order })).not.toBe(key)
})
