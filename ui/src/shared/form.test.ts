import { expect, test } from 'vitest'
import { emptyForm, isEmptyForm, toForm } from './form'
import type { Intake } from './types'

test('channel and language alone leave a form empty, a single letter does not', () => {
  expect(isEmptyForm({ ...emptyForm(), channel: 'hotline', language: 'en' })).toBe(true)
  expect(isEmptyForm({ ...emptyForm(), description: '断' })).toBe(false)
  expect(isEmptyForm({ ...emptyForm(), anonymous: true })).toBe(false)
})

test('what the wire leaves out is filled in', () => {
  const form = toForm({ description: '断网', representative: { name: '王' } } as unknown as Intake)
  expect(form).toEqual({
    ...emptyForm(),
    description: '断网',
    representative: { name: '王', phone: '', proof: '' },
  })
})
